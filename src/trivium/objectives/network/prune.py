"""Joint training in which the smallest weights of each matrix and kernel become 0, and stay 0.

While the share rises, it is s (1 - (1 - t)^3) behind the part t of the phase (Zhu & Gupta 2017, arXiv 1710.01878,
equation 1), in `TIMES` steps; else it is s from the first step on. What goes is what is smallest in its own tensor (Han
et al. 2015, arXiv 1506.02626). A weight that is exactly 0 never moves again: so zeros need no record beside the
weights, and a run that goes on after a kill finds them where they were.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trivium.objectives.network.joint import Joint

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.models.network import Multimodal

TIMES = 20  # steps of the schedule


class Prune(Joint):
    """sparsity: share of 0 in each tensor in the end, 0-1.  rising: from what is there to it, else at once."""

    def __init__(self, model: Multimodal, sparsity: float, rising: bool) -> None:
        super().__init__(model)
        self.sparsity, self.rising = sparsity, rising
        self._left: list[tuple[Tensor, Tensor]] = []  # weights that move, and which of their numbers are not 0

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        if not self._left:  # the phase begins, or goes on after a kill
            self._left = [(weight, weight.detach() != 0) for weight in prunable(self.model) if weight.requires_grad]
        return super().loss(batch, generator)

    @torch.no_grad()
    def after_step(self, done: float) -> None:
        """done: part of the phase, 0-1."""
        share = self.share(done)
        for weight, left in self._left:
            weight.masked_fill_(~left, 0.0)
            gone = round(share * weight.numel())
            if weight.numel() - int(left.count_nonzero()) < gone:
                smallest = weight.abs().flatten().argsort(stable=True)[:gone]
                weight.view(-1)[smallest] = 0.0
                left.copy_(weight != 0)

    def share(self, done: float) -> float:
        """Of 0 in each tensor, behind the part `done` of the phase."""
        if not self.rising:
            return self.sparsity
        return self.sparsity * (1 - (1 - math.floor(done * TIMES + 1e-9) / TIMES) ** 3)


def prunable(model: Multimodal) -> list[nn.Parameter]:
    """The matrices and kernels of encoders and fusion."""
    return [weight for part in (model.encoders, model.fusion) for name, weight in part.named_parameters()
            if weight.dim() > 1 and "weight" in name.rpartition(".")[2]]


def build(model: Multimodal, component: Callable[[str], Encoder], sparsity: float, rising: bool) -> Prune:
    return Prune(model, sparsity, rising)
