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
    """
    label = np.maximum(first.sum(1), TINY)
    q = first[:, :, None] * second[:, None, :] / label[:, None, None]
    possible = q > 0
    for _ in range(most):
        before = q.sum(0)
        q = _fit(np.where(possible, before, 0.0), first, second)
        after = q.sum(0)
        ratio = np.log2(np.maximum(after, TINY) / np.maximum(before, TINY))
        if ratio[before > 0].max() - (after * ratio).sum() <= tolerance:  # primal less dual value
            break
    return information(q.reshape(len(q), -1))


def _fit(cells: Array, first: Array, second: Array) -> Array:
    """`cells` [C, K, L] scaled, label by label, to the sums `first` and `second` (iterative proportional fitting)."""
    for _ in range(200):
        cells = cells * (first / np.maximum(cells.sum(2), TINY))[:, :, None]
        cells = cells * (second / np.maximum(cells.sum(1), TINY))[:, None, :]
        if np.abs(cells.sum(2) - first).max() < 1e-10:
            break
    return cells
