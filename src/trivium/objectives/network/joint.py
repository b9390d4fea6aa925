"""The task's loss of the whole network: encoders, fusion and head, in whatever part may move."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.models.network import Multimodal


class Joint(nn.Module):
    labels = True

    def __init__(self, model: Multimodal) -> None:
        super().__init__()
        self.model, self.task = model, model.task

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        return self.task.loss(self.outputs(batch), batch.y, batch.weight)

    def outputs(self, batch: Batch) -> Tensor:
        return self.model.outputs(self.model.read(batch), batch.present)

    def nll(self, outputs: Tensor, y: Tensor) -> float:
        """Of the calibrated answer, since the model is calibrated once it is trained. Without, weights that are right
        and too sure of it would lose to worse ones, even to untrained ones.
        """
        return self.task.calibrated_nll(outputs, y)


def build(model: Multimodal, component: Callable[[str], Encoder]) -> Joint:
    return Joint(model)
