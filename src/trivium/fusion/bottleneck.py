"""Attention bottlenecks: the tokens of each stream attend to each other and to a few shared tokens, and streams meet
in these alone.

Shapes: {stream: [B, 1 + T_s, D_s + 1]}, bool [B, S] -> [B, D]. Cost: per stream and layer 8 D^2 weights over its tokens
and the `tokens` shared ones; the attention grows with the square of the longest stream, not of all together. In each
layer a stream looks at itself and at the shared tokens, and these look at it; the streams' versions of them are
averaged over the streams that are there. The output is the mean of these streams' vectors and of the shared tokens.
With one layer a stream has heard nothing of the others, and the shared tokens hold a mean: it takes two.
Source: MBT, Nagrani et al. 2021, arXiv 2107.00135, which takes the mean of the streams' answers at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from trivium.fusion.sequences import Attend, Headed, Sequences, sizes, together
from trivium.settings.base import Count

READS = "tokens"


class Settings(Headed):
    tokens: Count = 4  # shared ones
    layers: Annotated[int, Field(ge=2)] = 2


class Bottleneck(nn.Module):
    """{stream: tokens}, bool [B, S] -> [B, D]."""

    def __init__(self, widths: Mapping[str, int], width: int, heads: int, shared: int, layers: int) -> None:
        super().__init__()
        self.width = width
        self.shared = nn.Parameter(torch.randn(1, shared, width) * 0.02)
        self.sequences = Sequences(widths, width)
        self.layers = nn.ModuleList(nn.ModuleDict({s: Attend(width, heads) for s in widths}) for _ in range(layers))
        self.norm = nn.LayerNorm(2 * width)
        self.out = nn.Linear(2 * width, width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        found, shared = self.sequences(vectors, present), self.shared.expand(len(present), -1, -1)
        seen, count = present.new_ones(shared.shape[:2]), shared.shape[1]
        for layer in self.layers:
            own, versions = {}, []
            for s, one in found.items():
                tokens, there = together([(shared, seen), one])
                tokens = layer[s](tokens, (tokens, there))  # type: ignore[index]
                versions.append(tokens[:, :count])
                own[s] = tokens[:, count:], one[1]
            found, shared = own, _mean(versions, shared, present)
        vector = _mean([tokens[:, 0] for tokens, _ in found.values()], torch.zeros_like(shared[:, 0]), present)
        return self.out(self.norm(torch.cat([vector, shared.mean(1)], 1)))


def _mean(each: list[Tensor], otherwise: Tensor, present: Tensor) -> Tensor:
    """[B, ...]: over the streams that are there; `otherwise` for a sample that has none."""
    whole = torch.stack(each, 1)
    there = present.view(*present.shape, *[1] * (whole.dim() - 2))
    mean = torch.where(there, whole, 0.0).sum(1) / there.sum(1).clamp(min=1)
    return torch.where(there.any(1), mean, otherwise.to(mean.dtype))


def build(widths: Mapping[str, int], settings: Settings) -> Bottleneck:
    """Raises: UserError (heads that do not divide the width)."""
    return Bottleneck(widths, *sizes(widths, settings, "bottleneck"), settings.tokens, settings.layers)
