"""What a phase of a strategy minimises: one file per objective, over a whole network of encoders, fusion and head.

An objective is a `joint.Joint`: it has `loss(batch, generator) -> scalar`. It may have `after_backward()`, which sees
to the gradients before each step; what that costs is counted. It may have `after_step(done)`, which sees to the weights
behind each step, at the part `done` of the phase, 0-1. Its attribute `backwards` says how often a step goes back
through the encoders, where that is not once; `turns`, after how many steps each of its kinds has had its turn, where
steps differ.

To add one, write `objectives/network/<name>.py` with `build(model, component, **settings)`, and name it in a phase of a
strategy's plan: `objective={"name": "<name>", ...}`. Its settings are those of the strategy. `component(stream)` is the
encoder that the recipe left, and `component.ensemble(way)` what its classifiers say together. What an objective draws
at random comes from the seed and its name.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from trivium.settings import parts

if TYPE_CHECKING:
    from trivium.encoders.base import Encoder
    from trivium.models.network import Model, Multimodal
    from trivium.objectives.network.joint import Joint


class Left(Protocol):
    """What a recipe left at a seed."""

    def __call__(self, stream: str) -> Encoder:
        """The stream's encoder."""

    def ensemble(self, way: str) -> Model:
        """What its classifiers answer together, calibrated; way: see `training.pooling`."""


def names() -> tuple[str, ...]:
    return parts.names(sys.modules[__name__])


def build(value: Mapping[str, Any], model: Multimodal, component: Left) -> Joint:
    """`value`: the `objective` of a phase."""
    name, own = parts.split(value, "objective")
    return parts.get(sys.modules[__name__], name, "objective", "objective").build(model, component, **own)
