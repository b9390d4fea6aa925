"""Masked modelling without labels: part of the input is hidden, and what was there is predicted.

Text: masked language modelling, cross-entropy over the vocabulary (Devlin et al. 2019). Images and spectrograms: masked
autoencoding, squared error on the hidden patches (He et al. 2022, in the simple form of Xie et al. 2022: the encoder
sees all positions). Each prediction is made from its token *and* the pooled vector, so that the vector, which fusion
will read, has to carry what the sample is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

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


class Masked(nn.Module):
    """Raises: UserError (an encoder of the hub whose tokens are not those of `patches`)."""

    labels = LABELS

    def __init__(self, encoder: Encoder, share: float) -> None:
        super().__init__()
        self.encoder, self.share = encoder, share
        spec = encoder.spec
        self.text = spec.kind == "tokens"
        probe = torch.zeros(1, *spec.shape, dtype=torch.int64 if self.text else torch.float32)
        patches = None if self.text else encoder.patches(probe)
        self.count = spec.shape[0] if patches is None else patches.shape[1]
        out = spec.vocab if patches is None else patches.shape[2]
        width = encoder.width
        self.whole = nn.Linear(width, width)
        self.decode = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, out))
        with torch.no_grad():
            tokens = encoder.tokens(probe).shape[1]
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
        if self.text:
            hidden &= (x != PAD) & (x != MASK)  # what augmentation has masked already, nobody can tell
        seen = self.encoder.hide(x, hidden)
        tokens = self.encoder.tokens(seen)
        vector = self.encoder.pool(tokens, seen)
        guess = self.decode(tokens + self.whole(vector).unsqueeze(1))  # [B, T, vocab or P]
        weight = hidden.float()  # not bf16: it could not count beyond 256
        if self.text:
            error = nn.functional.cross_entropy(guess.transpose(1, 2), x, reduction="none")
        else:
            error = (guess - self.encoder.patches(x)).square().mean(-1)
        return (error * weight).sum() / weight.sum().clamp(min=1)

    def score(self, batch: Batch) -> Tensor:
        """The same loss with a fixed mask."""
        return self.loss(batch, torch.Generator().manual_seed(0))


def build(encoders: Mapping[str, Encoder], streams: Sequence[str], task: Task, settings: Settings) -> Masked:
    return Masked(next(iter(encoders.values())), settings.mask)
