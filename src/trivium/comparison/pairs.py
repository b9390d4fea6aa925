"""Every pair of strategies: by how much they differ, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from trivium.comparison.bootstrap import points, replicates
from trivium.comparison.intervals import Estimate, estimate, outperform
from trivium.comparison.significance import holm, mcnemar
from trivium.tasks.base import Array, Outcome, Task
from trivium.tasks.classification import METRICS
from trivium.tasks.metric import Metric


@dataclass(frozen=True)
class Rules:
    """When a difference counts, and how it is measured.

    resamples: of the bootstrap. confidence: of every interval, 0.5-1. threshold: least P(A > B) of a winner, 0.5-1.
    overlap: n_test / n_train of a cross-validation, None for hold-out. metric: the one that ranks.
    """

    resamples: int = 2000
    confidence: float = 0.95
    threshold: float = 0.75
    overlap: float | None = None
    bins: int = 15
    metric: Metric = METRICS["accuracy"]


@dataclass(frozen=True)
class Pair:
    """`a` is at least as good as `b`. difference: by how much it is better, in the unit of the metric that ranks.
    seeds: how many."""

    a: str
    b: str
    difference: Estimate
    outperform: tuple[float, float, float]  # P(a > b) and the ends of its interval
    p_holm: float
    mcnemar: tuple[float, ...]  # p-value per seed; empty where no answer is just right or wrong
    mcnemar_pooled: float | None  # p-value over the predictions of all seeds
    beats: bool
    seeds: int


@dataclass(frozen=True)
class Results:
    """The metrics of all strategies with their replicates: `[S, J]` and `[R, S, J]` per metric."""

    points: dict[str, Array]
    replicates: dict[str, Array]


def measure(task: Task, outcomes: Mapping[str, Sequence[Outcome]], units: Sequence[NDArray[np.int64]], rules: Rules,
            names: Sequence[str], weights: Sequence[Array] | None = None) -> Results:
    """The metrics `names` of every strategy, seed and resample; see `bootstrap.replicates`. weights: of the samples."""
    strategies, of = list(outcomes.values()), task.weighted
    return Results(points(strategies, of, names, rules.bins, weights),
                   replicates(strategies, units, rules.resamples, of, names, rules.bins, counts=weights))


def estimates(task: Task, results: Results, place: int, rules: Rules) -> dict[str, Estimate]:
    """Every metric of the strategy at `place` in `results`, with its interval."""
    return {key: estimate(results.points[key][place], results.replicates[key][:, place], rules.confidence,
                          rules.overlap).within(metric.lowest, metric.highest) for key, metric in task.metrics.items()}


def compare(outcomes: Mapping[str, Sequence[Outcome]], results: Results, rules: Rules) -> list[Pair]:
    """All pairs, the better one first, in the order of the metric that ranks.

    `a` is clearly better than `b` when their difference has p <= 1 - confidence, P(a > b) >= threshold, and the
    interval of P(a > b) lies above one half. Of many pairs some look clear by chance, so `a` beats `b` only if
    - it is clear with the p-value adjusted for all pairs (Holm), or
    - `a` is clearly better than *every* other one. This claim needs no adjustment, because all of its comparisons must
      hold at once (intersection-union test, Berger 1982).
    """
    names = list(outcomes)
    up, key = rules.metric.upward, rules.metric.key
    values, resampled = up(results.points[key]), up(results.replicates[key])
    order = sorted(range(len(names)), key=lambda s: -values[s].mean())
    both = list(combinations(order, 2))
    gaps = [(values[a] - values[b], resampled[:, a] - resampled[:, b]) for a, b in both]
    most = rules.metric.most
    differences = [estimate(*gap, rules.confidence, rules.overlap).within(-most, most) for gap in gaps]
    chances = [outperform(*gap, rules.confidence) for gap in gaps]
    adjusted = holm([difference.p for difference in differences])

    alpha = 1 - rules.confidence
    likely = [chance[0] >= rules.threshold and chance[1] > 0.5 for chance in chances]
    best = range(len(names) - 1)  # the pairs of the best strategy come first
    wins = all(likely[i] and differences[i].p <= alpha for i in best)
    right = {name: [one.correct > 0 for one in seeds if one.correct is not None] for name, seeds in outcomes.items()}
    return [
        Pair(
            a=names[a],
            b=names[b],
            difference=differences[i],
            outperform=chances[i],
            p_holm=adjusted[i],
            mcnemar=tuple(mcnemar(one, two) for one, two in zip(right[names[a]], right[names[b]], strict=True)),
            mcnemar_pooled=mcnemar(np.concatenate(right[names[a]]), np.concatenate(right[names[b]]))
            if right[names[a]] else None,
            beats=(likely[i] and adjusted[i] <= alpha) or (wins and i in best),
            seeds=len(outcomes[names[a]]),
        )
        for i, (a, b) in enumerate(both)
    ]
