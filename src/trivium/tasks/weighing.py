"""A weighted mean of what several models say, calibrated, and how its weights are chosen.

Legend: `P` models, `N` samples, `A` numbers of an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from trivium.tasks import Task

ROUNDS = 20  # of the greedy choice: weights are whole numbers of so many parts at most


def mean(weights: Tensor, calibration: Tensor, answers: Tensor, seen: Tensor, task: Task) -> Tensor:
    """[N, A]: the mean of what those that count say (of probabilities, not of their logarithms); then calibrated. A
    sample of which no model with a weight sees anything gets what knows nothing says.

    weights: [P], 0 or more;  answers: [P, N, A];  seen: bool [P, N], whose answer counts
    """
    import torch

    counts = seen * weights.unsqueeze(-1)
    some = counts.any(0)
    mixed = task.mixed(answers, torch.where(some, counts, 1.0))  # of all, where none counts: gradients stay finite
    nothing = task.pooled(answers[:1], torch.zeros_like(seen[:1])).to(mixed)
    return torch.where(some.unsqueeze(-1), task.recalibrated(mixed, calibration), nothing)


def calibration(weights: Tensor, answers: Tensor, seen: Tensor, y: Tensor, task: Task) -> Tensor:
    """Of the mean with `weights`, from samples with the targets `y` of which any model that counts sees something."""
    counts = seen * weights.to(answers.device).unsqueeze(-1)
    some = counts.any(0)
    if not some.any():
        return task.uncalibrated()
    return task.recalibration(task.mixed(answers, counts)[some], y[some])


def greedy(answers: Tensor, seen: Tensor, y: Tensor, task: Task, rounds: int = ROUNDS) -> Tensor:
    """How much of each model is in the mean: [P], summing to 1. Ensemble selection (Caruana et al. 2004): from nothing
    on, the model is added, once more where it is in already, with which the mean has the lowest validation NLL; the
    round that reached the lowest one is kept. Of equals the first. Each mean is calibrated before it is judged, since
    what is kept will be: as they are, means are too unsure, and the best single model would win for that alone.
    """
    import torch

    count, best, kept = torch.zeros(len(answers)), np.inf, torch.zeros(len(answers))
    for _ in range(rounds):
        tried = []
        for k in range(len(answers)):
            weights = count.clone()
            weights[k] += 1
            own = weights.float().to(answers.device)
            heat = calibration(weights, answers, seen, y, task).float().to(answers.device)
            tried.append(-task.log_likelihood(mean(own, heat, answers, seen, task), y).mean().item())
        chosen = int(np.argmin(tried))
        count[chosen] += 1
        if tried[chosen] < best:
            best, kept = tried[chosen], count.clone()
    return kept / kept.sum()
