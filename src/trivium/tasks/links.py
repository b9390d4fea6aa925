"""How the scores of a linear probe meet targets: of classes, of numbers and of tags.

`N` train rows, `M` validation rows, `C` outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from trivium.tasks.base import Array

Judged = Callable[[np.ndarray, np.ndarray], float]


class Link(Protocol):
    """How a linear probe's scores meet targets: the convex loss that `training.logistic` minimises, in numpy.

    outputs: int64 [C'], the outputs of the task that are fitted; the others keep a score of `NEVER`.
    start: float64 [C'], scores that know no input.  curvature: float64 [C'], a bound of the loss's second derivative
    there.
    """

    outputs: np.ndarray
    start: np.ndarray
    curvature: np.ndarray

    def loss(self, scores: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        """The mean loss of scores [N, C'] of the train rows, which have a weight [N] or count the same, and its
        gradient [N, C']. May overwrite `scores`. See `mean`.
        """

    def usable(self, y: np.ndarray) -> np.ndarray:
        """bool [M]: the validation targets that scores [M, C'] can be judged by."""

    def judged(self, scores: np.ndarray, y: np.ndarray) -> float:
        """The calibrated NLL of scores [M, C'] of usable targets, nats."""


def mean(each: np.ndarray, slopes: np.ndarray, weight: np.ndarray | None) -> tuple[float, np.ndarray]:
    """Losses [N] and their gradients [N, C'] to a mean loss and its gradient, in place."""
    if weight is None:
        slopes /= len(slopes)
        return float(each.mean()), slopes
    share = weight / weight.sum()
    slopes *= share[:, None]
    return float(each @ share), slopes


class Separate:
    """Links that fit every output by itself.

    goal: of train, [N, C].  judged: the calibrated NLL of scores [M, C] and their targets, nats
    """

    start: Array
    curvature: Array

    def __init__(self, goal: Array, judged: Judged) -> None:
        self.goal, self._judged, self.outputs = goal, judged, np.arange(goal.shape[1])

    def usable(self, y: np.ndarray) -> np.ndarray:
        return np.ones(len(y), bool)

    def judged(self, scores: np.ndarray, y: np.ndarray) -> float:
        return self._judged(scores, y)


class Squares(Separate):
    """Least squares: half the square of the difference, mean over the outputs."""

    def __init__(self, goal: Array, judged: Judged) -> None:
        super().__init__(goal, judged)
        self.start, self.curvature = goal.mean(0), np.full(goal.shape[1], 1 / goal.shape[1])

    def loss(self, scores: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        scores -= self.goal
        each = np.square(scores).mean(1) / 2
        scores /= len(self.outputs)
        return mean(each, scores, weight)


class Sigmoid(Separate):
    """Logistic regression of each output on 0 and 1, summed over the outputs.

    It starts at the shares of train, with half a row added to each side (Jeffreys), so that an output that no row has,
    or every one, has a finite start; where such a one ends, the tolerance of the descent decides.
    """

    def __init__(self, goal: Array, judged: Judged) -> None:
        super().__init__(goal, judged)
        share = (goal.sum(0) + 0.5) / (len(goal) + 1)
        self.start, self.curvature = np.log(share / (1 - share)), share * (1 - share)

    def loss(self, scores: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        small = np.exp(-np.abs(scores))
        each = (np.maximum(scores, 0) - scores * self.goal + np.log1p(small)).sum(1)
        slopes = np.where(scores >= 0, 1, small) / (1 + small)
        slopes -= self.goal
        return mean(each, slopes, weight)


class Softmax:
    """Multinomial logistic regression on the classes that train has."""

    def __init__(self, y: np.ndarray) -> None:
        self.outputs, self.goal = np.unique(y, return_inverse=True)
        share = np.bincount(self.goal) / len(y)
        self.start, self.curvature, self.rows = np.log(share), share * (1 - share), np.arange(len(y))

    def loss(self, scores: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        scores -= scores.max(1, keepdims=True)
        p = np.exp(scores)
        total = p.sum(1, keepdims=True)
        each = np.log(total[:, 0]) - scores[self.rows, self.goal]
        p /= total
        p[self.rows, self.goal] -= 1
        return mean(each, p, weight)

    def usable(self, y: np.ndarray) -> np.ndarray:
        """Those whose class train has."""
        return np.isin(y, self.outputs)

    def judged(self, scores: np.ndarray, y: np.ndarray) -> float:
        from trivium.tasks.temperature import calibrated_nll

        return calibrated_nll(scores, np.searchsorted(self.outputs, y))
