"""An encoder's weights by depth, so that its last blocks can move alone, or each block at a rate of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from trivium.models import lora

if TYPE_CHECKING:
    from trivium.encoders.base import Encoder


def groups(encoder: Encoder) -> list[list[nn.Parameter]]:
    """From the input up: what stands before the blocks, then each block that has weights. What stands behind them
    belongs to the last one. An encoder without blocks is one group.
    """
    row, blocks = lora.row(encoder)
    found: list[list[nn.Parameter]] = [[] for _ in range(len(blocks) + 1)]
    place = 0  # modules are registered in the order in which they are used
    for name, weight in encoder.named_parameters():
        if blocks and name.startswith(f"{row}."):
            place = 1 + int(name[len(row) + 1:].split(".")[0])
        elif place:
            place = len(blocks)
        found[place].append(weight)
    return [one for one in found if one]
