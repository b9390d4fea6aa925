"""Parts that are one file each (an encoder, a fusion, an objective, a strategy), and their typed settings."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import re
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from trivium.settings.errors import UserError

T = TypeVar("T", bound=BaseModel)
# how pydantic says which form of a value it tried, behind the value's key
FORM = re.compile(r"\[key\]|str|int|float|bool|(literal|dict|list|tuple)\[.*\]|constrained-\w+")
KINDS = {"string_type": "a text", "int_type": "a whole number", "int_parsing": "a whole number",
         "int_from_float": "a whole number", "float_type": "a number", "float_parsing": "a number",
         "bool_type": "true or false", "bool_parsing": "true or false", "dict_type": "a mapping",
         "model_type": "a mapping", "finite_number": "a finite number", "tuple_type": "a list",
         "list_type": "a list"}  # pydantic's types of errors
BOUNDS = {"greater_than": ("above", "gt"), "greater_than_equal": ("at least", "ge"), "less_than": ("below", "lt"),
          "less_than_equal": ("at most", "le"), "multiple_of": ("a multiple of", "multiple_of")}
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


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """ "did you mean `x`?", or all that is known."""
    known = list(known)
    near = close(name, known, cutoff)
    return f"did you mean `{near}`?" if near else f"known: {', '.join(known) or 'none'}."


def close(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The one of `known` that is spelt most like `name`, however they are capitalised; null: none is."""
    lower = {one.lower(): one for one in reversed(list(known))}
    near = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=cutoff)
    return lower[near[0]] if near else None


def look_for(key: str, raw: Any, where: str) -> None:
    """Raises: UserError where the mapping `raw` lacks `key` and has one that is nearly called so."""
    near = close(key, map(str, raw), cutoff=0.75) if isinstance(raw, Mapping) and key not in raw else None
    if near:  # `start` is no `strategy`
        raise UserError(f"params.yaml: unknown key `{where}.{near}`; did you mean `{key}`?")


def split(value: str | Mapping[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    """A part is named in params.yaml as `concat` or as `{name: attention, heads: 4}`. Raises: UserError."""
    if isinstance(value, str):
        return value, {}
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        raise UserError(f"params.yaml: `{where}` is a name, or a mapping with the key `name` (got {value!r}).")
    return value["name"], {key: one for key, one in value.items() if key != "name"}


def typed(model: type[T], values: Mapping[str, Any], where: str, file: str = "params.yaml") -> T:
    """`values` of the section `where` as a `model`. Raises: UserError, which names the nearest known key."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise UserError("\n".join(explain(model, error, where, file))) from None


def explain(model: type[BaseModel], error: ValidationError, where: str, file: str = "params.yaml") -> list[str]:
    """One line for each key of settings of `model` with which something is wrong."""
    found: dict[str, list[tuple[Any, Any]]] = {}  # what pydantic says of every form that a value may have
    for problem in error.errors():
        path = [part for part in problem["loc"] if not (isinstance(part, str) and FORM.fullmatch(part))]
        key = ".".join(map(str, [*([where] if where else []), *path]))
        found.setdefault(key, []).append((problem, path))
    whole = [key for key in found if not any(other.startswith(f"{key}.") for other in found) or not key]
    return [f"{file}: {_sentence(model, key, found[key])}" for key in whole]


def _sentence(model: type[BaseModel], key: str, problems: list[tuple[Any, Any]]) -> str:
    """What is wrong with one key; where its value may have several forms, what is wrong with the one it has."""
    right = [one for one in problems if one[0]["type"] not in (*KINDS, "literal_error")]  # the form, and no more
    problem, path = (right or problems)[0]
    kind, value = problem["type"], problem["input"]
    got = "" if isinstance(value, dict) or value == () else " (got null)" if value is None else f" (got {value!r})"
    shown = f"`{key}`" if key else "the file"
    if problem["loc"][-1:] == ("[key]",):
        return f"{shown}: {NAME}."
    if kind == "extra_forbidden":
        known = keys(model, tuple(path[:-1]))
        near = close(str(path[-1]), known)
        rest = f"known keys: {', '.join(known)}." if known else "there is nothing to set here."
        return f"unknown key {shown}; " + (f"did you mean `{near}`?" if near else rest)
    if kind == "missing":
        return f"{shown} is missing."
    if kind == "too_short" and not value:
        return f"{shown} is empty: it needs one entry at least."
    if kind in KINDS or kind == "literal_error":
        forms = [choices(one) if one["type"] == "literal_error" else [KINDS[one["type"]]] for one, _ in problems]
        if near := close(str(value), forms[0]) if kind == "literal_error" else None:
            return f"{shown}: did you mean `{near}`?{got}"
        each = [("one of " if len(form) > 1 else "") + ", ".join(form) for form in forms]
        return f"{shown} must be {' or '.join(dict.fromkeys(each))}{got}."
    if kind in BOUNDS:
        words, bound = BOUNDS[kind]
        return f"{shown} must be {words} {problem['ctx'][bound]:.10g}{got}."
    return (f"{shown}: " if key else "") + f"{problem['msg'].removeprefix('Value error, ')}{got}"


def choices(problem: Mapping[str, Any]) -> list[str]:
    """What a value that is one of a few may be."""
    return [one.strip("'") for one in re.split(r", | or ", problem["ctx"]["expected"])]


def keys(model: type[BaseModel], path: tuple[Any, ...] = ()) -> list[str]:
    """The keys that a section may have; `path` leads to a section within."""
    inside: Any = model
    for part in path:
        if get_origin(inside) is dict:  # entries with names of the user's
            inside = get_args(inside)[1]
            continue
        fields = {field.alias or name: field.annotation for name, field in inside.model_fields.items()}
        inside = fields.get(part)
        if type(None) in get_args(inside):  # `Settings | None`
            inside = get_args(inside)[0]
        if get_origin(inside) is not dict and not hasattr(inside, "model_fields"):
            return []
    return [field.alias or name for name, field in inside.model_fields.items()]
