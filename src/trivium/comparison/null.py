"""What a strategy must surely beat before anything is claimed of it: answers that know nothing of the inputs.

    of most metrics           the constant answer, from the targets of train: the most common label, their mean
    those of Task.permuted    the strategy's own answers, the targets permuted

A constant answer would be a poor null for macro scores, which it does worst at.

A strategy has learned something if two things hold. Its models know something: by a test over samples (or groups of
them) with the models as they are, which needs no second seed, after Holm's correction for the number of strategies. And
that is not owed to a lucky seed: the interval of the gain over seeds and samples, made as everywhere, lies above 0.

Legend: `S` strategies, `J` seeds, `R` resamples, `B` samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trivium.comparison.bootstrap import points, replicates
from trivium.comparison.intervals import estimate
from trivium.comparison.pairs import Results, Rules
from trivium.comparison.significance import holm
from trivium.tasks.base import Array, Outcome, Task

FAILED = 0.05  # one-sided level of a single seed


@dataclass(frozen=True)
class Gain:
    """How much better than the null a strategy is, in the metric that ranks: mean over seeds and its interval.

    p: two-sided, of the trained models as they are, and `p_holm` after the correction. failed: share of seeds that are
    not surely better than the null, 0-1.
    """

    mean: float
    low: float
    high: float
    p: float
    p_holm: float
    learned: bool
    failed: float


def constant(task: Task, train: Sequence[np.ndarray], y: Sequence[np.ndarray]) -> list[Outcome]:
    """Per seed, the outcome of the constant answer. train, y: targets [N, *T] of the train rows and of the test set."""
    return [task.constant(known, own) for known, own in zip(train, y, strict=True)]


def gains(task: Task, outcomes: Mapping[str, Sequence[Outcome]], train: Sequence[np.ndarray],
          units: Sequence[NDArray[np.int64]], results: Results, rules: Rules, weights: Sequence[Array] | None = None,
          ) -> dict[str, Gain]:
    """Per strategy, its gain over the null of `rules.metric`. train: targets of the train rows, per seed;  weights: of
    the test samples, per seed.
    """
    metric, known, of = rules.metric, list(outcomes.values()), task.chance
    up, name = metric.upward, (metric.key,)
    if metric.key not in task.permuted:
        known, of = [constant(task, train, [one.y for one in known[0]])], task.weighted
    null = points(known, of, name, rules.bins, weights)
    moved = replicates(known, units, rules.resamples, of, name, rules.bins, counts=weights)
    better = np.round(up(results.points[metric.key]) - up(null[metric.key]), 12)  # [S, J]; equals differ by 1e-17
    scatter = up(results.replicates[metric.key]) - up(moved[metric.key])  # [R, S, J]
    freedom = [len(np.unique(own)) - 1 for own in (np.concatenate(units), *units)]
    tested = [_as_they_are(better[s], scatter[:, s], freedom) for s in range(len(outcomes))]
    adjusted = holm([p for p, _ in tested])
    gained, most = {}, metric.most
    for s, strategy in enumerate(outcomes):
        span = estimate(better[s], scatter[:, s], rules.confidence, rules.overlap).within(-most, most)
        learned = span.low > 0 and adjusted[s] <= 1 - rules.confidence
        gained[strategy] = Gain(span.mean, span.low, span.high, tested[s][0], adjusted[s], learned, tested[s][1])
    return gained


def always(task: Task, train: Sequence[np.ndarray], y: Sequence[np.ndarray], names: Sequence[str], bins: int = 15,
           weights: Sequence[Array] | None = None) -> dict[str, float]:
    """The metrics of the constant answer, means over seeds; see `constant`."""
    found = points([constant(task, train, y)], task.weighted, names, bins, weights)
    return {name: float(found[name].mean()) for name in names}


def _as_they_are(values: Array, replicates: Array, freedom: Sequence[int]) -> tuple[float, float]:
    """p that the mean over seeds is 0, and the share of failed seeds, for new samples and the models as they are.

    values: [J];  replicates: [R, J];  freedom: degrees of it, of all units and of those of each seed.
    """
    from scipy.special import stdtr, stdtrit

    mean, sd = float(values.mean()), float(replicates.mean(1).std(ddof=1))
    p = 1.0 if mean == 0 else 0.0 if sd == 0 else float(2 * stdtr(freedom[0], -abs(mean) / sd))
    needed = [float(stdtrit(one, 1 - FAILED)) for one in freedom[1:]] * replicates.std(0, ddof=1)
    return p, float((values <= needed).mean())

