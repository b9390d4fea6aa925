"""Late-fusion Transformer: one layer of self-attention over a summary token and one token per present modality."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Attention(nn.Module):
    """[B, M, D], bool [B, M] -> [B, D]; absent modalities are masked out of the attention."""

    def __init__(self, modalities: int, width: int) -> None:
        super().__init__()
        self.heads = max(n for n in range(1, 1 + max(1, width // 16)) if width % n == 0)
        self.summary = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.name = nn.Parameter(torch.randn(modalities, width) * 0.02)  # which modality a token comes from
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.perceptron = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, vectors: Tensor, present: Tensor) -> Tensor:
        tokens, query, key, value, seen = self._parts(vectors, present)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        tokens = tokens + self.out(mixed.transpose(1, 2).flatten(2))
        tokens = tokens + self.perceptron(self.between(tokens))
        return tokens[:, 0]

    def attention(self, vectors: Tensor, present: Tensor) -> Tensor:
        """[B, M]: the share of the summary token's attention that goes to each modality, mean over heads, 0-1."""
        _, query, key, _, seen = self._parts(vectors, present)
        scores = query[:, :, :1] @ key.transpose(-1, -2) / query.shape[-1] ** 0.5  # [B, heads, 1, 1 + M]
        return scores.masked_fill(~seen, -torch.inf).softmax(-1).mean(1)[:, 0, 1:]

    def _parts(self, vectors: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Tokens [B, 1 + M, D]; query, key and value [B, heads, 1 + M, D / heads]; who may be seen [B, 1, 1, 1 + M]."""
        tokens = torch.cat([self.summary.expand(len(vectors), -1, -1), vectors + self.name], 1)
        seen = torch.cat([torch.ones_like(present[:, :1]), present], 1)
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.project(self.before(tokens)).chunk(3, -1)
        )
        return tokens, query, key, value, seen[:, None, None, :]


def build(modalities: int, width: int) -> Attention:
    return Attention(modalities, width)
