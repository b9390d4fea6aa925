"""How good predictions are: one number per metric, from probabilities and labels.

`B` samples, `C` classes, `R` weightings of the samples. Every metric is defined once, for weighted samples: weights of
one give the usual value, random weights a bootstrap replicate (`trivium.comparison.bootstrap`).

Macro averages go over the classes that the test set contains: a class without a test sample has no recall to measure,
and predicting it costs the precision of no other class. A class that is present but never predicted has precision 0.
So macro recall and balanced accuracy are the same number; both are listed because people look for both names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trivium.tasks import base
from trivium.tasks.base import Array

METRICS = ("accuracy", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1", "nll", "brier", "ece")
_BY_CLASS = {"balanced_accuracy", "macro_precision", "macro_recall", "macro_f1"}
_SMALLEST = 1e-12  # probability; keeps the NLL of a certain mistake finite (27.6 nats)


@dataclass(frozen=True)
class Outcome(base.Outcome):
    """What the metrics need to know of each of `B` predictions; without the `[B, C]` probabilities."""

    confidence: Array  # probability of the predicted class
    brier: Array  # squared distance between the probabilities and the one-hot label, 0-2
    classes: int

    @property
    def correct(self) -> Array:
        return (self.prediction == self.y).astype(np.float64)


def outcome(probabilities: ArrayLike, y: ArrayLike, prediction: NDArray[np.int64] | None = None) -> Outcome:
    """Outcomes of probabilities `[B, C]` (rows sum to one) and labels `[B]` in `0..C-1`. prediction: `[B]`; the most
    probable class where it is not given.

    Raises:
        ValueError: shapes, labels or probabilities are not as said.
    """
    p, labels = np.asarray(probabilities, np.float64), np.asarray(y, np.int64)
    if p.ndim != 2 or labels.shape != p.shape[:1] or not len(p):
        raise ValueError(f"probabilities must be [B, C] and labels [B], with B > 0; got {p.shape} and {labels.shape}.")
    if labels.min() < 0 or labels.max() >= p.shape[1]:
        raise ValueError(f"labels must lie in 0..{p.shape[1] - 1}; got {labels.min()}..{labels.max()}.")
    if not (p.min() >= 0 and np.allclose(p.sum(1), 1, atol=1e-3)):
        raise ValueError("probabilities must be finite, not negative, and sum to one in every row.")
    rows = np.arange(len(p))
    prediction = p.argmax(1) if prediction is None else prediction
    own = p[rows, labels]
    return Outcome(
        y=labels,
        prediction=prediction,
        confidence=p[rows, prediction],
        nll=-np.log(np.maximum(own, _SMALLEST)),
        brier=(p**2).sum(1) - 2 * own + 1,  # Brier (1950), summed over classes
        classes=p.shape[1],
    )


def weighted(
    result: Outcome, weights: Array, names: Sequence[str] = METRICS, bins: int = 15
) -> dict[str, Array]:
    """The metrics `names` under each of `R` weightings `[B, R]` of the samples: `[R]` each.

    ece: expected calibration error with `bins` bins of equal width over the top probability, (lower, upper]
        (Guo et al. 2017, eq. 3).
    """
    total = weights.sum(0)
    values = {
        name: per_sample @ weights / total
        for name, per_sample in (("accuracy", result.correct), ("nll", result.nll), ("brier", result.brier))
        if name in names
    }
    if _BY_CLASS & set(names):
        values |= _macro(result, weights)
    if "ece" in names:
        bin_ = np.clip(np.ceil(result.confidence * bins).astype(np.int64) - 1, 0, bins - 1)
        gaps = _sum_by(bin_, result.confidence - result.correct, weights, bins)  # [bins, R]
        values["ece"] = np.abs(gaps).sum(0) / total
    return {name: values[name] for name in names}


def confusion(y: ArrayLike, prediction: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Counts `[C, C]`: row = label, column = prediction."""
    cells = np.asarray(y, np.int64) * classes + np.asarray(prediction, np.int64)
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def permuted(result: Outcome, weights: Array, names: Sequence[str]) -> dict[str, Array]:
    """The macro scores to expect of the same answers on permuted labels, under weightings `[B, R]`: `[R]` each.

    With its margins fixed, a macro score is linear in the hits, so its mean over all permutations has a closed form:
    class c is hit support_c x answered_c / n times.
    """
    each = np.ones(len(weights))
    support, answered = (_sum_by(codes, each, weights, result.classes) for codes in (result.y, result.prediction))
    present = np.unique(result.y)
    hits = support * answered / weights.sum(0)
    scores = {"balanced_accuracy": answered / weights.sum(0), "macro_f1": _ratio(2 * hits, support + answered)}
    return {name: scores[name][present].mean(0) for name in names}


def confusion_in(predictions: Path, classes: int) -> NDArray[np.int64]:
    """`confusion` of a `predictions.parquet`, all seeds together. Kept nowhere else: with 1,000 classes it is large."""
    import pyarrow.parquet as pq

    table = pq.read_table(predictions, columns=["y", "prediction"])
    return confusion(table["y"].to_numpy(), table["prediction"].to_numpy(), classes)


def per_class(counts: NDArray[np.int64], labels: tuple[str, ...] | list[str]) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support of every class, from `confusion`; 0 where undefined."""
    hits, support, predicted = counts.diagonal(), counts.sum(1), counts.sum(0)
    precision, recall = _ratio(hits, predicted), _ratio(hits, support)
    f1 = _ratio(2 * hits, support + predicted)
    return {
        label: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
        for label, p, r, f, n in zip(labels, precision, recall, f1, support, strict=True)
    }


def _macro(result: Outcome, weights: Array) -> dict[str, Array]:
    each = np.ones(len(weights))
    hits = _sum_by(result.y, result.correct, weights, result.classes)  # [C, R]
    support = _sum_by(result.y, each, weights, result.classes)
    predicted = _sum_by(result.prediction, each, weights, result.classes)
    present = np.unique(result.y)
    recall = _ratio(hits, support)[present].mean(0)
    return {
        "balanced_accuracy": recall,
        "macro_recall": recall,
        "macro_precision": _ratio(hits, predicted)[present].mean(0),
        "macro_f1": _ratio(2 * hits, support + predicted)[present].mean(0),
    }


def _sum_by(groups: NDArray[np.int64], values: Array, weights: Array, count: int) -> Array:
    """Sums `[count, R]` of `values` `[B]` times `weights` `[B, R]` per group."""
    if weights.shape[1] > 1:
        from scipy.sparse import csc_array  # takes a while to import: not for a single weighting

        return csc_array((values, groups, np.arange(len(groups) + 1)), (count, len(groups))) @ weights
    return np.bincount(groups, weights[:, 0] * values, count)[:, None].astype(np.float64)


def _ratio(part: NDArray, whole: NDArray) -> Array:
    """part / whole, and 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.shape(whole), np.float64), where=whole > 0)
