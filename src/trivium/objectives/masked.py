"""Masked modelling without labels: part of the input is hidden, and what was there is predicted.

Text: masked language modelling, cross-entropy over the vocabulary (Devlin et al. 2019). Images and spectrograms: masked
autoencoding, squared error on the hidden patches (in the simple form of Xie et al. 2022: the encoder sees all
positions). Tables: a number's squared error, the cross-entropy over a column's categories. Each prediction is made from
its token *and* the pooled vector, so that the vector, which fusion will read, has to carry what the sample is about.

On published weights this is domain-adaptive pretraining (Gururangan et al. 2020, arXiv 2004.10964): they go on learning
what they were made for, on the data at hand, at the recipe's `published_lr`. A large vocabulary is then decoded through
the encoder's own word vectors, at the hidden tokens alone.

Shapes: tokens [B, T, D] and vector [B, D] -> guesses [B, T, O].
Cost: one pass of the encoder and, per token, D x (D + O) multiplications.
Source: Devlin et al. 2019, arXiv 1810.04805; of pictures, He et al. 2022, arXiv 2111.06377.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import torch
from pydantic import Field
from torch import Tensor

from trivium.objectives.hiding import Hiding
from trivium.settings.base import Section

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.tasks import Task

LABELS, TOGETHER = False, False  # one stream at a time
NEEDS = frozenset({"tokens", "dense", "gradients"})  # of the encoder: see `training.needs`


class Settings(Section):
    mask: Annotated[float, Field(gt=0, lt=1)] = 0.5  # share of the input that is hidden


class Masked(Hiding):
    labels = LABELS

    @property
    def encoders(self) -> dict[str, Encoder]:
        return {self.encoder.spec.name: self.encoder}

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Mean over the hidden tokens."""
        x = batch.inputs[self.encoder.spec.name]
        hidden, tokens, vector = self.read(x, generator)
        return self.error(x, hidden, tokens, self.whole(vector))

    def score(self, batch: Batch) -> Tensor:
        """The same loss with a fixed mask."""
        return self.loss(batch, torch.Generator().manual_seed(0))


def build(encoders: Mapping[str, Encoder], streams: Sequence[str], task: Task, settings: Settings) -> Masked:
    return Masked(next(iter(encoders.values())), settings.mask, "masked")
