"""Decoupled gradients (DGL; arXiv 2507.10213): each encoder learns from the loss of its own linear head alone, fusion
and head from the joint loss on vectors whose gradient goes no further. So no stream can leave another one unlearned.
But no encoder is taught what only several streams together tell. It costs what joint training does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trivium.objectives.network.unimodal_losses import UnimodalLosses

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.models.network import Multimodal


class Decoupled(UnimodalLosses):
    def __init__(self, model: Multimodal) -> None:
        super().__init__(model, dict.fromkeys(model.streams, 1.0))

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        vectors = self.model.read(batch)
        apart = {s: vector.detach() for s, vector in vectors.items()}
        joint = self.task.loss(self.model.outputs(apart, batch.present), batch.y, batch.weight)
        return self.beside(joint, vectors, batch)


def build(model: Multimodal, component: Callable[[str], Encoder]) -> Decoupled:
    return Decoupled(model)
