"""One file per modality: how a value is probed, decoded, described and corrupted.

A modality `m` is the module `trivium.modalities.m` with
    Settings                                   its knobs, `preprocess.m` in params.yaml
    probe(value, root, start, end) -> dict     what validation wants to know, or {"error": why}; decodes for real
    spec(settings) -> Spec                     kind and shape of the tensors that models see
    decode(value, root, start, end, settings)  array of spec.shape, cleaned, not normalised; raises ValueError
    corrupt(x, severity, generator, spec)      normalised tensors [B, *spec.shape] from clean (0) to pure noise (1)
A modality of kind "tokens" has, in place of `decode`,
    fit(texts, settings) -> tokenizer, Spec    from the train rows alone
    encode(texts, tokenizer, spec)             int32 [B, T]

`value` is the text itself or a path relative to `root`; `start` and `end` are seconds, None where the whole is meant.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from torch import Generator, Tensor


def names() -> tuple[str, ...]:
    """All modalities there are, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "spec"))


def get(name: str) -> ModuleType:
    """The module of one modality. Raises: UserError (no such modality)."""
    if name not in names():
        raise UserError(f"There is no modality `{name}`: data.modalities in params.yaml may name {', '.join(names())}. "
                        f"To add one, write src/trivium/modalities/{name}.py (docs/adding-a-modality.md).")
    return importlib.import_module(f"{__name__}.{name}")


def settings(name: str, preprocess: Mapping[str, Any]) -> Any:
    """The typed `preprocess.<name>` of params.yaml. Raises: UserError (missing, unknown key, out of range)."""
    model = get(name).Settings
    if name not in preprocess:
        keys = ", ".join(model.model_fields)
        raise UserError(f"params.yaml: `preprocess.{name}` is missing; it has the keys {keys}.")
    try:
        return model.model_validate(preprocess[name])
    except ValidationError as error:
        problems = error.errors()
        problem = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
        key = str(problem["loc"][-1])
        where = ".".join(["preprocess", name, *map(str, problem["loc"])])
        if problem["type"] == "extra_forbidden":
            near = difflib.get_close_matches(key, model.model_fields, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(model.model_fields)}."
            raise UserError(f"params.yaml: unknown key `{where}`; {hint}") from None
        if problem["type"] == "missing":
            raise UserError(f"params.yaml: `{where}` is missing.") from None
        raise UserError(f"params.yaml: `{where}`: {problem['msg'].removeprefix('Value error, ')} "
                        f"(got {problem['input']!r})") from None


def add_noise(x: Tensor, severity: float, generator: Generator) -> Tensor:
    """sqrt(1 - s) x + sqrt(s) N(0, 1): the variance of a normalised `x` stays 1, the share of signal in it falls."""
    import torch

    noise = torch.randn(x.shape, generator=generator, device=generator.device, dtype=x.dtype).to(x.device)
    return (1 - severity) ** 0.5 * x + severity**0.5 * noise


def shift(x: Tensor, most: tuple[int, ...], generator: Generator) -> Tensor:
    """x [B, C, *axes], rolled by a whole number of -most..most along each axis, the same for all samples."""
    import torch

    moves = [int(torch.randint(-n, n + 1, (), generator=generator)) for n in most]
    return torch.roll(x, moves, tuple(range(2, 2 + len(moves))))
