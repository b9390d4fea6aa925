"""One file per modality: how a value is probed, decoded, described and corrupted.

A modality `m` is the module `trivium.modalities.m` with
    Settings                                   the knobs of its processor, `processor` of an entry under `encoder`
    probe(value, root, start, end) -> dict     what validation wants to know, or {"error": why}; decodes for real
    spec(settings) -> Spec                     kind and shape of the tensors that models see
    decode(value, root, start, end, settings)  array of spec.shape, cleaned, not normalised; raises ValueError
    corrupt(x, severity, generator, spec)      normalised tensors [B, *spec.shape] from clean (0) to pure noise (1)
    augment(x, generator, spec)                optional: such tensors, changed in ways that keep their meaning; with a
                                               fourth argument `settings`, an `Augment`, where there is anything to set
A modality whose files have times of their own, `TIMES = True`, has besides
    since(value, root) -> float | None         when their second 0 is, in seconds since 1970, where they are dates
A modality of kind "tokens" has, in place of `decode` and `corrupt`,
    fit(texts, settings) -> tokenizer, Spec    from the train rows alone
    encode(texts, tokenizer, spec)             int32 [B, T]; a processor that fits nothing takes its Settings instead
    clean(value) -> str                        the text as every processor reads it
    corrupt(text, severity, words, draw)       a cleaned text with other `words` in it, from none (0) to all (1)
    measures(values)                           optional: what `probe` measures, of an Arrow column at once

Of values that last, `length(value, root, start, end)` says how many seconds; one that may be all gaps has `kept`, with
`settings` as well: the same, and whether models see anything else.

A processor of features may have, beside `decode`, `read`, with its arguments, and `together`, which makes the rows of a
tensor of a list of what `read` gave: many at once take less time.

A modality of kind "columns" has, in place of `decode`, what `table.py` has.

`value` is the text itself, or what `media.opened` opens, seen from `root`; `start` and `end` are seconds, None where
the whole is meant.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from trivium.settings import parts
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from trivium.modalities.spec import Spec

SHARED = ("spec", "prose", "media", "recordings", "videos", "processors", "columns", "augmented", "anonymised")
FIXED = ("features", "counts")  # kinds of tensors that are no picture or sound any more, to be moved


def names() -> tuple[str, ...]:
    """All modalities there are, sorted."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name not in SHARED))


def get(name: str) -> ModuleType:
    """The module of one modality. Raises: UserError (no such modality)."""
    if name not in SHARED and (known := sys.modules.get(f"{__name__}.{name}")):
        return known  # at once: it is asked for with every value
    if name not in names():
        raise UserError(f"There is no modality `{name}`: those there are: {', '.join(names())}. "
                        f"To add one, write src/trivium/modalities/{name}.py (docs/adding-a-modality.md).")
    return importlib.import_module(f"{__name__}.{name}")


def is_timed(name: str) -> bool:
    """Whether a value lasts, so that a row may be a part of it, from `start` to `end`."""
    return hasattr(get(name), "length")


def has_times(name: str) -> bool:
    """Whether files have times of their own, which need not begin at 0."""
    return getattr(get(name), "TIMES", False)


def is_written(name: str) -> bool:
    """Whether values of a modality are the content itself, not paths."""
    return is_prose(name) or getattr(get(name), "WRITTEN", False)


def is_prose(name: str) -> bool:
    """Whether values of a modality are texts, which are cleaned, joined and alike where their words are."""
    return hasattr(get(name), "clean")


def processor(name: str) -> ModuleType:
    """The module of a processor: a modality's own, by the modality's name, or a file of `modalities/processors`."""
    return get(name) if name in names() else importlib.import_module(f"{__name__}.processors.{name}")


def augmentation(name: str, own: Any, where: str) -> Any:
    """Typed settings `own` of how the modality `name` is augmented. where: those of all, in params.yaml.
    Raises: UserError.
    """
    known = [one for one in names() if hasattr(get(one), "Augment")]
    if name not in known:
        raise UserError(f"params.yaml: `{where}.{name}`: there is no modality `{name}` that has settings for this; "
                        f"{parts.nearest(name, known)}")
    if not isinstance(own, Mapping):
        raise UserError(f"params.yaml: `{where}.{name}` is a mapping of settings (got {own!r}).")
    return parts.typed(get(name).Augment, own, f"{where}.{name}")


def augmenter(spec: Spec, settings: Any = None) -> Callable[[Tensor, Generator], Tensor] | None:
    """What changes inputs of `spec` in ways that keep their meaning, as drawn: the modality's own `augment`, as usual
    or with `settings`; None where there is none.
    """
    own = None if spec.kind in FIXED else getattr(get(spec.modality), "augment", None)
    return own and partial(own, spec=spec, **({} if settings is None else {"settings": settings}))


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
