"""Links of linear probes (`base.Link`) that fit every output by itself: numbers and tags.

`N` train rows, `M` validation rows, `C` outputs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trivium.tasks.base import Array, mean

Judged = Callable[[np.ndarray, np.ndarray], float]


class Separate:
    """goal: of train, [N, C].  judged: the calibrated NLL of scores [M, C] and their targets, nats."""

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
