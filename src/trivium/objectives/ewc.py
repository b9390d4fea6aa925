"""Elastic weight consolidation: what the old data hold dear moves least. The loss of another objective, and

    lambda / 2 * sum over weights of F (w - w*)^2

w*: the weights before the update.  F: the diagonal of the Fisher information on old train rows. It is the empirical
one, the mean squared gradient of each row's own loss, so that it serves every task; where the old model is sure of its
train rows their gradients are small, and so is the protection. lambda = 0 gives the bytes of the other objective alone.
It costs a backward pass for each row that F is measured on; the penalty itself is a sum over the weights.
Source: Kirkpatrick et al. 2017, arXiv 1612.00796, equation 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from trivium.data.store import Batch

Weights = dict[str, Tensor]  # by the parameter's name in the objective


class EWC(nn.Module):
    """inner: the other objective, whose weights are w* now.  strength: lambda, >= 0.  fisher: F; of a weight that has
    grown since, of its first rows: the new ones are free.
    """

    def __init__(self, inner: nn.Module, strength: float, fisher: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.inner, self.strength, self.labels = inner, strength, inner.labels
        own = dict(inner.named_parameters())
        # In plain dicts: they are no part of what is trained, kept or saved.
        self.start = {name: own[name].detach().clone() for name in fisher}
        self.fisher = {name: _padded(one, own[name]) for name, one in fisher.items()}

    @property
    def task(self) -> Any:
        return self.inner.task

    @property
    def after_step(self) -> Any:
        """What the other objective does to its weights behind a step; None: nothing."""
        return getattr(self.inner, "after_step", None)

    def _apply(self, fn: Any, recurse: bool = True) -> EWC:
        """F and w* move to a device together with the weights."""
        self.start, self.fisher = ({name: fn(one) for name, one in kept.items()} for kept in (self.start, self.fisher))
        super()._apply(fn, recurse)
        return self

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        found: Tensor = self.inner.loss(batch, generator)  # type: ignore[operator]
        return found + self.penalty() if self.strength else found

    def penalty(self) -> Tensor:
        own = dict(self.inner.named_parameters())
        parts = [(one * (own[name] - self.start[name]).square()).sum() for name, one in self.fisher.items()]
        return self.strength / 2 * torch.stack(parts).sum()

    def outputs(self, batch: Batch) -> Tensor:
        return self.inner.outputs(batch)  # type: ignore[operator, no-any-return]

    def nll(self, outputs: Tensor, y: Tensor) -> float:
        return self.inner.nll(outputs, y)  # type: ignore[operator, no-any-return]


def fisher(objective: nn.Module, batches: Iterable[Batch]) -> Weights:
    """F of the weights that move. batches: of one row each."""
    objective.eval()
    own = {name: one for name, one in objective.named_parameters() if one.requires_grad}
    total, rows = {name: torch.zeros_like(one) for name, one in own.items()}, 0
    for batch in batches:
        loss = objective.loss(batch, torch.Generator().manual_seed(rows))  # type: ignore[operator]
        slopes = torch.autograd.grad(loss, list(own.values()), allow_unused=True)
        for name, slope in zip(own, slopes, strict=True):
            if slope is not None:
                total[name] += slope.square()
        rows += 1
    return {name: one / max(rows, 1) for name, one in total.items()}


def _padded(found: Tensor, like: Tensor) -> Tensor:
    """0 behind the rows of `found`, up to the shape of `like`."""
    whole = torch.zeros_like(like)
    whole[tuple(slice(size) for size in found.shape)] = found
    return whole
