"""A mean of the projected streams with one learned weight for each stream. The weights are a softmax over the streams
that a sample has, so that they always add up to one.

Shapes: {stream: [B, D_s]}, bool [B, S] -> [B, D]. Cost: as `sum`, and S weights more.
A weight is the same for all samples. With every stream there, it could as well stand in that stream's map: then
`weighted` says no more than `sum`, and an exclusive or is out of its reach too. They differ where samples lack streams.
Source: the softmax-weighted mean of vectors in Peters et al. 2018, arXiv 1802.05365.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trivium.fusion.base import Projected, Wide, common, shares


class Settings(Wide):
    pass


class Weighted(nn.Module):
    """{stream: [B, D_s]}, bool [B, S] -> [B, D]; zeros for a sample without streams."""

    def __init__(self, widths: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.width = width
        self.scores = nn.Parameter(torch.zeros(len(widths)))  # alike at first, which is `sum`
        self.projected = Projected(widths, width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        weights = self.attention(vectors, present)
        return (weights.unsqueeze(-1) * self.projected(vectors, present)).sum(1)

    def attention(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """[B, S]: each stream's weight in the output, 0-1; the same for all samples that have the same streams."""
        return shares(self.scores.expand_as(present), present)


def build(widths: Mapping[str, int], settings: Settings) -> Weighted:
    return Weighted(widths, common(widths, settings.width))
