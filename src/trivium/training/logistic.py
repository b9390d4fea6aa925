"""A regularised linear model on dense and sparse columns side by side, its strength chosen on validation: logistic
regression of classes or tags, ridge regression of numbers, as the task's link says.

    minimise  mean loss + sum over blocks of strength / 2 * |weight|^2

as scikit-learn's LogisticRegression does at C = 1 / (N strength). Every block of columns is scaled so that the mean
square length of its rows is 1: one grid of strengths suits all. L-BFGS (Nocedal & Wright 2006, algorithm 7.4) from
strong to weak, each from the one before. Not scikit-learn's: on 3,000 texts and 22 classes its steps take six times as
long, there are twice as many without the diagonal, and its tolerance ends a warm start at once.

Legend: `N` train rows, `D` columns, `K` columns after reduction, `C` outputs, of which C' are fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from trivium.tasks.base import Task
    from trivium.tasks.links import Link

    Matrix: TypeAlias = np.ndarray | csr_array

STRENGTHS = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6)  # strong to weak
PATIENCE = 2  # strengths without a better validation NLL, after which weaker ones are not tried
TOLERANCE = 1e-5  # nats: a step that gains less is the last
MOST = 300  # evaluations per strength
MEMORY = 5  # steps that L-BFGS remembers


@dataclass(frozen=True)
class Fit:
    """One answer: the sum over blocks of x @ weight.T + bias, and the intercept; columns as they came.

    weights: float32 [C, D] per block.  biases: float32 [C] per block, for its mean.  intercept: float32 [C], `NEVER`
    for an output that is not fitted.  strengths: per block.  iterations: passes over train, over all strengths tried.
    nll: on the validation rows that the link can judge, calibrated, in nats.
    """

    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    intercept: np.ndarray
    strengths: tuple[float, ...]
    iterations: int
    flops: float
    nll: float


class Dense:
    """Columns [N, D] standardised by the rows that train has of them; a column that does not vary counts nothing."""

    def __init__(self, x: np.ndarray, present: np.ndarray) -> None:
        own = x[present].astype(np.float64)
        self.mean, deviation = own.mean(0), own.std(0)
        varies = deviation > 1e-5 * np.abs(self.mean)  # less is lost in the rounding of 32 bits
        length = np.sqrt(max(1, varies.sum()))
        self.scale = np.where(varies, 1 / np.where(varies, deviation, 1) / length, 0.0)

    def apply(self, x: np.ndarray, present: np.ndarray) -> np.ndarray:
        """float64 [N, K = D]; rows that are not present are 0."""
        return np.where(present[:, None], (x - self.mean) * self.scale, 0.0)

    def unfold(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[K, C] -> [C, D] on columns as they came, and [C] to add."""
        raw = (weight * self.scale[:, None]).T
        return raw, -raw @ self.mean


class Sparse:
    """Columns [N, D], those of one row merged: only their length matters to it (the penalty is on the sum of squares),
    which leaves half of the n-grams of short texts and changes nothing.
    """

    def __init__(self, x: csr_array, present: np.ndarray) -> None:
        from scipy.sparse import csr_array, diags_array, hstack

        own = csr_array(x[np.flatnonzero(present)], dtype=np.float64)
        rows = np.bincount(own.indices, own.data != 0, own.shape[1])
        shared, single = np.flatnonzero(rows > 1), np.flatnonzero(rows == 1)
        every = diags_array(np.ones(own.shape[1])).tocsc()
        once = own[:, single]
        once = once[np.flatnonzero(np.diff(once.indptr))]
        unit = diags_array(1 / np.sqrt(once.power(2).sum(1))) @ once
        length = np.sqrt(own.power(2).sum() / own.shape[0])
        basis = hstack([every[:, shared], every[:, single] @ unit.T], format="csr")  # [D, K], its columns orthonormal
        self.basis = csr_array(basis / length if length > 0 else basis)

    def apply(self, x: csr_array, present: np.ndarray) -> csr_array:
        """float64 [N, K]; rows that are not present are empty."""
        from scipy.sparse import diags_array

        return (diags_array(present.astype(np.float64)) @ x @ self.basis).tocsr()

    def unfold(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[K, C] -> [C, D], and zeros [C]."""
        return (self.basis @ weight).T, np.zeros(weight.shape[1])


def flops(nonzeros: int, outputs: int, iterations: int) -> float:
    """2 per weight, value and pass: forward, backward to the weights and, as if a network were below, to the inputs."""
    return 6.0 * nonzeros * outputs * iterations


def nonzeros(x: Matrix, present: np.ndarray) -> int:
    """Numbers that a pass over the present rows of `x` multiplies; all of them where it is dense."""
    if isinstance(x, np.ndarray):
        return int(present.sum()) * x.shape[1]
    return int(np.diff(x.indptr)[present].sum())


def fit_blocks(
    train: Sequence[Matrix], present: Sequence[np.ndarray], y: np.ndarray,
    val: Sequence[Matrix], val_present: Sequence[np.ndarray], y_val: np.ndarray,
    task: Task, strengths: Sequence[tuple[float, ...]], weight: np.ndarray | None = None,
) -> Fit:
    """train, val: one matrix [N, D] per block; present: bool [N] per block; y, y_val: targets [N, *T] of `task`;
    strengths: what to try, from strong to weak, one number per block; weight: of each train row [N].

    Raises: ValueError (no train row, no validation row that can be judged, or numbers that are not finite).
    """
    from threadpoolctl import threadpool_limits

    from trivium.tasks.probabilities import NEVER

    link = task.link(y) if len(y) else None
    usable = link.usable(y_val) if link else np.zeros(0, bool)
    if link is None or not usable.any():
        raise ValueError("a probe needs train rows, and validation rows of their classes")
    truth = y_val[usable]
    with threadpool_limits(1):  # sums do not depend on the machine, nor on who else is at work
        kinds = [Dense(x, here) if isinstance(x, np.ndarray) else Sparse(x, here)
                 for x, here in zip(train, present, strict=True)]
        fitted = [kind.apply(x, here) for kind, x, here in zip(kinds, train, present, strict=True)]
        judged = [kind.apply(x, here)[usable] for kind, x, here in zip(kinds, val, val_present, strict=True)]
        if not all(np.isfinite(part if isinstance(part, np.ndarray) else part.data).all() for part in fitted + judged):
            raise ValueError("the vectors hold numbers that are not finite")
        z, steps, best, waited = _start(fitted, link), 0, (np.inf, strengths[0], np.zeros(0)), 0
        for strength in strengths:
            z, passes = _minimise(fitted, link, strength, z, weight)
            steps += passes
            nll = link.judged(_scores(judged, z), truth)
            waited += 1
            if nll < best[0]:
                best, waited = (nll, strength, z), 0
            if waited == PATIENCE:
                break
        raw = [kind.unfold(part) for kind, part in zip(kinds, _split(fitted, best[2]), strict=True)]
    intercept = np.full(task.outputs, NEVER)
    intercept[link.outputs] = best[2][-1]
    total = sum(nonzeros(x, here) for x, here in zip(train, present, strict=True))
    return Fit(tuple(_spread(part, link, task.outputs) for part, _ in raw),
               tuple(_spread(bias, link, task.outputs) for _, bias in raw), intercept.astype(np.float32),
               strengths=best[1], iterations=steps, flops=flops(total, task.outputs, steps), nll=best[0])


def _spread(part: np.ndarray, link: Link, outputs: int) -> np.ndarray:
    """float32 [C, ...] with 0 for outputs that are not fitted."""
    spread = np.zeros((outputs, *part.shape[1:]), np.float32)
    spread[link.outputs] = part
    return spread


def _start(x: Sequence[Any], link: Link) -> np.ndarray:
    """float64 [K + 1, C']: no weights, and what knows no input behind them."""
    z = np.zeros((sum(part.shape[1] for part in x) + 1, len(link.outputs)))
    z[-1] = link.start
    return z


def _split(x: Sequence[Any], z: np.ndarray) -> list[np.ndarray]:
    """The weights of each block."""
    return np.split(z[:-1], np.cumsum([part.shape[1] for part in x])[:-1])


def _scores(x: Sequence[Any], z: np.ndarray) -> np.ndarray:
    """Logits [N, C]."""
    total: np.ndarray = sum(part @ weight for part, weight in zip(x, _split(x, z), strict=True))
    return total + z[-1]


def _minimise(
    x: Sequence[Any], link: Link, strengths: Sequence[float], z: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, int]:
    """The best z [K + 1, C'] from `z` on, and passes."""
    turned = [part.T if isinstance(part, np.ndarray) else part.T.tocsr() for part in x]
    penalty = np.repeat([*strengths, 0.0], [*(part.shape[1] for part in x), 1])[:, None]

    def loss(z: np.ndarray) -> tuple[float, np.ndarray]:
        value, p = link.loss(_scores(x, z), weight)
        gradient = np.concatenate([*(part @ p for part in turned), p.sum(0)[None]]) + penalty * z
        return value + float(np.vdot(penalty * z, z)) / 2, gradient

    squares = np.concatenate([np.asarray((part**2 if isinstance(part, np.ndarray) else part.power(2)).mean(0)).ravel()
                              for part in x] + [np.ones(1)])
    curvature = squares[:, None] * link.curvature + penalty  # the Hessian's diagonal where the weights are 0
    return lbfgs(loss, z, 1 / np.maximum(curvature, 1e-12))


def lbfgs(
    loss: Callable[[np.ndarray], tuple[float, np.ndarray]], z: np.ndarray, diagonal: np.ndarray
) -> tuple[np.ndarray, int]:
    """Where the convex `loss(z)` -> (value, gradient) is lowest, and how often it was evaluated; `z` of any shape.

    diagonal: a guess of the inverse Hessian's, the same shape. Ends where a step gains less than `TOLERANCE`.
    """
    value, gradient = loss(z)
    evaluations = 1
    past: list[tuple[np.ndarray, np.ndarray, float]] = []
    while evaluations < MOST:
        ahead = gradient.copy()
        weights = []
        for step, change, curvature in reversed(past):
            weights.append(np.vdot(step, ahead) / curvature)
            ahead -= weights[-1] * change
        scale = 1.0
        if past:
            step, change, curvature = past[-1]
            scale = curvature / np.vdot(change, diagonal * change)
        ahead *= scale * diagonal
        for (step, change, curvature), weight in zip(past, reversed(weights), strict=True):
            ahead += (weight - np.vdot(change, ahead) / curvature) * step
        slope, size = -np.vdot(gradient, ahead), 1.0
        while True:
            after = z - size * ahead
            next_value, next_gradient = loss(after)
            evaluations += 1
            if next_value <= value + 1e-4 * size * slope or evaluations >= MOST:
                break
            if size < 1e-6:  # the gain is lost in rounding
                return z, evaluations
            size /= 2
        gained = value - next_value
        if gained < 0:
            return z, evaluations
        step, change = after - z, next_gradient - gradient
        z, value, gradient = after, next_value, next_gradient
        if gained < TOLERANCE:
            break
        if (bend := np.vdot(step, change)) > 0:
            past = [*past[1 - MEMORY:], (step, change, bend)]
    return z, evaluations
