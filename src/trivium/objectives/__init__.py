"""What training minimises: one file per objective of recipes, which train components; those that the phases of
strategies minimise, over whole networks, are in `network`.

An objective is an `nn.Module` with `loss(batch, generator) -> scalar` and a flag `labels`. With labels it has
`task`, `outputs(batch) -> [B, C]` and `nll(outputs, y) -> float`, to choose weights by; without, `score(batch) ->
scalar`, a loss for that, mean over the batch. It owns what it needs besides the encoders: decoders, heads, teachers.
One that draws takes its numbers from `draws`; one whose loss compares the samples of a batch says `compares = True`.

To add one for recipes, write `objectives/<name>.py` with `LABELS` (needs them?), `TOGETHER` (several streams at
once?), `NEEDS` (of its encoders, where that is more than dense vectors and gradients: see `training.needs`), a
`Settings` and `build(encoders, streams, task, settings)`, where `encoders` are those of the streams that
it trains, and name it as a recipe's `objective`. It leaves `encoders` as components or, of one stream, a classifier
`model`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from trivium.settings import parts

if TYPE_CHECKING:
    from torch import nn

    from trivium.encoders.base import Encoder
    from trivium.tasks import Task

SHARED = ("network", "ewc",  # objectives of strategies, and of updates
          "across", "autoencoder", "draws", "goals", "hiding")  # what several objectives share


def names() -> tuple[str, ...]:
    """Those that a recipe may name."""
    return parts.names(sys.modules[__name__])


def get(name: str, where: str) -> ModuleType:
    """Raises: UserError (no such objective)."""
    return parts.get(sys.modules[__name__], name, "objective", where)


def chosen(value: str | Mapping[str, Any], where: str) -> dict[str, Any]:
    """`value` of params.yaml with every default filled in: {"name": ..., settings}. Raises: UserError."""
    name, own = parts.split(value, where)
    return {"name": name} | parts.typed(get(name, where).Settings, own, where).model_dump(mode="json")


def build(value: Mapping[str, Any], encoders: Mapping[str, Encoder], streams: Sequence[str], task: Task) -> nn.Module:
    """`value`: what `chosen` gave;  streams: all of the data, in their order."""
    name, own = parts.split(value, "objective")
    part = get(name, "objective")
    return part.build(encoders, streams, task, part.Settings.model_validate(own))
