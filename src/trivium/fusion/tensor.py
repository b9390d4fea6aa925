"""Tensor fusion: every product of one number of each stream, where a 1 beside each stream's numbers keeps the products
of fewer streams. A linear map reads them all, so that it can weigh any interplay of streams.

Shapes: {stream: [B, D_s]}, bool [B, S] -> [B, D]. Cost: D x the product of all (D_s + 1), which a further stream
multiplies. So each stream is first brought down to `each` numbers; `low_rank` does without the product.
An absent stream leaves its 1: the products of the others.
Source: Zadeh et al. 2017, arXiv 1707.07250.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trivium.fusion.base import Wide, common, heard
from trivium.settings.base import Count
from trivium.settings.errors import UserError

LARGEST = 2 ** 17  # products: four streams of 16 numbers and their 1s fit, with 5 million weights at a width of 64


class Settings(Wide):
    each: Count = 16  # numbers of a stream that take part; one with fewer keeps what it has


class TensorFusion(nn.Module):
    """{stream: [B, D_s]}, bool [B, S] -> [B, D]."""

    def __init__(self, widths: Mapping[str, int], width: int, each: int) -> None:
        super().__init__()
        self.width, self.streams = width, tuple(widths)
        self.project = nn.ModuleDict({s: nn.Linear(own, each) for s, own in widths.items() if own > each})
        self.mix = nn.Linear(products(widths, each), width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        return self.mix(self.outer(vectors, present))

    def outer(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """[B, product of all (D_s + 1)]; the last stream's numbers run fastest, and each stream's 1 comes last."""
        there = present.unsqueeze(-1)
        found = torch.ones_like(present[:, :1], dtype=next(iter(vectors.values())).dtype)
        for k, (s, x) in enumerate(heard(vectors, present, self.streams).items()):
            if s in self.project:
                x = torch.where(there[:, k], self.project[s](x), 0.0)
            own = torch.cat([x, torch.ones_like(x[:, :1])], 1)
            found = (found.unsqueeze(2) * own.unsqueeze(1)).flatten(1)
        return found


def products(widths: Mapping[str, int], each: int) -> int:
    return math.prod(min(own, each) + 1 for own in widths.values())


def build(widths: Mapping[str, int], settings: Settings) -> TensorFusion:
    """Raises: UserError (too many products)."""
    if (count := products(widths, settings.each)) > LARGEST:
        fits = max(each for each in range(settings.each) if products(widths, each) <= LARGEST)
        way = f"set `each: {fits}` or less, or take" if fits else "take"
        raise UserError(f"params.yaml: `fusion: tensor` of {len(widths)} streams with `each: {settings.each}` has "
                        f"{count:,} products, more than {LARGEST:,}: {way} `fusion: low_rank`, which does without "
                        "them.")
    return TensorFusion(widths, common(widths, settings.width), settings.each)
