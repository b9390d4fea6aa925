"""The streams take turns (multimodal learning with alternating unimodal adaptation, MLA; Zhang et al. 2024, arXiv
2311.10707): step t trains stream t modulo S alone, through the head that all streams share. No stream can leave another
one unlearned, and none is taught what only several streams together tell.

So that a stream does not undo what the head has learned of the others, the gradient G [C, D] of the head's weights
becomes G P. P [D, D] begins as the identity and takes away the directions r, the mean vectors of earlier steps, by
recursive least squares: q = P r / (ridge + r . P r), P <- P - q (P r)'. With a large `ridge`, P stays the identity.
When the model answers, the streams are joined by the fusion `entropy`. A sample without the stream does not count.

Cost: a step reads and trains one encoder; within a budget there are about S times as many steps as in joint training.
Left out: the authors' code divides P by its norm at each step, and lets `ridge` shrink within each epoch; a batch of
theirs visits all streams in turn, one of ours a single one. Our optimiser divides each number of a gradient by its
usual size, which turns G P somewhat back towards the directions that were taken away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trivium.objectives.network.joint import Joint

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.models.network import Multimodal


class Alternating(Joint):
    """ridge: > 0."""

    steps: Tensor  # so far; a checkpoint keeps it
    projection: Tensor  # P

    def __init__(self, model: Multimodal, ridge: float) -> None:
        super().__init__(model)
        self.ridge = ridge
        self.turns = len(model.streams)  # steps after which everything has been trained
        width = model.head.weight.shape[1]
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("projection", torch.eye(width))
        self._mean = torch.zeros(width)  # r of the step that is under way

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        k = int(self.steps) % self.turns
        self.steps += 1
        s = self.model.streams[k]
        vectors = batch.inputs if batch.encoded else {s: self.model.readers[s](batch.inputs[s])}
        made = self.model.fusion.one(s, vectors[s])
        there = batch.present[:, k].to(made.dtype)
        self._mean = (made.detach() * there.unsqueeze(1)).sum(0).float() / there.sum().clamp(min=1)
        count = there if batch.weight is None else there * batch.weight
        each = self.task.losses(self.model.head(made), batch.y)
        return (each * count).sum() / count.sum().clamp(min=1 if batch.weight is None else 1e-12)

    @torch.no_grad()
    def after_backward(self) -> None:
        gradient = self.model.head.weight.grad
        if gradient is not None:
            gradient.copy_(gradient @ self.projection.to(gradient.dtype))
        self.projection.copy_(without(self.projection, self._mean, self.ridge))


def without(projection: Tensor, r: Tensor, ridge: float) -> Tensor:
    """[D, D], [D] -> [D, D]: `projection` that takes away `r` as well, the more the smaller `ridge` is."""
    along = projection @ r
    return projection - torch.outer(along, along) / (ridge + r @ along)


def build(model: Multimodal, component: Callable[[str], Encoder], ridge: float) -> Alternating:
    return Alternating(model, ridge)
