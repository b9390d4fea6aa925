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
        self.width = width
        self.mix = nn.Conv1d(width, width, 2 * reach + 1, padding=reach)
        self.projected = Projected(widths, width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        row = self.projected(vectors, present).transpose(1, 2)  # [B, D, S]
        return nn.functional.gelu(self.mix(row)).mean(2)  # absent places too: their neighbours meet there


def build(widths: Mapping[str, int], settings: Settings) -> Convolution:
    return Convolution(widths, common(widths, settings.width), settings.reach)
