"""Pareto steps for the encoders (MMPareto; Wei and Hu 2024, arXiv 2405.17730).

Each stream has a linear head and a loss of its own beside the joint one, as in `unimodal_losses`. Its encoder gets two
gradients, g of the joint loss and u of its own, which are joined to h = 2 a g + 2 (1 - a) u:

    a = 1/2, their sum, where they agree (g . u >= 0);
    else a of the shortest h: a = u . (u - g) / |g - u|^2, a direction that lowers both losses.

The shortest one is short, so h is scaled up to the length of the plain sum g + u where that is longer, and multiplied
by gamma in the end. As the paper says, length helps to generalise; the optimiser here divides each gradient by its
usual size, so that little of it is left. Lengths are of an encoder's whole gradient.
Two gradients take two backward passes through the encoders and one forward pass: about 5/3 of joint training.
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


class Pareto(UnimodalLosses):
    """gamma: > 0."""

    backwards = 2

    def __init__(self, model: Multimodal, gamma: float) -> None:
        super().__init__(model, dict.fromkeys(model.streams, 1.0))
        self.gamma = gamma
        self._made = list[tuple[str, Tensor, Tensor, Tensor]]()  # vectors, and copies for the joint and the own loss

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        vectors = self.model.read(batch)
        joint, own = ({s: one.detach().requires_grad_(one.requires_grad) for s, one in vectors.items()}
                      for _ in range(2))
        self._made = [(s, one, joint[s], own[s]) for s, one in vectors.items() if one.requires_grad]
        return self.beside(self.task.loss(self.model.outputs(joint, batch.present), batch.y, batch.weight), own, batch)

    def after_backward(self) -> None:
        """What reached the copies goes on through the encoders, apart, and is joined."""
        for s, vector, *copies in self._made:
            weights = [one for one in self.model.readers[s].parameters() if one.requires_grad]
            reached = [torch.zeros_like(one) if one.grad is None else one.grad for one in copies]
            found = [torch.autograd.grad(vector, weights, one, retain_graph=k == 0, allow_unused=True)
                     for k, one in enumerate(reached)]
            moved = [(weight, g, u) for weight, g, u in zip(weights, *found, strict=True)
                     if g is not None and u is not None]
            g, u = (torch.cat([one[k].flatten() for one in moved]) for k in (1, 2))
            whole, place = joined(g, u) * self.gamma, 0
            for weight, *_ in moved:
                weight.grad = whole[place: place + weight.numel()].view_as(weight)
                place += weight.numel()
        self._made = []


def joined(g: Tensor, u: Tensor) -> Tensor:
    """[P], [P] -> [P], before it is multiplied by gamma."""
    plain, agree = g + u, g @ u >= 0
    apart = (g - u).square().sum().clamp(min=torch.finfo(g.dtype).tiny)
    a = (u @ (u - g)) / apart
    shortest = 2 * a * g + 2 * (1 - a) * u
    longer = plain.norm() / shortest.norm().clamp(min=torch.finfo(g.dtype).tiny)
    return torch.where(agree, plain, shortest * longer.clamp(min=1))


def build(model: Multimodal, component: Callable[[str], Encoder], gamma: float) -> Pareto:
    return Pareto(model, gamma)
