"""Ways to fuse the vectors of any subset of streams, {stream: [B, D_s]}, into one vector [B, D].

To add one, write `fusion/<name>.py` with a `Settings` and `build(widths, settings)`, and name it in a strategy of
params.yaml: `fusion: concat`, or `fusion: {name: attention, heads: 4}`. With `READS = "tokens"` in its file it gets the
streams' tokens as well, {stream: [B, 1 + T_s, D_s + 1]}: see `encoders.base.Encoder`.

With `stand_in: true`, any of them hears a learned vector in place of a stream that a sample lacks.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trivium.settings import parts
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from torch import nn

SHARED = ("base", "sequences", "stand_in")
STAND_IN = "stand_in"  # a setting of every fusion


def names() -> tuple[str, ...]:
    return parts.names(sys.modules[__name__])


def chosen(value: str | Mapping[str, Any], where: str) -> dict[str, Any]:
    """`value` of params.yaml with every default filled in: {"name": ..., settings}. Raises: UserError."""
    name, own = parts.split(value, where)
    part = parts.get(sys.modules[__name__], name, "fusion", where)
    stand_in = own.pop(STAND_IN, False)
    if not isinstance(stand_in, bool):
        raise UserError(f"params.yaml: `{where}.{STAND_IN}` must be true or false (got {stand_in!r}).")
    return {"name": name} | parts.typed(part.Settings, own, where).model_dump(mode="json") | (
        {STAND_IN: True} if stand_in else {})


def reads_tokens(value: Mapping[str, Any]) -> bool:
    """`value`: what `chosen` gave."""
    name, _ = parts.split(value, "fusion")
    return getattr(parts.get(sys.modules[__name__], name, "fusion", "fusion"), "READS", "vectors") == "tokens"


def build(value: Mapping[str, Any], widths: Mapping[str, int]) -> nn.Module:
    """`value`: what `chosen` gave; widths: D_s of each stream, in their order."""
    name, own = parts.split(value, "fusion")
    part, stand_in = parts.get(sys.modules[__name__], name, "fusion", "fusion"), own.pop(STAND_IN, False)
    mix = part.build(widths, part.Settings.model_validate(own))
    if not stand_in:
        return mix
    from trivium.fusion.stand_in import StandIn

    return StandIn(mix, widths)
