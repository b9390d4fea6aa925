"""Late fusion by concatenation and a two-layer perceptron: the baseline that is hard to beat when tuned."""

from __future__ import annotations

from torch import Tensor, nn

from trivium.fusion.missing import Missing


class Concat(nn.Module):
    """[B, M, D], bool [B, M] -> [B, D]."""

    def __init__(self, modalities: int, width: int) -> None:
        super().__init__()
        self.missing = Missing(modalities, width)
        self.mix = nn.Sequential(
            nn.Linear(modalities * width, 2 * width), nn.GELU(), nn.Linear(2 * width, width), nn.GELU()
        )

    def forward(self, vectors: Tensor, present: Tensor) -> Tensor:
        return self.mix(self.missing(vectors, present).flatten(1))


def build(modalities: int, width: int) -> Concat:
    return Concat(modalities, width)
