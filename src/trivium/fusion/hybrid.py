"""Stacked and side by side: the vectors of the streams beside what `stacked` makes of their tokens, and one linear
map.

Shapes: {stream: [B, 1 + T_s, D_s + 1]}, bool [B, S] -> [B, D]. Cost: that of `stacked`, a map for each stream, D x D_s
weights, and one of (S + 1) D^2.
Source: early and late fusion in one network; the two are set side by side in Baltrušaitis et al. 2019, arXiv
1705.09406.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trivium.encoders.base import vector
from trivium.fusion.base import Projected
from trivium.fusion.sequences import Headed, sizes
from trivium.fusion.stacked import Stacked

READS = "tokens"


class Settings(Headed):
    pass


class Hybrid(nn.Module):
    """{stream: tokens}, bool [B, S] -> [B, D]."""

    def __init__(self, widths: Mapping[str, int], width: int, heads: int) -> None:
        super().__init__()
        self.width = width
        self.stacked, self.projected = Stacked(widths, width, heads), Projected(widths, width)
        self.out = nn.Linear((1 + len(widths)) * width, width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        beside = self.projected({s: vector(given) for s, given in vectors.items()}, present).flatten(1)
        return self.out(torch.cat([self.stacked(vectors, present), beside], 1))


def build(widths: Mapping[str, int], settings: Settings) -> Hybrid:
    """Raises: UserError (heads that do not divide the width)."""
    return Hybrid(widths, *sizes(widths, settings, "hybrid"))
