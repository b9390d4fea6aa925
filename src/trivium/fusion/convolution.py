"""A convolution along the row of projected streams: one small map reads each stream with its neighbours, wherever they
stand, and the mean over the places is the output.

Shapes: {stream: [B, D_s]}, bool [B, S] -> [B, D]. Cost: the maps, D x D_s weights each, and (2 reach + 1) x D x D for
the convolution, at each of S places.
An absent stream is a zero, as beyond the ends of the row. Streams that stand more than 2 x `reach` places apart never
meet in one place.
Source: the late sensor fusion of PerceptionNet, Kasnesis et al. 2018, arXiv 1811.00170.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from trivium.fusion.base import Projected, Wide, common
from trivium.settings.base import Count


class Settings(Wide):
    reach: Count = 1  # neighbours that are read on each side, in the order of the streams


class Convolution(nn.Module):
    """{stream: [B, D_s]}, bool [B, S] -> [B, D]."""

    def __init__(self, widths: Mapping[str, int], width: int, reach: int) -> None:
        super().__init__()
        self.width, self.reach = width, reach
        self.mix = nn.Conv1d(width, width, 2 * reach + 1, padding=reach)
        self.projected = Projected(widths, width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        row = nn.functional.pad(self.projected(vectors, present), (0, 0, self.reach, self.reach))  # [B, S + 2 reach, D]
        seen = row.unfold(1, 2 * self.reach + 1, 1).flatten(2)  # of each place, [B, S, D x neighbours and itself]
        made = nn.functional.linear(seen, self.mix.weight.flatten(1), self.mix.bias)  # a product, where S is small
        return nn.functional.gelu(made).mean(1)  # absent places too: their neighbours meet there


def build(widths: Mapping[str, int], settings: Settings) -> Convolution:
    return Convolution(widths, common(widths, settings.width), settings.reach)
