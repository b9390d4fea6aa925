"""Attention over the columns of a table: FT-Transformer.

A token per column and one in front, which collects what the row says; blocks with the norm before each part, none
before the first attention, and ReGLU (Shazeer 2020) between the linear maps.

Legend: `B` rows, `K` columns, `D` width.
Source: Gorishniy et al. 2021, arXiv 2106.11959, section 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trivium.encoders.base import Drop, Residual, Sized
from trivium.encoders.columns import ColumnTokens, OfColumns

if TYPE_CHECKING:
    from trivium.modalities.spec import Spec

PROCESSOR = {"table": "table"}


class Settings(Sized, Residual):
    pass


class Block(nn.Module):
    """[B, K + 1, D] -> the same."""

    def __init__(self, width: int, first: bool, drop: Drop) -> None:
        super().__init__()
        self.drop = drop
        self.heads = max(n for n in range(1, 1 + max(1, width // 16)) if width % n == 0)
        self.before = nn.Identity() if first else nn.LayerNorm(width)
        self.project, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm, inner = nn.LayerNorm(width), 4 * width // 3
        self.up, self.down = nn.Linear(width, 2 * inner), nn.Linear(inner, width)

    def forward(self, tokens: Tensor) -> Tensor:
        seen = nn.functional.scaled_dot_product_attention(*self._parts(tokens))
        tokens = tokens + self.drop(self.out(seen.transpose(1, 2).flatten(2)))
        value, gate = self.up(self.norm(tokens)).chunk(2, -1)
        return tokens + self.drop(self.down(value * gate.relu()))

    def attention(self, tokens: Tensor) -> Tensor:
        """[B, heads, K + 1, K + 1]: the shares that each token gives to the others, which sum to 1."""
        query, key, _ = self._parts(tokens)
        return (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).softmax(-1)

    def _parts(self, tokens: Tensor) -> tuple[Tensor, ...]:
        """Query, key and value, [B, heads, K + 1, D / heads] each."""
        return self.project(self.before(tokens)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)


class FTTransformer(OfColumns):
    """`tokens` gives [B, 1 + K, D]; the first one is the vector."""

    special = 1

    def __init__(self, spec: Spec, width: int, drops: Sequence[Drop]) -> None:
        super().__init__(spec, width)
        self.stem = ColumnTokens(spec, width)
        self.row = nn.Parameter(torch.empty(width).uniform_(-(width**-0.5), width**-0.5))
        self.blocks = nn.Sequential(*(Block(width, k == 0, drop) for k, drop in enumerate(drops)))
        self.norm = nn.LayerNorm(width)

    def tokens(self, x: Tensor) -> Tensor:
        return self.norm(self.blocks(self._first(x)))

    def attend(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """As `tokens`, and the attention of each block, the first one first."""
        tokens, layers = self._first(x), []
        for block in self.blocks:
            layers.append(block.attention(tokens))
            tokens = block(tokens)
        return self.norm(tokens), layers

    def _first(self, x: Tensor) -> Tensor:
        columns = self.stem(x)
        return torch.cat([self.row.expand(len(columns), 1, -1), columns], 1)

    def pool(self, tokens: Tensor, x: Tensor) -> Tensor:
        return tokens[:, 0]


def build(spec: Spec, settings: Settings) -> FTTransformer:
    return FTTransformer(spec, settings.width, settings.drops(settings.depth))
