"""Which combinations of a grid to run, when not all of them: each level about equally often, and each pair of levels.

A level is a value of a factor (the fusion `gated`). The counts of levels and of pairs of levels are brought as close to
equal as the possible combinations allow: combinations are taken one after the other, and then swapped, so that the sum
of squares of what the counts miss falls. There is no chance in it: the same grid gives the same choice.

Cost: for N possible combinations, of which M are chosen, swaps x N x M; some seconds for a thousand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from trivium.comparison.effects import coded

Combination = dict[str, str]  # factor -> level
Array = NDArray[np.float64]


def grid(factors: Mapping[str, Sequence[str]]) -> list[Combination]:
    """All combinations, the last factor running fastest."""
    return [dict(zip(factors, levels, strict=True)) for levels in product(*factors.values())]


def choose(possible: Sequence[Combination], fraction: float) -> list[Combination]:
    """About `fraction` (0-1) of the combinations, in their order; never fewer than it takes to tell the levels apart,
    as far as the possible ones do.
    """
    matrix = coded(possible)
    needed = int(np.linalg.matrix_rank(matrix))
    size = min(len(possible), max(round(fraction * len(possible)), needed))
    features, wanted = _features(possible, size)
    taken = list[int]()
    for _ in range(size):
        free = [k for k in range(len(possible)) if k not in taken]
        taken.append(free[int(np.argmin(_missed(features[taken].sum(0) + features[free], wanted)))])
    taken = _swapped(features, wanted, taken)
    for k in range(len(possible)):
        if np.linalg.matrix_rank(matrix[[*taken, k]]) > np.linalg.matrix_rank(matrix[taken]):
            taken.append(k)
    return [possible[k] for k in sorted(taken)]


def _features(possible: Sequence[Combination], size: int) -> tuple[Array, Array]:
    """[N, F]: which levels and pairs of levels a combination has; [F]: how often each is wanted among `size`, which is
    equally often, of those of a factor, or of a pair of factors, that there are.
    """
    each = [[*((mark,) for mark in one.items()), *combinations(one.items(), 2)] for one in possible]
    known = list(dict.fromkeys(mark for marks in each for mark in marks))
    of = [tuple(factor for factor, _ in mark) for mark in known]
    features = np.array([[float(mark in marks) for mark in known] for marks in each])
    return features, np.array([size / of.count(own) for own in of])


def _missed(counts: Array, wanted: Array) -> Array:
    """Rounded, so that equal ones are equal on every machine."""
    return np.round(((counts - wanted) ** 2).sum(-1), 6)


def _swapped(features: Array, wanted: Array, taken: list[int]) -> list[int]:
    """The choice, improved by swaps until none helps."""
    while True:
        counts = features[taken].sum(0)
        free = [k for k in range(len(features)) if k not in taken]
        missed = [_missed(counts - features[k] + features[free], wanted) for k in (taken if free else [])]
        place = min(range(len(missed)), key=lambda at: missed[at].min(), default=None)
        if place is None or missed[place].min() >= _missed(counts, wanted):
            return taken
        taken[place] = free[int(np.argmin(missed[place]))]
