"""Distillation of what a whole model answers (Hinton et al. 2015, arXiv 1503.02531): alpha times the task's loss on the
labels + (1 - alpha) times how far outputs are from the teacher's answers at a temperature (see `Task.distilled`).

The teacher sees what the student sees, augmented as it is (Beyer et al. 2022, arXiv 2106.05237). alpha = 1 is plain
joint training, without a teacher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from trivium.objectives.network.joint import Joint

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.models.network import Model, Multimodal
    from trivium.objectives.network import Left


class Compress(Joint):
    """alpha: share of the labels, 0-1.  temperature: above 0."""

    def __init__(self, model: Multimodal, teacher: Model, alpha: float, temperature: float) -> None:
        super().__init__(model)
        self.alpha, self.temperature = alpha, temperature
        self.teachers = {"ensemble": teacher.eval().requires_grad_(False)}  # in a dict: no part of what is trained

    def _apply(self, fn: Any, recurse: bool = True) -> Compress:
        """The teacher moves to a device together with the model."""
        for teacher in self.teachers.values():
            teacher._apply(fn, recurse)
        super()._apply(fn, recurse)
        return self

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        outputs = self.outputs(batch)
        hard = self.task.loss(outputs, batch.y, batch.weight)
        if self.alpha == 1:
            return hard
        with torch.no_grad():
            goal = self.teachers["ensemble"](batch.inputs, batch.present)
        each = self.task.distilled(outputs, goal, self.temperature)
        weight = torch.ones_like(each) if batch.weight is None else batch.weight
        soft = (each * weight).sum() / weight.sum().clamp(min=1e-12)
        return self.alpha * hard + (1 - self.alpha) * soft


def build(model: Multimodal, component: Left, teacher: str, alpha: float, temperature: float) -> Compress:
    device = next(model.parameters()).device
    return Compress(model, component.ensemble(teacher).to(device), alpha, temperature)
