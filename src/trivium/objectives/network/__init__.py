"""What a phase of a strategy minimises: one file per objective, over a whole network of encoders, fusion and head.

An objective is a `joint.Joint`: it has `loss(batch, generator) -> scalar`. It may have `after_backward()`, which sees
to the gradients before each step; what that costs is counted. Its attribute `backwards` says how often a step goes back
through the encoders, where that is not once; `turns`, after how many steps each of its kinds has had its turn, where
steps differ.

To add one, write `objectives/network/<name>.py` with `build(model, component, **settings)`, and name it in a phase of a
strategy's plan: `objective={"name": "<name>", ...}`. Its settings are those of the strategy. `component(stream)` is the
encoder that the recipe left. What it draws at random comes from the seed and its name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from trivium.settings import parts

if TYPE_CHECKING:
    from trivium.encoders.base import Encoder
    from trivium.models.network import Multimodal
    from trivium.objectives.network.joint import Joint


def names() -> tuple[str, ...]:
    return parts.names(sys.modules[__name__])


def build(value: Mapping[str, Any], model: Multimodal, component: Callable[[str], Encoder]) -> Joint:
    """`value`: the `objective` of a phase."""
    name, own = parts.split(value, "objective")
    return parts.get(sys.modules[__name__], name, "objective", "objective").build(model, component, **own)
