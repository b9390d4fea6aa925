"""Ways to make one answer of those of several trained models, fitted on validation: greedy weights, or a linear model.

The models stopped where validation liked them best, and were calibrated there. So that it is not used up twice, little
is fitted here, and what a linear model is said to reach on validation is what it says of rows that it was not fitted
on.

Legend: `P` models, `N` validation rows, `A` numbers of an answer, `C` outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from trivium.models.pools import Mean, Stack
from trivium.tasks import weighing
from trivium.training.logistic import PATIENCE, STRENGTHS, fit_blocks

if TYPE_CHECKING:
    from trivium.tasks import Task

FOLDS = 5
PENALTIES = (1.0, 0.3, 0.1, *STRENGTHS[:6])  # strong to weak


@dataclass(frozen=True)
class Pooled:
    """pool: None for the product.  answers: [N, A], what counts as the answers to validation.  flops: of the fit."""

    pool: nn.Module | None
    answers: Tensor
    flops: float = 0.0


def fit(way: str, answers: Tensor, seen: Tensor, y: Tensor, nothing: np.ndarray, task: Task) -> Pooled:
    """way: product, mean, selection or stacking.  answers: [P, N, A];  seen: bool [P, N], whose answer counts;  y:
    targets [N, *T];  nothing: see `Task.nothing`, of train.
    """
    if way == "product":
        return Pooled(None, task.pooled(answers, seen))
    if way == "stacking":
        return stacking(answers, seen, y, nothing, task)
    weights = weighing.greedy(answers, seen, y, task) if way == "selection" else torch.ones(len(answers))
    pool = Mean.fitted(weights, answers, seen, y, task)
    return Pooled(pool, pool(answers, seen, task))


def stacking(answers: Tensor, seen: Tensor, y: Tensor, nothing: np.ndarray, task: Task) -> Pooled:
    """A regularised linear model on what the models say (Wolpert 1992; for classes Ting & Witten 1999): logistic of
    classes and tags, ridge regression of numbers. A model that a row has not is 0 of what all rows say on average.

    It is fitted on validation, since on train the models know the answers. Its strength is chosen, and it is
    calibrated, by what it says of each fifth of the rows when fitted on the others; that is what it is said to answer
    on validation. A class that the rows lack is taken to be like the average of the others.
    """
    found = [one.double().cpu().numpy() for one in answers]
    there, targets = seen.cpu().numpy(), y.cpu().numpy()
    rows = np.flatnonzero(there.any(0) & task.judgeable(nothing, targets))
    parts, here, own = [one[rows] for one in found], [one[rows] for one in there], targets[rows]
    fold = np.empty(len(rows), np.int64)
    fold[np.argsort(task.strata(own), kind="stable")] = np.arange(len(rows)) % FOLDS
    empty, truth = torch.from_numpy(nothing), torch.from_numpy(own)
    best, outputs, strength, waited, spent = np.inf, torch.zeros(0), PENALTIES[0], 0, 0.0
    for penalty in PENALTIES:
        held = torch.zeros(len(rows), task.outputs)
        for part in np.unique(fold):
            out = fold == part
            one = _linear([x[~out] for x in parts], [p[~out] for p in here], own[~out], penalty, task)
            scores = np.stack([x[out] @ w.T + b for x, w, b in zip(parts, one.weight, one.bias, strict=True)], 1)
            counts = torch.from_numpy(np.stack([p[out] for p in here], 1))
            held[out] = task.total(torch.from_numpy(scores).float(), counts, "concatenation",
                                   torch.from_numpy(one.intercept), empty).float()
            spent += one.flops
        nll = task.calibrated_nll(held, truth)
        waited += 1
        if nll < best:
            best, outputs, strength, waited = nll, held, penalty, 0
        if waited == PATIENCE:
            break
    one = _linear(parts, here, own, strength, task)
    calibration = task.calibration(outputs, truth)
    pool = Stack(torch.from_numpy(one.weight), torch.from_numpy(one.bias), torch.from_numpy(one.intercept), empty,
                 calibration).to(answers.device)
    told = pool(answers, seen, task)
    told[torch.from_numpy(rows).to(told.device)] = task.answer(outputs, calibration).to(told)
    return Pooled(pool, told, spent + one.flops)


@dataclass(frozen=True)
class _Linear:
    """weight: float32 [P, C, A].  bias: float32 [P, C].  intercept: float32 [C]."""

    weight: np.ndarray
    bias: np.ndarray
    intercept: np.ndarray
    flops: float


def _linear(parts: Sequence[np.ndarray], here: Sequence[np.ndarray], y: np.ndarray, strength: float, task: Task,
            ) -> _Linear:
    """parts: [N, A] per model;  here: bool [N] per model."""
    x = [part if p.any() else np.zeros_like(part) for part, p in zip(parts, here, strict=True)]
    rows = [p if p.any() else ~p for p in here]  # a model that no row has adds nothing
    fit = fit_blocks(x, rows, y, x, rows, y, task, [(strength,) * len(x)])
    weight, bias, intercept = np.stack(fit.weights), np.stack(fit.biases), fit.intercept.copy()
    fitted = task.link(y).outputs
    if lacking := sorted(set(range(task.outputs)) - set(fitted.tolist())):
        others = weight[:, fitted]
        own = others[:, np.arange(len(fitted)), fitted].mean(1)  # what a model's word for a class counts for it
        rest = (others.sum((1, 2)) - own * len(fitted)) / max(1, len(fitted) * (weight.shape[2] - 1))
        weight[:, lacking] = rest[:, None, None]
        weight[:, lacking, lacking] = own[:, None]
        bias[:, lacking] = bias[:, fitted].mean(1, keepdims=True)
        intercept[lacking] = intercept[fitted].mean()
    return _Linear(weight, bias, intercept, fit.flops)
