"""A denoising autoencoder: the encoder reads a corrupted input, and the clean one is made again from its pooled vector.

Of a text or a table, a share of the tokens or cells is hidden; to all else, noise is added. Everything is predicted,
what was left alone as well, and from nothing but the vector, which has to carry the whole input.

Shapes: the corrupted input -> vector [B, D] -> guesses [B, T, O], O numbers at each of T places.
Cost: one pass of the encoder and, per place, D x (D + O) multiplications.
Source: Vincent et al. 2008, https://doi.org/10.1145/1390156.1390294.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import torch
from pydantic import Field
from torch import Tensor

from trivium.objectives import draws
from trivium.objectives.autoencoder import Autoencoder
from trivium.settings.base import Section

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.tasks import Task

LABELS, TOGETHER = False, False  # one stream at a time
NEEDS = frozenset({"dense", "gradients"})  # of the encoder: see `training.needs`


class Settings(Section):
    hide: Annotated[float, Field(ge=0, lt=1)] = 0.3  # share of the tokens of a text, or of the cells of a table
    noise: Annotated[float, Field(ge=0)] = 0.5  # deviation, where that of the input is 1; of pictures and sounds


class Denoising(Autoencoder):
    def __init__(self, encoder: Encoder, settings: Settings) -> None:
        super().__init__(encoder)
        self.settings = settings

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Mean over all places that are known."""
        x = self.input(batch)
        errors, known = self.errors(self.encoder(self.corrupted(x, generator)), x, generator)
        return errors.sum() / known.sum().clamp(min=1)

    def corrupted(self, x: Tensor, generator: torch.Generator) -> Tensor:
        if self.encoder.spec.discrete:
            hidden = draws.rand((len(x), self.count), generator) < self.settings.hide
            return self.encoder.hide(x, self.goal.known(x, hidden.to(x.device, non_blocking=True)))
        return x + self.settings.noise * draws.randn(x.shape, generator).to(x.device, non_blocking=True)


def build(encoders: Mapping[str, Encoder], streams: Sequence[str], task: Task, settings: Settings) -> Denoising:
    return Denoising(next(iter(encoders.values())), settings)
