"""Gated multimodal units: each stream is mapped and squashed, and gates that read all streams say, number by number,
how much of it is let through. So what is heard of one stream can depend on what the others say.

Shapes: {stream: [B, D_s]}, bool [B, S] -> [B, D]. Cost: the maps, D x D_s weights each, and S x D gates that read all
the vectors side by side.
As in the paper for more than two streams, each gate is a sigmoid of its own, and the gates need not add up to one.
Source: Arevalo et al. 2017, arXiv 1702.01992.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trivium.fusion.base import Projected, Wide, common, heard


class Settings(Wide):
    pass


class Gated(nn.Module):
    """{stream: [B, D_s]}, bool [B, S] -> [B, D]; zeros for a sample without streams."""

    def __init__(self, widths: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.width, self.streams = width, tuple(widths)
        self.gate = nn.Linear(sum(widths.values()), len(widths) * width)
        self.projected = Projected(widths, width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        # tanh(0) = 0: nothing of an absent stream
        return (self._gates(vectors, present) * self.projected(vectors, present).tanh()).sum(1)

    def attention(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """[B, S]: how far each stream's gates are open, the mean over its D numbers, as a share of what all streams'
        gates let through together, 0-1; 0 for a stream that is absent. How large the numbers are that a gate lets
        through is not in it.
        """
        opened = torch.where(present, self._gates(vectors, present).mean(2), 0.0)
        return opened / opened.sum(1, keepdim=True).clamp(min=torch.finfo(opened.dtype).tiny)

    def _gates(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """[B, S, D], 0-1."""
        everything = torch.cat([*heard(vectors, present, self.streams).values()], 1)
        return self.gate(everything).sigmoid().unflatten(1, (len(self.streams), self.width))


def build(widths: Mapping[str, int], settings: Settings) -> Gated:
    return Gated(widths, common(widths, settings.width))
