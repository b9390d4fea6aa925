"""Cross-entropy of the whole network: encoders, fusion and head, in whatever part may move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trivium.models.calibration import calibrated_nll

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.models.network import Multimodal


class Joint(nn.Module):
    labels = True

    def __init__(self, model: Multimodal) -> None:
        super().__init__()
        self.model = model

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        return nn.functional.cross_entropy(self.logits(batch), batch.y)

    def logits(self, batch: Batch) -> Tensor:
        return self.model.logits(self.model.read(batch), batch.present)

    def nll(self, logits: Tensor, y: Tensor) -> float:
        """Of the calibrated answer, since the model is calibrated once it is trained. Without, weights that are right
        and too sure of it would lose to worse ones, even to untrained ones.
        """
        return calibrated_nll(logits, y)
