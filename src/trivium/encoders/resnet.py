"""A residual network on a picture at full size, which is halved step by step: a spectrogram is read as a picture, too.

A convolution, three stages of blocks with D/4, D/2 and D channels, and the mean over the bands of a spectrogram. A
block is twice [norm, ReLU, 3 x 3 convolution], added to what came in. Its last convolution starts at zero, so that at
first the block changes nothing (Goyal et al. 2017). The norm is over groups of channels (Wu & He 2018) and not over a
batch, so that no sample hears another.
Shapes: [B, C, H, W] -> tokens [B, T, D], one per patch -> [B, D]. Cost: the same for each block, 18 D x D
multiplications per token; several times the blocks of `cnn`, which read patches.
Source: He et al. 2016, arXiv 1512.03385; the order inside a block, He et al. 2016, arXiv 1603.05027.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from torch import Tensor, nn

from trivium.encoders.base import Drop, Encoder, Residual, patch_size, strided
from trivium.settings.base import Count

if TYPE_CHECKING:
    from trivium.modalities.spec import Spec

KINDS = ("image", "spectrogram")
GROUP = 8  # channels that are normed together, at least


class Settings(Residual):
    width: Annotated[int, Field(ge=8, multiple_of=4)] = 64  # D of the output
    depth: Count = 1  # blocks of each of the three stages


def norm(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(max(n for n in range(1, 1 + max(1, width // GROUP)) if width % n == 0), width)


class Block(nn.Module):
    """[B, C, H, W] -> [B, C', H', W']; what came in is added, through a 1 x 1 convolution where its shape changes."""

    def __init__(self, inside: int, outside: int, stride: tuple[int, int], drop: Drop) -> None:
        super().__init__()
        self.before, self.first = norm(inside), strided(inside, outside, stride)
        self.between, self.second = norm(outside), strided(outside, outside, (1, 1))
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)
        self.drop = drop
        same = inside == outside and stride == (1, 1)
        self.past: nn.Module = nn.Identity() if same else nn.Conv2d(inside, outside, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        found = self.first(self.before(x).relu())
        return self.past(x) + self.drop(self.second(self.between(found).relu()))


class ResNet(Encoder):
    def __init__(self, spec: Spec, width: int, depth: int, drops: Sequence[Drop]) -> None:
        super().__init__()
        self.spec, self.width = spec, width
        self.patch = patch_size(spec)
        picture = spec.kind == "image"
        strides = [steps(side) for side in (self.patch if picture else (8, self.patch[1]))]
        stem, *stages = zip(*strides, strict=True)
        widths = (width // 4, width // 4, width // 2, width)
        self.stem = strided(spec.shape[0], widths[0], stem)
        self.blocks = nn.Sequential(*(
            Block(widths[stage] if k == 0 else widths[stage + 1], widths[stage + 1], stride if k == 0 else (1, 1),
                  drops[stage * depth + k])
            for stage, stride in enumerate(stages) for k in range(depth)))
        self.norm = nn.LayerNorm(width)

    def tokens(self, x: Tensor) -> Tensor:
        found = self.blocks(self.stem(x))
        if self.spec.kind == "spectrogram":
            found = found.mean(2, keepdim=True)
        return self.norm(found.flatten(2).transpose(1, 2))


def steps(side: int) -> tuple[int, int, int, int]:
    """Strides of the first convolution and the three stages, which shrink `side`, a power of two, to 1."""
    late = min(2, side.bit_length() - 1)  # stages that halve
    return (side >> late, 1, 2 if late > 1 else 1, 2 if late else 1)


def build(spec: Spec, settings: Settings) -> ResNet:
    return ResNet(spec, settings.width, settings.depth, settings.drops(3 * settings.depth))
