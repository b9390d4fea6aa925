"""A small residual convolutional network on a patch stem: the default on a CPU.

stem (patch -> D) -> depth x [LayerNorm, 3 (x 3) convolution, GELU, residual] -> LayerNorm. About 0.08 M parameters
at D = 64, depth = 2 for an image.
Source: the residual sum, He et al. 2016, arXiv 1512.03385.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn

from trivium.encoders.base import PAD, Drop, Encoder, Residual, Sized, Stem, convolution, patch_size

if TYPE_CHECKING:
    from trivium.modalities.spec import Spec


class Settings(Sized, Residual):
    pass


class Block(nn.Module):
    """[B, T, D] -> [B, T, D]; tokens lie on `grid`, channels last, so that no copy is made."""

    def __init__(self, width: int, grid: tuple[int, ...], drop: Drop) -> None:
        super().__init__()
        self.grid, kind = convolution(grid)
        self.norm = nn.LayerNorm(width)
        self.mix = kind(width, width, 3, padding=1)
        self.activate, self.drop = nn.GELU(), drop

    def forward(self, tokens: Tensor) -> Tensor:
        on_grid = self.norm(tokens).unflatten(1, self.grid).movedim(-1, 1)
        return tokens + self.drop(self.activate(self.mix(on_grid)).flatten(2).transpose(1, 2))


class CNN(Encoder):
    def __init__(self, spec: Spec, width: int, drops: Sequence[Drop]) -> None:
        super().__init__()
        self.spec, self.width = spec, width
        self.patch = patch_size(spec)
        self.stem = Stem(spec, self.patch, self.grid, width)
        self.blocks = nn.Sequential(*(Block(width, self.grid, drop) for drop in drops))
        self.norm = nn.LayerNorm(width)

    def tokens(self, x: Tensor) -> Tensor:
        tokens = self.stem(x)
        if self.spec.kind == "tokens":
            tokens = tokens * (x != PAD).unsqueeze(-1)
        return self.norm(self.blocks(tokens))


def build(spec: Spec, settings: Settings) -> CNN:
    return CNN(spec, settings.width, settings.drops(settings.depth))
