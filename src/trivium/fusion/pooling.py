"""Attention pooling: a learned query gives each stream a score, and the output is the mean of the projected streams,
weighted by a softmax of the scores. Unlike in `weighted`, a weight depends on what the stream says in this sample.

Shapes: {stream: [B, D_s]}, bool [B, S] -> [B, D]. Cost: the maps, D x D_s weights each, and D x D for the scores.
A score reads its own stream alone; the streams meet only where their scores compete. `attention` lets them read each
other.
Source: Ilse et al. 2018, arXiv 1802.04712.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from trivium.fusion.base import Projected, Wide, common, shares


class Settings(Wide):
    pass


class Pooling(nn.Module):
    """{stream: [B, D_s]}, bool [B, S] -> [B, D]; zeros for a sample without streams."""

    def __init__(self, widths: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.width = width
        self.key, self.query = nn.Linear(width, width), nn.Linear(width, 1, bias=False)  # a bias would move all alike
        self.projected = Projected(widths, width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        own = self.projected(vectors, present)
        return (self._weights(own, present).unsqueeze(-1) * own).sum(1)

    def attention(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """[B, S]: each stream's weight in the output, 0-1."""
        return self._weights(self.projected(vectors, present), present)

    def _weights(self, own: Tensor, present: Tensor) -> Tensor:
        return shares(self.query(self.key(own).tanh()).squeeze(-1), present)


def build(widths: Mapping[str, int], settings: Settings) -> Pooling:
    return Pooling(widths, common(widths, settings.width))
