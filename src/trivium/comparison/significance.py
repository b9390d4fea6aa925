"""Significance tests that stand beside the intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def mcnemar(a: ArrayLike, b: ArrayLike) -> float:
    """Exact two-sided p-value that two models, right or wrong `[B]` on the same samples, are equally often right.

    Binomial on the samples that only one of them gets right (McNemar 1947). About these two trained models: it knows
    nothing of other seeds.
    """
    from scipy.special import bdtr  # scipy.stats takes a second to import

    right_a, right_b = np.asarray(a, bool), np.asarray(b, bool)
    only_a, only_b = int((right_a & ~right_b).sum()), int((~right_a & right_b).sum())
    return float(min(1.0, 2 * bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted by Holm (1979), in their order: among claims with an adjusted p <= alpha, the probability of
    any false one is at most alpha."""
    adjusted, highest = [0.0] * len(p_values), 0.0
    for step, index in enumerate(np.argsort(p_values, kind="stable")):
        highest = max(highest, min(1.0, (len(p_values) - step) * p_values[index]))
        adjusted[index] = highest
    return adjusted
