"""A video is read a frame at a time by an encoder of pictures, own or published; then its frames become one vector.

`over_time` of an entry for video says how:
    mean          of the frames' vectors: what is seen, whenever
    attention     a share of each frame, by what it shows and when
    transformer   each frame looks at the others, and knows when it is: what moves, and which way

All begin as the mean: what is added starts at zero, so that published weights are worth as much as they were.
Tokens for an objective are the patches of all frames, so that a hidden patch is predicted where it was; a fusion that
reads tokens gets one for each frame.
Shapes: [B, C, T, H, W] -> tokens [B, T P, D] -> frames [B, T, D] -> [B, D]. Cost: T passes of the frames' encoder, and
of `transformer` 8 D x D multiplications per frame.
Source: frames as tokens, Arnab et al. 2021, arXiv 2103.15691 (model 2, the factorised encoder); attention, Ilse et al.
2018, arXiv 1802.04712.

Legend: `B` samples, `C` channels, `T` frames, `P` patches of a frame, `D` width.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from trivium.encoders.base import Encoder
from trivium.modalities.spec import Spec
from trivium.settings.base import Section


class Settings(Section):
    over_time: Literal["mean", "attention", "transformer"] = "transformer"


def frame(spec: Spec) -> Spec:
    """Of one frame of a video: a picture."""
    channels, _, *sides = spec.shape
    return replace(spec, kind="image", shape=(channels, *sides))


class OverTime(Encoder):
    """inner: reads one frame.  spec: of the video."""

    def __init__(self, inner: Encoder, spec: Spec, how: str) -> None:
        super().__init__()
        self.inner, self.spec, self.width = inner, spec, inner.width
        self.gives, self.published = inner.gives, inner.published
        self.patch = (1, *inner.patch)
        self.fold = spec.shape[1]
        self.over = OVER[how](self.fold, inner.width)

    def tokens(self, x: Tensor) -> Tensor:
        frames = x.transpose(1, 2).flatten(0, 1)
        if self.published and x.device.type == "cpu" and not (torch.is_grad_enabled() or torch.compiler.is_compiling()):
            # Large pictures: more than one leave a processor's cache, which takes twice as long.
            seen = torch.cat([self.inner.tokens(one) for one in frames.split(1)])
        else:
            seen = self.inner.tokens(frames)  # [B T, P, D]
        return seen.unflatten(0, (len(x), self.fold)).flatten(1, 2)

    def patches(self, x: Tensor) -> Tensor:
        """[B, T P, numbers of a patch]: those of the first frame, then those of the next."""
        each = self.inner.patches(x.transpose(1, 2).flatten(0, 1))
        return each.unflatten(0, (len(x), self.fold)).flatten(1, 2)

    def frames(self, tokens: Tensor, x: Tensor) -> Tensor:
        """[B, T P, D] -> [B, T, D]."""
        each = tokens.unflatten(1, (self.fold, -1)).flatten(0, 1)
        return self.inner.pool(each, x.transpose(1, 2).flatten(0, 1)).unflatten(0, (len(x), self.fold))

    def pool(self, tokens: Tensor, x: Tensor) -> Tensor:
        return self.over(self.frames(tokens, x))[0]

    def forward(self, x: Tensor) -> Tensor:
        vector, frames = self.over(self.frames(self.tokens(x), x))
        return self.given(vector, frames, x)


class Mean(nn.Module):
    """[B, T, D] -> [B, D], and the frames for a fusion, [B, T, D]."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__()

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        return frames.mean(1), frames


class Attention(nn.Module):
    """As `Mean`, with learned shares."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.norm, self.score = nn.LayerNorm(width), nn.Linear(width, 1)
        self.when = nn.Parameter(torch.zeros(count))
        nn.init.zeros_(self.score.weight)
        nn.init.zeros_(self.score.bias)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        shares = (self.score(self.norm(frames)).squeeze(2) + self.when).softmax(1)
        return (shares.unsqueeze(2) * frames).sum(1), frames


class Transformer(nn.Module):
    """As `Mean`, behind one block: self-attention and a perceptron, each on normed frames and added to them."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.heads = max(n for n in range(1, 1 + max(1, min(8, width // 16))) if width % n == 0)
        self.when = nn.Parameter(torch.randn(count, width) * 0.02)
        self.before, self.parts, self.mixed = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.between, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        for last in (self.mixed, self.down):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        known = self.before(frames) + self.when
        query, key, value = (part.unflatten(2, (self.heads, -1)).transpose(1, 2)
                             for part in self.parts(known).chunk(3, 2))
        seen = nn.functional.scaled_dot_product_attention(query, key, value)
        frames = frames + self.mixed(seen.transpose(1, 2).flatten(2))
        frames = frames + self.down(nn.functional.gelu(self.up(self.between(frames) + self.when)))
        return frames.mean(1), frames


OVER: dict[str, Any] = {"mean": Mean, "attention": Attention, "transformer": Transformer}
