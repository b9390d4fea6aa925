"""Masked modelling without labels: part of the input is hidden, and what was there is predicted.

Text: masked language modelling, cross-entropy over the vocabulary (Devlin et al. 2019). Images and spectrograms: masked
autoencoding, squared error on the hidden patches (He et al. 2022, in the simple form of Xie et al. 2022: the encoder
sees all positions). Tables: a number's squared error, the cross-entropy over a column's categories. Each prediction is
made from its token *and* the pooled vector, so that the vector, which fusion will read, has to carry what the sample is
about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from trivium.encoders.base import MASK, PAD
from trivium.settings.base import Section
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.tasks import Task


LABELS, TOGETHER = False, False  # one stream at a time
NEEDS = frozenset({"tokens", "dense", "gradients"})  # of the encoder: see `training.needs`


class Settings(Section):
    mask: Annotated[float, Field(gt=0, lt=1)] = 0.5  # share of the input that is hidden


class Words:
    """Which token of the vocabulary it was. out: what is guessed of each token."""

    def __init__(self, encoder: Encoder) -> None:
        self.out = encoder.spec.vocab

    def count(self, x: Tensor) -> int:
        """T of inputs like `x`."""
        return x.shape[1]

    def known(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Those of the `hidden` (bool [B, T]) that somebody knows: not what augmentation has masked already."""
        return hidden & (x != PAD) & (x != MASK)

    def error(self, guess: Tensor, x: Tensor) -> Tensor:
        """[B, T] of guesses [B, T, out]."""
        return nn.functional.cross_entropy(guess.transpose(1, 2), x, reduction="none")


class Patches:
    """The numbers of a patch."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.out = encoder.patches(torch.zeros(1, *encoder.spec.shape)).shape[2]

    def count(self, x: Tensor) -> int:
        return self.encoder.patches(x).shape[1]

    def known(self, x: Tensor, hidden: Tensor) -> Tensor:
        return hidden

    def error(self, guess: Tensor, x: Tensor) -> Tensor:
        return (guess - self.encoder.patches(x)).square().mean(-1)


class Cells:
    """The number of a column, or its category; of those that are not missing."""

    def __init__(self, encoder: Encoder) -> None:
        self.codes = torch.tensor([codes for _, codes in encoder.spec.columns])
        self.out = int(self.codes.max())

    def count(self, x: Tensor) -> int:
        return x.shape[1]

    def known(self, x: Tensor, hidden: Tensor) -> Tensor:
        return hidden & (x[..., 1] > 0)

    def error(self, guess: Tensor, x: Tensor) -> Tensor:
        codes = self.codes.to(x.device)
        none = torch.arange(self.out, device=x.device) >= codes.unsqueeze(-1)  # [K, out]
        wrong = nn.functional.cross_entropy(guess.masked_fill(none, -1e4).transpose(1, 2), x[..., 1].long(),
                                            reduction="none")
        return torch.where(codes == 2, (guess[..., 0] - x[..., 0]).square(), wrong)


GOALS: dict[str, Any] = {"tokens": Words, "columns": Cells}  # by kind of input; of all others, patches


class Masked(nn.Module):
    """Raises: UserError (an encoder of the hub whose tokens are not those of `patches`)."""

    labels = LABELS

    def __init__(self, encoder: Encoder, share: float) -> None:
        super().__init__()
        self.encoder, self.share = encoder, share
        spec = encoder.spec
        self.goal = GOALS.get(spec.kind, Patches)(encoder)
        probe = torch.zeros(1, *spec.shape, dtype=torch.int64 if spec.kind == "tokens" else torch.float32)
        self.count, out, width = self.goal.count(probe), self.goal.out, encoder.width
        self.whole = nn.Linear(width, width)
        self.decode = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, out))
        with torch.no_grad():
            tokens = encoder.tokens(probe).shape[1] - encoder.special
        if tokens != self.count:
            raise UserError(f"The encoder that params.yaml names for {spec.name} makes {tokens} tokens of {self.count} "
                            "patches, so that masked pretraining cannot tell which token stands for which patch. Take "
                            "the recipes with `objective: masked` out of `pretrain` and the strategies that start from "
                            "them out of `train`, or name another encoder.")

    @property
    def encoders(self) -> dict[str, Encoder]:
        return {self.encoder.spec.name: self.encoder}

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Mean over the hidden tokens."""
        x = batch.inputs[self.encoder.spec.name]
        hidden = torch.rand(len(x), self.count, generator=generator) < self.share  # [B, T]
        hidden = hidden.to(x.device, non_blocking=True)
        hidden = self.goal.known(x, hidden)
        seen = self.encoder.hide(x, hidden)
        tokens = self.encoder.tokens(seen)
        vector = self.encoder.pool(tokens, seen)
        guess = self.decode(tokens[:, self.encoder.special:] + self.whole(vector).unsqueeze(1))  # [B, T, out]
        weight = hidden.float()  # not bf16: it could not count beyond 256
        error = self.goal.error(guess, x)
        return (error * weight).sum() / weight.sum().clamp(min=1)

    def score(self, batch: Batch) -> Tensor:
        """The same loss with a fixed mask."""
        return self.loss(batch, torch.Generator().manual_seed(0))


def build(encoders: Mapping[str, Encoder], streams: Sequence[str], task: Task, settings: Settings) -> Masked:
    return Masked(next(iter(encoders.values())), settings.mask)
