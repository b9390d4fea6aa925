"""Parts that are one file each (an encoder, a fusion, an objective, a strategy), and their typed settings."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from trivium.settings.errors import UserError

T = TypeVar("T", bound=BaseModel)
NAME = "a name holds lower-case letters, digits and `_`, and begins with a letter"


def names(package: ModuleType) -> tuple[str, ...]:
    """The parts in `package`, sorted: its files, but for those that define no `Settings` (bases, helpers)."""
    shared = getattr(package, "SHARED", ())
    return tuple(sorted(m.name for m in pkgutil.iter_modules(package.__path__) if m.name not in shared))


def get(package: ModuleType, name: str, what: str, where: str) -> ModuleType:
    """The file of the part `name`. what: "fusion"; where: the key of params.yaml that names it. Raises: UserError."""
    if name not in names(package):
        raise UserError(f"params.yaml: `{where}`: there is no {what} `{name}`; {nearest(name, names(package))}")
    return importlib.import_module(f"{package.__name__}.{name}")


def nearest(name: str, known: Iterable[str]) -> str:
    """ "did you mean `x`?", or all that is known."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known) or 'none'}."


def look_for(key: str, raw: Any, where: str) -> None:
    """Raises: UserError where the mapping `raw` lacks `key` and has one that is nearly called so."""
    if isinstance(raw, Mapping) and key not in raw:
        for near in difflib.get_close_matches(key, map(str, raw), n=1, cutoff=0.75):  # `start` is no `strategy`
            raise UserError(f"params.yaml: unknown key `{where}.{near}`; did you mean `{key}`?")


def split(value: str | Mapping[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    """A part is named in params.yaml as `concat` or as `{name: attention, heads: 4}`. Raises: UserError."""
    if isinstance(value, str):
        return value, {}
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        raise UserError(f"params.yaml: `{where}` is a name, or a mapping with the key `name` (got {value!r}).")
    return value["name"], {key: one for key, one in value.items() if key != "name"}


def typed(model: type[T], values: Mapping[str, Any], where: str) -> T:
    """`values` of the section `where` as a `model`. Raises: UserError, which names the nearest known key."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise UserError("\n".join(explain(model, error, where))) from None


def explain(model: type[BaseModel], error: ValidationError, where: str, file: str = "params.yaml") -> list[str]:
    """One line for each thing that is wrong with settings of `model`."""
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in ((where,) if where else ()) + problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = keys(model, problem["loc"][:-1])
            near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}."
            lines.append(f"{file}: unknown key `{key}`; {hint}")
        elif problem["type"] == "missing":
            lines.append(f"{file}: `{key}` is missing.")
        else:
            got = "" if isinstance(problem["input"], dict) else f" (got {problem['input']!r})"
            lines.append(f"{file}: " + (f"`{key}`: " if key else "")
                         + f"{problem['msg'].removeprefix('Value error, ')}{got}")
    return lines


def keys(model: type[BaseModel], path: tuple[Any, ...] = ()) -> list[str]:
    """The keys that a section may have; `path` leads to a section within."""
    inside: Any = model
    for part in path:
        fields = {field.alias or name: field.annotation for name, field in inside.model_fields.items()}
        inside = fields.get(part)
        if not hasattr(inside, "model_fields"):
            return []
    return [field.alias or name for name, field in inside.model_fields.items()]
