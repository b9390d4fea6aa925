"""What a decoder predicts of each sort of input, and how wrong it was: words, the numbers of a patch, cells of a table.

Legend: `B` samples, `T` places (tokens of a text, patches, columns), `D` width, `O` numbers that are predicted at each
place, `V` entries of a vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from trivium.encoders.base import MASK, PAD
from trivium.objectives import draws

if TYPE_CHECKING:
    from trivium.encoders.base import Encoder


class Words:
    """Which token of the vocabulary it was. out: O, what is guessed of each token."""

    nats = 1.0  # by which an error of 1 makes what was there less likely
    few = False  # whether a guess costs so much that only few places are guessed at a time

    def __init__(self, encoder: Encoder) -> None:
        self.out = encoder.spec.vocab

    def count(self, x: Tensor) -> int:
        """T of inputs like `x`."""
        return x.shape[1]

    def at(self, x: Tensor) -> Tensor:
        """What is to be guessed at each place, [B, T, ...]."""
        return x

    def known(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Those of the `hidden` (bool [B, T]) that somebody knows: not what augmentation has masked already."""
        return hidden & (x != PAD) & (x != MASK)

    def error(self, guess: Tensor, goal: Tensor) -> Tensor:
        """[B, T] of guesses [B, T, O] of what `at` gave."""
        return nn.functional.cross_entropy(guess.transpose(1, 2), goal, reduction="none")


class PublishedWords(Words):
    """The same of a published vocabulary, which is large: guesses are ids of its own tokenizer."""

    few = True

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self.native = torch.from_numpy(encoder.spec.native_ids())

    def error(self, guess: Tensor, goal: Tensor) -> Tensor:
        own = self.native.to(goal.device)[goal].flatten()
        return nn.functional.cross_entropy(guess.flatten(0, 1), own, reduction="none").view(goal.shape)


class Patches:
    """The numbers of a patch."""

    few = False

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.out = encoder.patches(torch.zeros(1, *encoder.spec.shape)).shape[2]
        self.nats = self.out / 2  # of normal distributions with a deviation of 1

    def count(self, x: Tensor) -> int:
        return self.encoder.patches(x).shape[1]

    def at(self, x: Tensor) -> Tensor:
        return self.encoder.patches(x)

    def known(self, x: Tensor, hidden: Tensor) -> Tensor:
        return hidden

    def error(self, guess: Tensor, goal: Tensor) -> Tensor:
        return (guess - goal).square().mean(-1)


class Tubes(Patches):
    """The same of a video: a place is hidden in all frames, or what was there stands in the next one."""

    def known(self, x: Tensor, hidden: Tensor) -> Tensor:
        frames = x.shape[2]
        return hidden[:, : hidden.shape[1] // frames].repeat(1, frames)


class Cells:
    """The number of a column, or its category; of those that are not missing."""

    nats = 1.0  # of a number: a normal distribution with a variance of a half
    few = False

    def __init__(self, encoder: Encoder) -> None:
        self.codes = torch.tensor([codes for _, codes in encoder.spec.columns])
        self.out = int(self.codes.max())

    def count(self, x: Tensor) -> int:
        return x.shape[1]

    def at(self, x: Tensor) -> Tensor:
        return x

    def known(self, x: Tensor, hidden: Tensor) -> Tensor:
        return hidden & (x[..., 1] > 0)

    def error(self, guess: Tensor, goal: Tensor) -> Tensor:
        codes = self.codes.to(goal.device)
        none = torch.arange(self.out, device=goal.device) >= codes.unsqueeze(-1)  # [K, out]
        wrong = nn.functional.cross_entropy(guess.masked_fill(none, -1e4).transpose(1, 2), goal[..., 1].long(),
                                            reduction="none")
        return torch.where(codes == 2, (guess[..., 0] - goal[..., 0]).square(), wrong)


class Vocabulary(nn.Module):
    """[..., D'] -> a guess for each entry of a published vocabulary, [..., V], by the word vectors that the encoder
    reads with (Press & Wolf 2017, arXiv 1608.05859): no map of D x V has to be learned.
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = (encoder,)  # not as a part: its weights are the encoder's
        entries, width = self.words.shape
        self.norm, self.bias = nn.LayerNorm(width), nn.Parameter(torch.zeros(entries))

    @property
    def words(self) -> Tensor:
        """[V, D']"""
        found = self.encoder[0].words
        assert found is not None
        return found

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(self.norm(x), self.words, self.bias)


def goal(encoder: Encoder) -> Any:
    """What is to be predicted of the encoder's input."""
    kind = encoder.spec.kind
    if kind == "tokens":
        return Words(encoder) if encoder.words is None else PublishedWords(encoder)
    if kind == "columns":
        return Cells(encoder)
    return Tubes(encoder) if kind == "frames" else Patches(encoder)


def decoder(encoder: Encoder, what: Any) -> nn.Sequential:
    """[B, T, D] -> guesses [B, T, O]."""
    width = encoder.width
    if encoder.words is not None:
        return nn.Sequential(nn.Linear(width, encoder.words.shape[1]), nn.GELU(), Vocabulary(encoder))
    return nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, what.out))


def example(encoder: Encoder) -> Tensor:
    """One input, of zeros."""
    spec = encoder.spec
    return torch.zeros(1, *spec.shape, dtype=torch.int64 if spec.kind == "tokens" else torch.float32)


def few(samples: int, count: int, share: float, generator: torch.Generator) -> Tensor:
    """bool [samples, count]: as many places in each row, drawn, so that every step costs the same."""
    drawn = draws.rand((samples, count), generator)
    return drawn <= drawn.kthvalue(max(1, round(share * count)), 1, keepdim=True).values


def where(chosen: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """bool [B, T] with `most` true ones in a row at the most -> rows [B, 1] and places [B, most] that have them all."""
    return torch.arange(len(chosen), device=chosen.device).unsqueeze(1), chosen.float().topk(most, 1).indices
