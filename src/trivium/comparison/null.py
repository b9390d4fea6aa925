"""What a strategy must surely beat before anything is claimed of it: answers that know nothing of the inputs.

    accuracy                      the most common label of train, always
    nll                           the class shares of train, always
    macro_f1, balanced_accuracy   the strategy's own answers, the labels permuted

A constant answer would be a poor null for macro scores, which it does worst at. With its margins fixed, a macro score
is linear in the hits, so its mean over all permutations has a closed form: class c is hit support_c x answered_c / n
times.

The test is about the models that were trained, on new test samples (or groups of them): it asks whether they know
anything at all, and that needs no second seed. Holm's correction goes over the strategies.

Legend: `S` strategies, `J` seeds, `R` resamples, `B` samples, `C` classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trivium.comparison.bootstrap import points, replicates
from trivium.comparison.metric import METRICS
from trivium.comparison.pairs import Results, Rules
from trivium.comparison.significance import holm
from trivium.evaluation.metrics import Array, Outcome, score

PERMUTED = ("balanced_accuracy", "macro_f1")
FAILED = 0.05  # one-sided level of a single seed


@dataclass(frozen=True)
class Gain:
    """How much better than the null a strategy is, in the metric that ranks: mean over seeds, interval over samples.

    p: two-sided, and `p_holm` after the correction. failed: share of seeds that are not better than the null, 0-1.
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
    tested = [_gain(better[s], scatter[:, s], freedom, rules.confidence) for s in range(len(outcomes))]
    adjusted = holm([one[3] for one in tested])
    return {strategy: Gain(*found[:4], p, found[0] > 0 and p <= 1 - rules.confidence, found[4])
            for strategy, found, p in zip(outcomes, tested, adjusted, strict=True)}


def always(y: Sequence[NDArray[np.int64]], shares: Sequence[Array], names: tuple[str, ...]) -> dict[str, float]:
    """The metrics of the constant answer, means over seeds."""
    found = [score(one, names) for one in constant(y, shares)]
    return {name: float(np.mean([seed[name] for seed in found])) for name in names}


def _gain(values: Array, replicates: Array, freedom: Sequence[int], confidence: float,
          ) -> tuple[float, float, float, float, float]:
    """mean, low, high, p and the share of failed seeds. values [J]; replicates [R, J]; freedom: of all units, and of
    those of each seed."""
    from scipy.special import stdtr, stdtrit

    mean, sd = float(values.mean()), float(replicates.mean(1).std(ddof=1))
    width = float(stdtrit(freedom[0], (1 + confidence) / 2)) * sd
    p = 1.0 if mean == 0 else 0.0 if sd == 0 else float(2 * stdtr(freedom[0], -abs(mean) / sd))
    needed = [float(stdtrit(one, 1 - FAILED)) for one in freedom[1:]] * replicates.std(0, ddof=1)
    return mean, mean - width, mean + width, p, float((values <= needed).mean())


def _sums(codes: NDArray[np.int64], weights: Array, count: int) -> Array:
    """Sums `[C, R]` of weights `[B, R]` by `codes` `[B]`."""
    from scipy.sparse import csr_array

    ones = csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))), (count, len(codes)))
    return ones @ weights
