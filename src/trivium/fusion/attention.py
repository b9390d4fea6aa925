"""Late-fusion Transformer: one layer of self-attention over a summary token and one token per present stream.

Source: the layer, Vaswani et al. 2017, arXiv 1706.03762.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trivium.fusion.base import Aligned, Wide, common
from trivium.settings.base import Count
from trivium.settings.errors import UserError


class Settings(Wide):
    heads: Count | None = None  # null: one per 16 of the width


class Attention(nn.Module):
    """{stream: [B, D_s]}, bool [B, S] -> [B, D]; absent streams are masked out of the attention."""

    def __init__(self, widths: Mapping[str, int], width: int, heads: int) -> None:
        super().__init__()
        self.width, self.heads = width, heads
        self.summary = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.name = nn.Parameter(torch.randn(len(widths), width) * 0.02)  # which stream a token comes from
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.perceptron = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.aligned = Aligned(widths, width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        tokens, query, key, value, seen = self._parts(vectors, present)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        tokens = tokens + self.out(mixed.transpose(1, 2).flatten(2))
        tokens = tokens + self.perceptron(self.between(tokens))
        return tokens[:, 0]

    def attention(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """[B, S]: the share of the summary token's attention that goes to each stream, mean over heads, 0-1."""
        _, query, key, _, seen = self._parts(vectors, present)
        scores = query[:, :, :1] @ key.transpose(-1, -2) / query.shape[-1] ** 0.5  # [B, heads, 1, 1 + S]
        return scores.masked_fill(~seen, -torch.inf).softmax(-1).mean(1)[:, 0, 1:]

    def _parts(self, vectors: Mapping[str, Tensor], present: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Tokens [B, 1 + S, D]; query, key and value [B, heads, 1 + S, D / heads]; who may be seen [B, 1, 1, 1 + S]."""
        own = self.aligned(vectors)
        tokens = torch.cat([self.summary.expand(len(own), -1, -1), own + self.name], 1)
        seen = torch.cat([torch.ones_like(present[:, :1]), present], 1)
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.project(self.before(tokens)).chunk(3, -1)
        )
        return tokens, query, key, value, seen[:, None, None, :]


def build(widths: Mapping[str, int], settings: Settings) -> Attention:
    """Raises: UserError (heads that do not divide the width)."""
    width = common(widths, settings.width)
    heads = settings.heads or max(n for n in range(1, 1 + max(1, width // 16)) if width % n == 0)
    if width % heads:
        raise UserError(f"params.yaml: `fusion: attention` with {heads} heads needs a width that {heads} divides; "
                        f"it is {width}.")
    return Attention(widths, width, heads)
