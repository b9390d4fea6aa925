"""Unimodal teachers (UMT; Du et al. 2023, arXiv 2305.01233): the task's loss + alpha * sum over streams of
MSE(vector, teacher's).

The teachers are the components of a recipe, frozen; the students, of the same architecture, start from random weights.
The mean is over the samples that have the stream. alpha = 0 is plain joint training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from trivium.encoders.base import vector
from trivium.objectives.network.joint import Joint

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.models.network import Multimodal


class Distil(Joint):
    """alpha: weight of the teachers, >= 0."""

    def __init__(self, model: Multimodal, teachers: Mapping[str, Encoder], alpha: float) -> None:
        super().__init__(model)
        self.alpha = alpha
        # In a plain dict: they are no part of what is trained, kept or saved.
        self.teachers = {s: teacher.eval().requires_grad_(False) for s, teacher in teachers.items()}

    def _apply(self, fn: Any, recurse: bool = True) -> Distil:
        """Teachers move to a device together with the model."""
        for teacher in self.teachers.values():
            teacher._apply(fn, recurse)
        super()._apply(fn, recurse)
        return self

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        vectors = self.model.read(batch)
        total = self.task.loss(self.model.outputs(vectors, batch.present), batch.y, batch.weight)
        if not self.alpha:
            return total
        for s, teacher in self.teachers.items():
            with torch.no_grad():
                goal = teacher(batch.inputs[s])
            apart = (vector(vectors[s]) - goal).square().mean(1)
            there = batch.present[:, self.model.streams.index(s)].to(apart.dtype)
            total = total + self.alpha * (apart * there).sum() / there.sum().clamp(min=1)
        return total


def build(model: Multimodal, component: Callable[[str], Encoder], alpha: float) -> Distil:
    device = next(model.parameters()).device
    return Distil(model, {s: component(s).to(device) for s in model.streams}, alpha)
