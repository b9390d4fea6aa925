"""Joint training in which each stream of a sample is hidden with probability p (ModDrop; Neverova et al. 2016, arXiv
1501.00102). The model then answers from the streams that are left, so that one strong stream cannot do the work of
all, and that missing streams are nothing new to it.
What stands in for a hidden stream is what the fusion has for a missing one, such as the learned vectors of `concat`, or
those that every fusion has with `stand_in: true`. A sample that would lose all of its streams keeps them. p = 0
is plain joint training. It costs what that does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trivium.objectives import draws
from trivium.objectives.network.joint import Joint

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.models.network import Multimodal


class ModalityDropout(Joint):
    """p: 0-1."""

    def __init__(self, model: Multimodal, p: float) -> None:
        super().__init__(model)
        self.p = p

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        present = hidden(batch.present, self.p, generator) if self.p else batch.present
        return self.task.loss(self.model.outputs(self.model.read(batch), present), batch.y, batch.weight)


def hidden(present: Tensor, p: float, generator: torch.Generator) -> Tensor:
    """bool [B, S] -> bool [B, S]: what is left."""
    left = present & (draws.rand(present.shape, generator) >= p).to(present.device)
    return torch.where(left.any(1, keepdim=True), left, present)


def build(model: Multimodal, component: Callable[[str], Encoder], p: float) -> ModalityDropout:
    return ModalityDropout(model, p)
