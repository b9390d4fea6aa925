"""Partial information decomposition of two sources: redundant, unique and synergistic bits about a label.

BROJA (Bertschinger, Rauh, Olbrich, Jost & Ay 2014): with P(Y, X1) and P(Y, X2) kept, the joint distribution Q with the
least information I_Q(Y; X1, X2) has no synergy, so

    redundant R = I(Y; X1) + I(Y; X2) - min_Q        unique U1 = min_Q - I(Y; X2)        U2 = min_Q - I(Y; X1)
    synergistic S = I(Y; X1, X2) - min_Q

The minimum is found by alternating between two convex sets (Csiszar & Tusnady 1984): Q given the cells' total
R(x1, x2), and R given Q. Every step also gives a point of the dual problem, so the distance to the minimum is known.

Legend: `C` labels, `K` values of the first source, `L` of the second.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
TINY = 1e-300


class Parts(NamedTuple):
    """Bits; redundant + unique_first + unique_second + synergistic is the information of both."""

    redundant: float
    unique_first: float
    unique_second: float
    synergistic: float


def broja(joint: Array, tolerance: float = 1e-4) -> Parts:
    """The parts of `joint`, P(y, x1, x2) as [C, K, L], which sums to one; wrong by at most `tolerance` bits."""
    first, second = joint.sum(2), joint.sum(1)
    one, two, least = information(first), information(second), least_information(first, second, tolerance)
    both = information(joint.reshape(len(joint), -1))
    return Parts(one + two - least, least - two, least - one, both - least)


def information(joint: Array) -> float:
    """I(Y; X) in bits of P(y, x) as [C, K]."""
    seen = joint > 0
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    return float((joint[seen] * np.log2(joint[seen] / independent[seen])).sum())


def least_information(first: Array, second: Array, tolerance: float = 1e-4, most: int = 5000) -> float:
    """Bits: the minimum of I_Q(Y; X1, X2) over all Q with Q(y, x1) = first [C, K] and Q(y, x2) = second [C, L].

    Both must give the same P(y). At most `tolerance` bits above the minimum, unless `most` steps did not get there.
    The closest Q to P(y) R(x1, x2) has the form a(y, x1) R(x1, x2) b(y, x2), so no [C, K, L] is ever held.
    """
    label = first.sum(1)
    both = (first / np.maximum(label, TINY)[:, None]).T @ second  # R where X1 and X2 are independent given Y
    a, b = np.ones_like(first), np.ones_like(second)
    for _ in range(most):
        a, b = _scale(both, first, second, a, b, tolerance / 100)
        ratio = a.T @ b  # of the new R to the old one
        seen = both > 0
        both = both * ratio
        steps = np.log2(np.maximum(ratio[seen], TINY))
        change = float((both[seen] * steps).sum())
        # Value of Q: sum first log a + sum second log b - change + H(Y); of the dual: with max(steps) for change.
        if steps.max() - change <= tolerance:
            break
    return float(_xlog2(first, a).sum() + _xlog2(second, b).sum() - _xlog2(label, label).sum()) - change


def _scale(both: Array, first: Array, second: Array, a: Array, b: Array, close: float) -> tuple[Array, Array]:
    """a and b such that a(y, x1) R(x1, x2) b(y, x2) has the sums `first` and `second` (Sinkhorn's iteration)."""
    for _ in range(1000):
        a = first / np.maximum(b @ both.T, TINY)
        b = second / np.maximum(a @ both, TINY)
        if np.abs(a * (b @ both.T) - first).sum() < close:
            break
    return a, b


def _xlog2(p: Array, x: Array) -> Array:
    """p log2(x), and 0 where p is 0."""
    return np.where(p > 0, p * np.log2(np.maximum(x, TINY)), 0.0)
