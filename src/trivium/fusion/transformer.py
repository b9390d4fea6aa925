"""Single-stream Transformer: one summary token and all tokens of all streams attend to each other, so that streams meet
at the level of words, patches and moments.

Shapes: {stream: [B, 1 + T_s, D_s + 1]}, bool [B, S] -> [B, D], the summary. Cost: `layers` layers over all T tokens,
8 D^2 weights each; the attention grows with the square of T.
Source: single-stream models of pictures and words, such as VisualBERT, Li et al. 2019, arXiv 1908.03557.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trivium.fusion.sequences import Attend, Found, Headed, Sequences, sizes, together
from trivium.settings.base import Count

READS = "tokens"


class Settings(Headed):
    layers: Count = 2


class Transformer(nn.Module):
    """{stream: tokens}, bool [B, S] -> [B, D]."""

    def __init__(self, widths: Mapping[str, int], width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.width = width
        self.summary = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.sequences = Sequences(widths, width)
        self.layers = nn.ModuleList(Attend(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        tokens, there = self._before_the_last(vectors, present)
        return self.norm(self.layers[-1](tokens[:, :1], (tokens, there))[:, 0])  # of the others nobody asks

    def attention(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """[B, S]: the share of the summary's attention in the last layer that goes to each stream's tokens, 0-1."""
        tokens, there = self._before_the_last(vectors, present)
        looks = self.layers[-1].looks(tokens[:, :1], (tokens, there))[:, 0, 1:]  # type: ignore[operator]
        lengths = [1 if vectors[s].dim() == 2 else vectors[s].shape[1] for s in self.sequences.streams]
        return torch.stack([part.sum(1) for part in looks.split(lengths, 1)], 1)

    def _before_the_last(self, vectors: Mapping[str, Tensor], present: Tensor) -> Found:
        found = list(self.sequences(vectors, present).values())
        first = self.summary.expand(len(present), -1, -1), present.new_ones(len(present), 1)
        tokens, there = together([first, *found])
        for layer in self.layers[:-1]:
            tokens = layer(tokens, (tokens, there))
        return tokens, there


def build(widths: Mapping[str, int], settings: Settings) -> Transformer:
    """Raises: UserError (heads that do not divide the width)."""
    return Transformer(widths, *sizes(widths, settings, "transformer"), settings.layers)
