"""The target, predicted from one stream alone. The head is kept: it makes the unimodal model and the ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trivium.models.network import Unimodal
from trivium.settings.base import Section

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.tasks import Task


LABELS, TOGETHER = True, False  # one stream at a time
NEEDS = frozenset({"dense"})  # of every encoder; without gradients the head alone learns


class Settings(Section):
    pass


class Supervised(nn.Module):
    labels = LABELS

    def __init__(self, encoder: Encoder, task: Task) -> None:
        super().__init__()
        self.model, self.task = Unimodal(encoder, task.outputs), task

    @property
    def encoder(self) -> Encoder:
        return self.model.encoder

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        return self.task.loss(self.outputs(batch), batch.y, batch.weight)

    def outputs(self, batch: Batch) -> Tensor:
        return self.model.head(self.model.read(batch)[self.encoder.spec.name])

    def nll(self, outputs: Tensor, y: Tensor) -> float:
        """As it is, not calibrated: it rises once training samples are known by heart. From there on the encoder gives
        what is built on it other vectors for training samples than for new ones, which no temperature mends.
        """
        return self.task.nll(outputs, y)


def build(encoders: Mapping[str, Encoder], streams: Sequence[str], task: Task, settings: Settings) -> Supervised:
    return Supervised(next(iter(encoders.values())), task)
