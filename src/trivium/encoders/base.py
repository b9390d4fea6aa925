"""The shape of every encoder, and the patch stem that the small ones share.

Legend: `B` samples, `T` tokens, `D` width, `P` numbers in one patch.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from trivium.settings.base import Count, Section

if TYPE_CHECKING:
    from trivium.modalities.spec import Spec

PAD, UNKNOWN, MASK = 0, 1, 2  # token ids that every tokenizer reserves
GIVES = frozenset({"tokens", "dense", "gradients"})  # what an encoder has where its file says nothing else


Rate = Annotated[float, Field(ge=0, lt=1, exclude_if=lambda rate: rate == 0)]  # an encoder without is as ever


class Dropping(Section):
    """dropout: probability that a number inside is dropped while it is trained (Srivastava et al. 2014)."""

    dropout: Rate = 0.0


class Residual(Dropping):
    """drop_path: probability that a sample passes over the last block while it is trained, whatever the block adds;
    over the ones before it less often, rising evenly (stochastic depth; Huang et al. 2016, arXiv 1603.09382).
    """

    drop_path: Rate = 0.0

    def drops(self, blocks: int) -> list[Drop]:
        """What each block puts around what it adds."""
        return [Drop(self.dropout, self.drop_path * (k + 1) / blocks) for k in range(blocks)]


class Wide(Section):
    """Settings of an encoder that has no blocks."""

    width: Annotated[int, Field(ge=8)] = 64  # D of the output


class Sized(Wide, Dropping):
    """Settings of the small encoders."""

    depth: Count = 2  # blocks


class Drop(nn.Module):
    """What a block adds, [B, ...] -> the same, with numbers dropped, and for some samples all of it. At rest it changes
    nothing; with rates of 0 it draws nothing.
    """

    def __init__(self, dropout: float = 0.0, path: float = 0.0) -> None:
        super().__init__()
        self.dropout, self.path = dropout, path

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        if self.dropout:
            x = nn.functional.dropout(x, self.dropout)
        if self.path:
            kept = torch.rand(len(x), *[1] * (x.dim() - 1), device=x.device) >= self.path
            x = x * kept.to(x.dtype) / (1 - self.path)
        return x


class Encoder(nn.Module):
    """`tokens(x)` [B, T, D] and `forward(x)` [B, D]; token t sees patch t of `patches(x)` (or text token t).

    With `whole`, `forward` gives the tokens as well, for a fusion that reads them: [B, 1 + T, D + 1], the vector first.
    The last number is 1 where there is a token and 0 where there is padding, so that what is one tensor stays one.

    gives: what it has for an objective, a fusion or a strategy: tokens, dense vectors, gradients with respect to them
    (and weights that these move). `GIVES` of its file says the same, before anything is built.
    published: whether its weights were trained by others; what went into that is no part of the budget.
    front: only where inputs cannot be there little by little: the first part, of which [B, T, D] that can be. (That of
    tokens is their embedding, which need not be named.)
    """

    spec: Spec
    width: int  # D
    gives: frozenset[str] = GIVES
    published = False
    whole = False
    patch: tuple[int, ...]  # of one token, in input units per axis; () for text and columns
    fold = 1  # frames of a video: of what the blocks see, so many in a row are of one sample
    special = 0  # tokens before those of the patches: a class token
    words: Tensor | None = None  # published word vectors [V, D'], in the order of their own tokenizer's ids

    def tokens(self, x: Tensor) -> Tensor:
        raise TypeError("an encoder defines `tokens`")

    def pool(self, tokens: Tensor, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, D]: the largest over tokens, padding left out; 0 where there is nothing but padding.

        Not the mean: what a sample is about often stands in few of its tokens, and costs the mean many samples to find.
        """
        if self.spec.kind != "tokens":
            return tokens.amax(1)
        padding = (x == PAD).unsqueeze(-1)
        largest = tokens.masked_fill(padding, -torch.inf).amax(1)
        return largest.masked_fill(padding.all(1), 0.0)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.tokens(x)
        return self.given(self.pool(tokens, x), tokens, x)

    def given(self, vector: Tensor, tokens: Tensor | None = None, x: Tensor | None = None) -> Tensor:
        """What `forward` gives, of a vector [B, D] and the tokens [B, T, D] of inputs x; None: there are no tokens."""
        if not self.whole:
            return vector
        first = nn.functional.pad(vector, (0, 1), value=1.0).unsqueeze(1)
        if tokens is None or x is None:
            return first
        there = (x != PAD).to(tokens.dtype) if self.spec.kind == "tokens" else tokens.new_ones(tokens.shape[:2])
        return torch.cat([first, torch.cat([tokens, there.unsqueeze(-1)], -1)], 1)

    def patches(self, x: Tensor) -> Tensor:
        """What each token stands for: [B, C, *axes] -> [B, T, P]. Not for text."""
        x = pad(x, self.patch)
        if len(self.patch) == 1:
            return x.unflatten(2, (-1, self.patch[0])).permute(0, 2, 1, 3).flatten(2)
        height, width = self.patch
        x = x.unflatten(3, (-1, width)).unflatten(2, (-1, height))  # [B, C, H', h, W', w]
        return x.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)

    def hide(self, x: Tensor, hidden: Tensor) -> Tensor:
        """`x` with the tokens in `hidden` (bool [B, T]) blanked: the mask id for text, the mean (0) elsewhere."""
        if self.spec.kind == "tokens":
            return torch.where(hidden, MASK, x)
        grid = self.grid
        shown = (~hidden).to(x.dtype).view(-1, 1, *grid)
        for axis, size in enumerate(self.patch):
            shown = shown.repeat_interleave(size, 2 + axis)
        return x * shown[tuple([slice(None), slice(None), *(slice(0, n) for n in x.shape[2:])])]

    @property
    def grid(self) -> tuple[int, ...]:
        """Tokens per axis."""
        if self.spec.kind == "tokens":
            return self.spec.shape
        return tuple(math.ceil(n / p) for n, p in zip(self.spec.shape[1:], self.patch, strict=True))


class Plain(Encoder):
    """Nothing is learned: [B, D] is the vector as it is."""

    gives = frozenset({"dense"})

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec, self.width, self.patch = spec, spec.shape[0], ()

    def forward(self, x: Tensor) -> Tensor:
        return self.given(x)


def vector(given: Tensor) -> Tensor:
    """[B, D] of what an encoder gave: the vector alone, or with tokens behind it."""
    return given if given.dim() == 2 else given[:, 0, :-1]


def unpadded(x: Tensor) -> Tensor:
    """Token ids [B, T] without the columns behind the longest text; as they are on a GPU, where to look would wait for
    the device.
    """
    if x.device.type != "cpu":
        return x
    used = (x != PAD).any(0).nonzero()
    return x[:, : int(used[-1]) + 1 if len(used) else 1]


def pad(x: Tensor, patch: tuple[int, ...]) -> Tensor:
    """`x` [B, C, *axes] with zeros behind, so that each axis is a multiple of its patch."""
    missing = [-n % p for n, p in zip(x.shape[2:], patch, strict=True)]
    if not any(missing):
        return x
    return nn.functional.pad(x, [n for m in reversed(missing) for n in (0, m)])


def patch_size(spec: Spec) -> tuple[int, ...]:
    """Input units per token and axis: a power of two that gives about 64 tokens; () for text.

    A spectrogram is cut in time only, all bands in one token: its bands are features, not places.
    """
    if spec.kind == "tokens":
        return ()
    if spec.kind == "waveform":
        return (max(8, 2 ** round(math.log2(spec.shape[1] / 64))),)
    _, height, width = spec.shape
    if spec.kind == "spectrogram":
        return (height, max(4, 2 ** round(math.log2(width / 64))))
    side = max(2, 2 ** round(math.log2(math.sqrt(height * width / 64))))
    return (side, side)


def convolution(grid: tuple[int, ...]) -> tuple[tuple[int, ...], type[nn.Conv1d] | type[nn.Conv2d]]:
    """Tokens per axis, and what mixes neighbours there: none along a side of one token."""
    sides = tuple(side for side in grid if side > 1) or (1,)
    return sides, nn.Conv1d if len(sides) == 1 else nn.Conv2d


def strided(inside: int, outside: int, strides: tuple[int, int]) -> nn.Conv2d:
    """A convolution that sees every place of its input, and makes ceil(side / stride) of each side."""
    kernel = tuple(max(3, stride + 1 - stride % 2) for stride in strides)
    return nn.Conv2d(inside, outside, kernel, strides, tuple(side // 2 for side in kernel))


class Stem(nn.Module):
    """Inputs -> tokens [B, T, D]: an embedding per text token, or one linear map per patch; plus a learned position.

    Non-overlapping patches instead of full-resolution convolutions: the largest single gain in speed on a CPU.
    """

    def __init__(self, spec: Spec, patch: tuple[int, ...], grid: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.patch = patch
        self.embed: nn.Module
        if spec.kind == "tokens":
            self.embed = nn.Embedding(spec.vocab, width, padding_idx=PAD)
        else:
            convolution = nn.Conv1d if len(patch) == 1 else nn.Conv2d
            self.embed = convolution(spec.shape[0], width, patch, patch)
        self.position = nn.Parameter(torch.randn(math.prod(grid), width) * 0.02)

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype == torch.int64:
            return self.embed(x) + self.position
        return self.embed(pad(x, self.patch)).flatten(2).transpose(1, 2) + self.position
