"""Gated recurrent units read the tokens one after the other, from the front and from the back. A spectrogram goes
through two small convolutions first, which make frames of it: together a convolutional recurrent network.

Shapes: ids [B, T], or a spectrogram [B, 1, F, T'] -> tokens [B, T, D], half of D from each direction -> [B, D].
Cost: 4.5 D x D multiplications per token and layer; T steps that wait for each other.
Padding is skipped: the state is carried over it as it is.
Source: the unit, Cho et al. 2014, arXiv 1406.1078; convolutions in front, Choi et al. 2017, arXiv 1609.04243.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from trivium.encoders.base import PAD, Drop, Dropping, Encoder, patch_size, strided
from trivium.settings.base import Count

if TYPE_CHECKING:
    from trivium.modalities.spec import Spec

KINDS = ("tokens", "spectrogram")


class Settings(Dropping):
    width: Annotated[int, Field(ge=8, multiple_of=2)] = 64  # D of the output, half of it for each direction
    depth: Count = 1  # layers


class Unit(nn.Module):
    """Tokens [B, T, D] and which of them are there, bool [B, T], or None for all -> states [B, T, H].

    Written out in linear maps, so that its cost is counted on every device and a sample may skip a step.
    """

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.out = out
        self.given, self.again = nn.Linear(width, 3 * out), nn.Linear(out, 3 * out)  # reset, keep and new

    def forward(self, tokens: Tensor, there: Tensor | None) -> Tensor:
        given = self.given(tokens)
        state, states = torch.zeros_like(given[:, 0, : self.out]), []
        for t, now in enumerate(given.unbind(1)):
            before = self.again(state)
            gates = now[:, : 2 * self.out] + before[:, : 2 * self.out]
            reset, keep = gates.sigmoid().chunk(2, 1)
            new = (now[:, 2 * self.out:] + reset * before[:, 2 * self.out:]).tanh()
            moved = torch.lerp(new, state, keep)
            state = moved if there is None else torch.where(there[:, t: t + 1], moved, state)
            states.append(state)
        return torch.stack(states, 1)


class Layer(nn.Module):
    """Both directions: [B, T, D] -> [B, T, D]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ahead, self.back = Unit(width, width // 2), Unit(width, width // 2)

    def forward(self, tokens: Tensor, there: Tensor | None) -> Tensor:
        back = self.back(tokens.flip(1), None if there is None else there.flip(1))
        return torch.cat([self.ahead(tokens, there), back.flip(1)], 2)


class Frames(nn.Module):
    """[B, 1, F, T'] -> a token for each group of `step` frames, [B, T, D]; the bands are shrunk to a quarter."""

    def __init__(self, bands: int, step: int, width: int) -> None:
        super().__init__()
        self.first = strided(1, width // 4, (2, step // 2))
        self.second = strided(width // 4, width // 2, (2, 2))
        self.project = nn.Linear(width // 2 * -(-bands // 4), width)

    def forward(self, x: Tensor) -> Tensor:
        found = self.second(nn.functional.gelu(self.first(x)))
        return self.project(nn.functional.gelu(found).flatten(1, 2).transpose(1, 2))


class Recurrent(Encoder):
    def __init__(self, spec: Spec, width: int, depth: int, drop: Drop) -> None:
        super().__init__()
        self.drop = drop
        self.spec, self.width = spec, width
        self.patch = patch_size(spec)
        self.stem = (nn.Embedding(spec.vocab, width, padding_idx=PAD) if spec.kind == "tokens" else
                     Frames(spec.shape[1], self.patch[1], width))
        self.layers = nn.ModuleList(Layer(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def tokens(self, x: Tensor) -> Tensor:
        tokens, there = self.stem(x), x != PAD if self.spec.kind == "tokens" else None
        for layer in self.layers:
            tokens = self.drop(layer(tokens, there))
        return self.norm(tokens)


def build(spec: Spec, settings: Settings) -> Recurrent:
    return Recurrent(spec, settings.width, settings.depth, Drop(settings.dropout))
