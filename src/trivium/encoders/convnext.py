"""ConvNeXt blocks on a patch stem: each channel looks 7 places around by itself, and a perceptron for every place, four
times as wide inside, mixes the channels.

A block is [7 (x 7) convolution of each channel, LayerNorm, linear to 4 D, GELU, linear to D], added to what came in.
All blocks have one size, as in the paper's isotropic form. Its scale of layers is for deep ones, and left out.
Shapes: [B, C, *axes] -> tokens [B, T, D], one per patch -> [B, D]. Cost: 8 D x D + 49 D multiplications per token and
block.
Source: Liu et al. 2022, arXiv 2201.03545.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn

from trivium.encoders.base import Drop, Encoder, Residual, Sized, Stem, convolution, patch_size

if TYPE_CHECKING:
    from trivium.modalities.spec import Spec

KINDS = ("image", "spectrogram", "waveform", "series")
REACH = 3  # places on each side


class Settings(Sized, Residual):
    pass


class Block(nn.Module):
    """[B, T, D] -> [B, T, D]; tokens lie on `grid`."""

    def __init__(self, width: int, grid: tuple[int, ...], drop: Drop) -> None:
        super().__init__()
        (self.grid, kind), self.drop = convolution(grid), drop
        self.around = kind(width, width, 2 * REACH + 1, padding=REACH, groups=width)
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        seen = self.around(tokens.unflatten(1, self.grid).movedim(-1, 1)).flatten(2).transpose(1, 2)
        return tokens + self.drop(self.down(nn.functional.gelu(self.up(self.norm(seen)))))


class ConvNeXt(Encoder):
    def __init__(self, spec: Spec, width: int, drops: Sequence[Drop]) -> None:
        super().__init__()
        self.spec, self.width = spec, width
        self.patch = patch_size(spec)
        self.stem = Stem(spec, self.patch, self.grid, width)
        self.blocks = nn.Sequential(*(Block(width, self.grid, drop) for drop in drops))
        self.norm = nn.LayerNorm(width)

    def tokens(self, x: Tensor) -> Tensor:
        return self.norm(self.blocks(self.stem(x)))


def build(spec: Spec, settings: Settings) -> ConvNeXt:
    return ConvNeXt(spec, settings.width, settings.drops(settings.depth))
