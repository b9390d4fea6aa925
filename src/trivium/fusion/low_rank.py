"""Low-rank tensor fusion: the linear map behind `tensor` is held as a sum of `rank` products of one small map per
stream, so that the table of all products is never made.

Shapes: {stream: [B, D_s]}, bool [B, S] -> [B, D]. Cost: rank x D x (D_s + 1) weights per stream: a further stream adds,
where in `tensor` it multiplies.
An absent stream leaves its 1, as in `tensor`.
Source: Liu et al. 2018, arXiv 1806.00064.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import reduce
from typing import Annotated

import torch
from torch import Tensor, nn

from trivium.fusion.base import Wide, common, heard
from trivium.settings.base import Count, Range


class Settings(Wide):
    rank: Annotated[Count, Range(2, 16, log=True)] = 4


class LowRank(nn.Module):
    """{stream: [B, D_s]}, bool [B, S] -> [B, D]."""

    def __init__(self, widths: Mapping[str, int], width: int, rank: int) -> None:
        super().__init__()
        self.width, self.rank = width, rank
        self.factors = nn.ModuleDict({s: nn.Linear(own, rank * width) for s, own in widths.items()})
        for factor in self.factors.values():
            nn.init.ones_(factor.bias)  # what its 1 weighs: an absent stream then leaves the others' product as it is
        self.bias = nn.Parameter(torch.full((width,), -float(rank)))  # takes the product of the 1s off again

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        own = heard(vectors, present, tuple(self.factors))
        product = reduce(operator.mul, (self.factors[s](x) for s, x in own.items()))
        return product.unflatten(1, (self.rank, self.width)).sum(1) + self.bias


def build(widths: Mapping[str, int], settings: Settings) -> LowRank:
    return LowRank(widths, common(widths, settings.width), settings.rank)
