"""A gated recurrent unit reads the streams one after the other, and its last state is the output. A stream that is
absent is skipped: the state is carried over as it is.

Shapes: {stream: [B, D_s]}, bool [B, S] -> [B, D]. Cost: the maps, D x D_s weights each, and 6 D x D that run S times,
one stream after the other.
The order is that of the streams in the data, and what was read last is remembered best.
Source: the unit, Cho et al. 2014, arXiv 1406.1078; streams in stages, Liang et al. 2018, arXiv 1808.03920.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trivium.fusion.base import Projected, Wide, common


class Settings(Wide):
    pass


class Recurrent(nn.Module):
    """{stream: [B, D_s]}, bool [B, S] -> [B, D]; zeros, the first state, for a sample without streams.

    The unit is written out in linear maps, so that its cost is counted on every device and a sample may skip a step.
    """

    def __init__(self, widths: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.width = width
        self.given, self.again = nn.Linear(width, 3 * width), nn.Linear(width, 3 * width)  # reset, keep and new
        self.projected = Projected(widths, width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        given = self.given(self.projected(vectors, present))  # [B, S, 3 D]
        state = torch.zeros_like(given[:, 0, : self.width])
        for k in range(given.shape[1]):
            reset, keep, new = given[:, k].chunk(3, 1)
            reset_again, keep_again, new_again = self.again(state).chunk(3, 1)
            keep = (keep + keep_again).sigmoid()
            new = (new + (reset + reset_again).sigmoid() * new_again).tanh()
            state = torch.where(present[:, k: k + 1], (1 - keep) * new + keep * state, state)
        return state


def build(widths: Mapping[str, int], settings: Settings) -> Recurrent:
    return Recurrent(widths, common(widths, settings.width))
