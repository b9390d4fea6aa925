"""Joint training plus a loss on each stream alone: L + sum over streams of weight * L_s, where L is the task's loss,
each with a linear head of its own on the stream's vector, over the samples that have the stream. It keeps encoders
learning that a quicker stream would make superfluous (Kontras et al. 2024, arXiv 2411.07335, "multi-loss"). Weights of
0 are plain joint training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trivium.encoders.base import vector
from trivium.objectives.network.joint import Joint

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.models.network import Multimodal


class UnimodalLosses(Joint):
    """weights: per stream, >= 0."""

    def __init__(self, model: Multimodal, weights: Mapping[str, float]) -> None:
        super().__init__(model)
        self.weights = {s: weight for s, weight in weights.items() if weight > 0}
        self.heads = nn.ModuleDict({s: nn.Linear(model.readers[s].width, self.task.outputs) for s in self.weights})

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        vectors = self.model.read(batch)
        joint = self.task.loss(self.model.outputs(vectors, batch.present), batch.y, batch.weight)
        return self.beside(joint, vectors, batch)

    def beside(self, total: Tensor, vectors: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """`total` plus the streams' own losses."""
        for s, weight in self.weights.items():
            there = batch.present[:, self.model.streams.index(s)].float()
            if batch.weight is not None:
                there = there * batch.weight
            total = total + weight * self.task.loss(self.heads[s](vector(vectors[s])), batch.y, there)
        return total


def build(model: Multimodal, component: Callable[[str], Encoder], weight: float | Mapping[str, float],
          ) -> UnimodalLosses:
    """weight: of each stream's own loss, a number for all or one per stream."""
    weights = {s: float(weight.get(s, 0.0) if isinstance(weight, Mapping) else weight) for s in model.streams}
    return UnimodalLosses(model, weights)
