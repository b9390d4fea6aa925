"""What a strategy must surely beat before anything is claimed of it: answers that know nothing of the inputs.

    accuracy                      the most common label of train, always
    nll                           the class shares of train, always
    macro_f1, balanced_accuracy   the strategy's own answers, the labels permuted

A constant answer would be a poor null for macro scores, which it does worst at. With its margins fixed, a macro score
is linear in the hits, so its mean over all permutations has a closed form: class c is hit support_c x answered_c / n
times.

A strategy has learned something if two things hold. Its models know something: by a test over samples (or groups of
them) with the models as they are, which needs no second seed, after Holm's correction for the number of strategies. And
that is not owed to a lucky seed: the interval of the gain over seeds and samples, made as everywhere, lies above 0.

Legend: `S` strategies, `J` seeds, `R` resamples, `B` samples, `C` classes.
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
from trivium.tasks.metric import METRICS
from trivium.tasks.scores import Array, Outcome, score

PERMUTED = ("balanced_accuracy", "macro_f1")
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


def constant(y: Sequence[NDArray[np.int64]], shares: Sequence[Array]) -> list[Outcome]:
    """Per seed, the outcome of always giving the class shares of train, `shares` [C], and their most common label."""
    found = []
    for own, p in zip(y, shares, strict=True):
        label = int(np.argmax(p))
        mine = p[own]
        found.append(Outcome(own, np.full(len(own), label), np.full(len(own), p[label]),
                             -np.log(np.maximum(mine, 1e-12)), (p**2).sum() - 2 * mine + 1, len(p)))
    return found


def permuted(result: Outcome, weights: Array, names: tuple[str, ...], bins: int = 15) -> dict[str, Array]:
    """The macro scores to expect of the same answers on permuted labels, under weightings `[B, R]`: `[R]` each."""
    support, answered = (_sums(codes, weights, result.classes) for codes in (result.y, result.prediction))
    present = np.unique(result.y)
    hits = support * answered / weights.sum(0)
    both = support + answered
    scores = {"balanced_accuracy": answered / weights.sum(0),
              "macro_f1": np.divide(2 * hits, both, out=np.zeros_like(hits), where=both > 0)}
    return {name: scores[name][present].mean(0) for name in names}


def gains(outcomes: Mapping[str, Sequence[Outcome]], shares: Sequence[Array], units: Sequence[NDArray[np.int64]],
          results: Results, rules: Rules) -> dict[str, Gain]:
    """Per strategy, its gain over the null of `rules.metric`. shares: of train's classes, per seed `[C]`."""
    up, name = METRICS[rules.metric].upward, (rules.metric,)
    if rules.metric in PERMUTED:
        known = list(outcomes.values())
        null = points(known, name, of=permuted)
        moved = replicates(known, units, rules.resamples, name, of=permuted)
    else:
        always = [constant([one.y for one in next(iter(outcomes.values()))], shares)]
        null, moved = points(always, name), replicates(always, units, rules.resamples, name)
    better = np.round(up(results.points[rules.metric]) - up(null[rules.metric]), 12)  # [S, J]; equals differ by 1e-17
    scatter = up(results.replicates[rules.metric]) - up(moved[rules.metric])  # [R, S, J]
    freedom = [len(np.unique(own)) - 1 for own in (np.concatenate(units), *units)]
    tested = [_as_they_are(better[s], scatter[:, s], freedom) for s in range(len(outcomes))]
    adjusted = holm([p for p, _ in tested])
    found, most = {}, METRICS[rules.metric].most
    for s, strategy in enumerate(outcomes):
        span = estimate(better[s], scatter[:, s], rules.confidence, rules.overlap).within(-most, most)
        learned = span.low > 0 and adjusted[s] <= 1 - rules.confidence
        found[strategy] = Gain(span.mean, span.low, span.high, tested[s][0], adjusted[s], learned, tested[s][1])
    return found


def always(y: Sequence[NDArray[np.int64]], shares: Sequence[Array], names: tuple[str, ...]) -> dict[str, float]:
    """The metrics of the constant answer, means over seeds."""
    found = [score(one, names) for one in constant(y, shares)]
    return {name: float(np.mean([seed[name] for seed in found])) for name in names}


def _as_they_are(values: Array, replicates: Array, freedom: Sequence[int]) -> tuple[float, float]:
    """p that the mean over seeds is 0, and the share of failed seeds, for new samples and the models as they are.

    values: [J];  replicates: [R, J];  freedom: degrees of it, of all units and of those of each seed.
    """
    from scipy.special import stdtr, stdtrit

    mean, sd = float(values.mean()), float(replicates.mean(1).std(ddof=1))
    p = 1.0 if mean == 0 else 0.0 if sd == 0 else float(2 * stdtr(freedom[0], -abs(mean) / sd))
    needed = [float(stdtrit(one, 1 - FAILED)) for one in freedom[1:]] * replicates.std(0, ddof=1)
    return p, float((values <= needed).mean())


def _sums(codes: NDArray[np.int64], weights: Array, count: int) -> Array:
    """Sums `[C, R]` of weights `[B, R]` by `codes` `[B]`."""
    from scipy.sparse import csr_array

    ones = csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))), (count, len(codes)))
    return ones @ weights
