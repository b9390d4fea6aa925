"""Late fusion by concatenation and a two-layer perceptron: the baseline that is hard to beat when tuned.

Source: surveyed in Baltrušaitis et al. 2019, arXiv 1705.09406.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from trivium.fusion.base import Aligned, Missing, Wide, common


class Settings(Wide):
    pass


class Concat(nn.Module):
    """{stream: [B, D_s]}, bool [B, S] -> [B, D]."""

    def __init__(self, widths: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.width, streams = width, len(widths)
        self.missing = Missing(streams, width)
        self.mix = nn.Sequential(
            nn.Linear(streams * width, 2 * width), nn.GELU(), nn.Linear(2 * width, width), nn.GELU()
        )
        self.aligned = Aligned(widths, width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        return self.mix(self.missing(self.aligned(vectors), present).flatten(1))


def build(widths: Mapping[str, int], settings: Settings) -> Concat:
    return Concat(widths, common(widths, settings.width))
