"""How good predictions of tags are, and where the thresholds of tags lie.

`B` samples, `C` tags, `R` weightings of the samples, `G` steps of a curve. Every metric is a function of weighted sums
over the samples: weights of one give the usual value, random weights a bootstrap replicate.

Averages over tags go over those that the test set has: a tag without a test sample has no recall to measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from trivium.tasks import base
from trivium.tasks.base import Array
from trivium.tasks.metric import nats, share

METRICS = {one.key: one for one in (
    share("macro_f1", "macro F1"), share("micro_f1", "micro F1"), share("sample_f1", "F1 per sample"),
    share("mean_ap", "mean average precision", head="mAP"),
    share("subset", "samples with exactly their tags", head="exact"), nats("nll", "negative log-likelihood"),
    share("ece", "calibration error (ECE)", higher=False, head="ECE"))}
SPARSE = 0.1  # share of ones up to which products skip the zeros
_SMALLEST = 1e-12  # probability; keeps the NLL of a certain mistake finite (27.6 nats per tag)


@dataclass(frozen=True)
class Outcome(base.Outcome):
    """y, prediction: uint8 [B, C], 1 where a sample has the tag.  probability: float32 [B, C].

    `correct` is None: a set of tags is more or less right.
    """

    probability: np.ndarray

    @cached_property
    def counted(self) -> Any:
        """Hits, and targets plus predictions, of the tags that the samples have: [2 tags, B]; for `_sums`."""
        kept = self.y.any(0)
        y, prediction = self.y[:, kept], self.prediction[:, kept]
        return _countable(np.concatenate([y & prediction, y + prediction], 1))


def outcome(probability: np.ndarray, prediction: np.ndarray, y: np.ndarray) -> Outcome:
    """Raises: ValueError (shapes, targets or probabilities are not as said)."""
    p, goal = np.asarray(probability, np.float64), np.asarray(y)
    if p.ndim != 2 or goal.shape != p.shape or not len(p):
        raise ValueError(f"probabilities and targets must be [B, C], with B > 0; got {p.shape} and {goal.shape}.")
    if not np.isin(goal, (0, 1)).all():
        raise ValueError("targets must be 0 or 1.")
    if not (p.min() >= 0 and p.max() <= 1):
        raise ValueError("probabilities must be finite and lie in 0-1.")
    each = -np.log(np.maximum(np.where(goal > 0, p, 1 - p), _SMALLEST))
    return Outcome(goal.astype(np.uint8), prediction.astype(np.uint8), each.sum(1), p.astype(np.float32))


def weighted(result: Outcome, weights: Array, names: Sequence[str], bins: int = 15) -> dict[str, Array]:
    """The metrics `names` under each of R weightings [B, R]: [R] each.

    macro_f1: 0 for a tag that is never predicted;  sample_f1: 1 where a sample has no tags and is given none
    ece: expected calibration error over all pairs of a sample and a tag, `bins` bins of equal width of the probability
        of the tag, (lower, upper], 0 in the first (Guo et al. 2017, eq. 3)
    """
    total = weights.sum(0)
    per_sample = {"sample_f1": lambda: sample_f1(result.prediction, result.y), "nll": lambda: result.nll,
                  "subset": lambda: (result.prediction == result.y).all(1).astype(np.float64)}
    values = {name: per_sample[name]() @ weights / total for name in names if name in per_sample}
    if "macro_f1" in names:
        hits, both = np.split(_sums(result.counted, weights), 2)
        values["macro_f1"] = _ratio(2 * hits, both).mean(0)
    if "micro_f1" in names:
        hits, both = (part.sum(1) @ weights for part in (result.prediction & result.y, result.prediction + result.y))
        values["micro_f1"] = _ratio(2 * hits, both)
    if "mean_ap" in names:
        values["mean_ap"] = average_precision(result, weights).mean(0)
    if "ece" in names:
        values["ece"] = np.abs(_gaps(result, bins) @ weights).sum(0) / (total * result.y.shape[1])
    return {name: values[name] for name in names}


def permuted(result: Outcome, weights: Array, names: Sequence[str]) -> dict[str, Array]:
    """F1 to expect of the same answers on permuted targets, under weightings [B, R]: [R] each.

    With its margins fixed, F1 is linear in the hits, so its mean over all permutations of the samples has a closed
    form: tag c is hit support_c x answered_c / n times.
    """
    support, answered = (_sums(_countable(part), weights) for part in (result.y, result.prediction))
    hits = support * answered / weights.sum(0)
    macro = _ratio(2 * hits, support + answered)[result.y.any(0)].mean(0)
    found = {"macro_f1": macro, "micro_f1": _ratio(2 * hits.sum(0), (support + answered).sum(0))}
    return {name: found[name] for name in names}


def average_precision(result: Outcome, weights: Array) -> Array:
    """Of each tag that the samples have, under weightings [B, R]: [tags, R]. The mean of the precision at the samples
    that have the tag, in the order of its probability; those that are equally probable count at once.

    Work: B x R additions per tag, since the order differs between tags.
    """
    tags = np.flatnonzero(result.y.any(0))
    found = np.empty((len(tags), weights.shape[1]))
    weights = _light(weights)
    for k, tag in enumerate(tags):
        p, has = result.probability[:, tag], result.y[:, tag] > 0
        order = np.argsort(-p, kind="stable")
        own = has[order]
        last = np.flatnonzero(np.append(np.diff(p[order]) != 0, True))  # of each group of equals
        step = np.searchsorted(last, np.flatnonzero(own))  # the group of each sample that has the tag
        ends = last[np.unique(step)] + 1  # where precision is asked for
        hits = _segments(order[own], np.cumsum(np.bincount(step)[np.unique(step)]), weights)
        answered = _segments(order[: ends[-1]], ends, weights)
        reached = hits.cumsum(0)
        np.cumsum(answered, 0, out=answered)
        np.maximum(answered, 1e-30, out=answered)  # where all weights are 0
        np.divide(reached, answered, out=answered)
        found[k] = _ratio(np.einsum("gr,gr->r", hits, answered), reached[-1])
    return found


def sample_f1(prediction: np.ndarray, y: np.ndarray) -> Array:
    """Of each sample's tags, [B] of [B, C]; 1 where it has none and is given none."""
    hits, both = (prediction & y).sum(1), (prediction + y).sum(1)
    return np.where(both > 0, 2 * hits / np.maximum(both, 1), 1.0)


def thresholds(probability: Array, y: np.ndarray) -> Array:
    """Per tag, the probability [C] from which on it is given, so that its F1 on these samples is highest.

    Between two neighbouring probabilities all are equal: then 0.5 where it lies between, else the middle. Of several
    such gaps the one nearest to 0.5. 0.5 for a tag that no sample has.
    """
    found = np.full(y.shape[1], 0.5)
    for tag in np.flatnonzero(y.any(0)):
        order = np.argsort(-probability[:, tag], kind="stable")
        p, own = probability[order, tag], y[order, tag]
        hits, given = own.cumsum(), np.arange(1, len(p) + 1)
        below = np.append(p[1:], 0.0)
        cut = np.flatnonzero(below < p)  # a threshold must part two samples
        f1 = 2 * hits[cut] / (given[cut] + hits[-1])
        middle = np.where((below[cut] < 0.5) & (p[cut] >= 0.5), 0.5, (below[cut] + p[cut]) / 2)
        best = np.flatnonzero(f1 >= f1.max(initial=0) - 1e-12)
        if len(best):
            found[tag] = middle[best[np.argmin(np.abs(middle[best] - 0.5))]]
    return found


def table(result: Outcome, names: Sequence[str], cuts: Sequence[float]) -> dict[str, dict[str, float]]:
    """Per tag; 0 where undefined."""
    hits, support, given = (part.sum(0) for part in (result.prediction & result.y, result.y, result.prediction))
    ap = np.zeros(len(names))
    ap[result.y.any(0)] = average_precision(result, np.ones((len(result.y), 1)))[:, 0]
    return {name: {"precision": float(p), "recall": float(r), "f1": float(f), "average_precision": float(a),
                   "support": int(n), "threshold": float(cut)}
            for name, p, r, f, a, n, cut in zip(names, _ratio(hits, given), _ratio(hits, support),
                                                _ratio(2 * hits, support + given), ap, support, cuts, strict=True)}


def _gaps(result: Outcome, bins: int) -> Array:
    """Per bin and sample, the sum of probability less truth over the tags: [bins, B]."""
    p = result.probability.astype(np.float64)
    place = np.clip(np.ceil(p * bins).astype(np.int64) - 1, 0, bins - 1) * len(p) + np.arange(len(p))[:, None]
    sums: Array = np.bincount(place.ravel(), (p - result.y).ravel(), bins * len(p)).astype(np.float64)
    return sums.reshape(bins, -1)


def _countable(values: np.ndarray) -> Any:
    """The columns of [B, C] as rows [C, B], without their zeros where these are most."""
    if np.count_nonzero(values) < SPARSE * values.size:
        from scipy.sparse import csr_array

        return csr_array(values.T, dtype=np.float32)
    return values.T


def _sums(rows: Any, weights: Array) -> Array:
    """Per row of what `_countable` gave, the weighted sums [C, R]."""
    weights = _light(weights)
    found: Array = (rows.astype(weights.dtype) if isinstance(rows, np.ndarray) else rows) @ weights
    return found.astype(np.float64)


def _light(weights: Array) -> np.ndarray:
    """Many weightings in 32 bits: sums are right to 1e-5, and take half the time."""
    return weights.astype(np.float32) if weights.shape[1] > 1 else weights


def _segments(order: np.ndarray, ends: np.ndarray, weights: Array) -> Array:
    """Sums [G, R] of the weights of samples, taken in `order`, up to each of `ends` [G] from the one before."""
    if weights.shape[1] > 1:
        from scipy.sparse import csr_array

        ones = np.ones(len(order), weights.dtype)
        found: Array = csr_array((ones, order, np.append(0, ends)), (len(ends), len(weights))) @ weights
        return found
    return np.add.reduceat(weights[order], np.append(0, ends[:-1]), axis=0)


def _ratio(part: np.ndarray, whole: np.ndarray) -> Array:
    """part / whole, and 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.shape(whole), np.float64), where=whole > 0)
