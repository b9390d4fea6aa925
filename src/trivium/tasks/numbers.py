"""How good predictions of numbers are, and how wide their intervals must be.

`B` samples, `K` targets, `R` weightings of the samples. Every metric is a function of weighted sums over the samples,
so that one product of matrices gives it for all weightings: weights of one give the usual value, random weights a
bootstrap replicate. A metric of several targets is the mean over them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trivium.tasks import base
from trivium.tasks.base import LOWEST, Array
from trivium.tasks.metric import Metric, bare, decimals, nats, share


@dataclass(frozen=True)
class Outcome(base.Outcome):
    """y, prediction: float64 [B, K], in the unit of the target.  half: half the width of each interval, [B, K].

    central: the prediction that absolute errors are measured of. The same, but for an answer that knows no inputs: this
    has a smaller square at the mean of train and a smaller absolute error at its median, and must not be easy to beat.
    scale: deviations [K] that errors are measured in, where there are several targets.
    """

    half: Array
    central: Array
    scale: tuple[float, ...]


def outcome(prediction: Array, half: Array, deviation: Array, y: np.ndarray, scale: Sequence[float]) -> Outcome:
    """Of predictions, half widths and deviations of normal distributions, all [B, K]. Raises: ValueError (shapes,
    numbers that are not finite, widths below 0 or deviations that are not above).
    """
    goal = np.asarray(y, np.float64)
    if not prediction.shape == half.shape == deviation.shape == goal.shape or goal.ndim != 2 or not len(goal):
        raise ValueError(f"predictions, half widths, deviations and targets must be [B, K], with B > 0; got "
                         f"{prediction.shape}, {half.shape}, {deviation.shape} and {goal.shape}.")
    if not all(np.isfinite(part).all() for part in (prediction, half, deviation, goal)):
        raise ValueError("predictions, half widths, deviations and targets must be finite.")
    if half.min() < 0 or deviation.min() <= 0:
        raise ValueError("half widths must not be below 0, and deviations must be above.")
    each = -0.5 * math.log(2 * math.pi) - np.log(deviation / scale) - 0.5 * ((prediction - goal) / deviation) ** 2
    return Outcome(goal, prediction, -np.maximum(each.sum(1), LOWEST), half, prediction, tuple(scale))


def metrics(targets: Mapping[str, str], scale: Sequence[float]) -> dict[str, Metric]:
    """All, in the units of `targets` (name -> unit) where there is one, else in deviations.

    scale: [K]; says how many decimals an error needs, and which is as good as none (5 % of it).
    """
    unit, size = (next(iter(targets.values())), scale[0]) if len(targets) == 1 else ("standard deviations", 1.0)
    digits = decimals(size)

    def error(key: str, words: str, head: str) -> Metric:
        return bare(key, words, unit, higher=False, highest=math.inf, decimals=digits, close=0.05 * size, head=head)

    found = (bare("r2", "R²", lowest=-math.inf), error("mae", "mean absolute error", "MAE"),
             error("rmse", "root mean squared error", "RMSE"),
             bare("spearman", "Spearman's rank correlation", lowest=-1.0, head="Spearman"),
             share("coverage", "targets inside their interval", head="coverage"),
             error("width", "mean width of the intervals", "width"),
             nats("nll", "negative log-likelihood", lowest=-math.inf))
    return {one.key: one for one in found}


def weighted(result: Outcome, weights: Array, names: Sequence[str]) -> dict[str, Array]:
    """The metrics `names` under each of R weightings [B, R]: [R] each.

    r2: against the weighted mean of the same samples; 0 where the targets do not vary, or 1 where all are hit
    spearman: the weighted correlation of the ranks that samples have among all of them (ties share the mean), so that
        ranks do not move with the weights; 0 where the targets or the predictions do not vary
    coverage: the share of targets inside their interval, which should be the one that was asked for: more is no better
    nll: of normal distributions, of scaled targets
    """
    error, scale = result.prediction - result.y, np.asarray(result.scale) if result.y.shape[1] > 1 else np.ones(1)
    centred = result.y - result.y.mean(0)
    needed = {"mae": (np.abs(result.central - result.y) / scale).mean(1), "nll": result.nll,
              "width": (2 * result.half / scale).mean(1), "coverage": (np.abs(error) <= result.half).mean(1)}
    rows = [needed[name][None] for name in needed if name in names]
    squares = [(error**2).T, *_moments(centred)] if {"r2", "rmse"} & set(names) else []
    *each, total = np.split(np.concatenate([*rows, *squares, np.ones((1, len(error)))]) @ weights,
                            np.cumsum([len(part) for part in (*rows, *squares)]))
    means = [part / total for part in each]  # one pass over the weights, which are many, for all of them
    values = {name: part[0] for name, part in zip((name for name in needed if name in names), means, strict=False)}
    if squares:
        square, middle, spread = means[len(rows):]
        spread = _variance(middle, spread, centred)
        values["rmse"] = (np.sqrt(square) / scale[:, None]).mean(0)
        values["r2"] = np.where(spread > 0, 1 - square / np.where(spread > 0, spread, 1), square == 0).mean(0)
    if "spearman" in names:
        values["spearman"] = correlation(ranks(result.y), ranks(result.prediction), weights).mean(0)
    return {name: values[name] for name in names}


def correlation(a: Array, b: Array, weights: Array) -> Array:
    """Of the columns of two [B, K] under weightings [B, R], [K, R]; 0 where one of them does not vary."""
    a, b = a - a.mean(0), b - b.mean(0)
    parts = [*_moments(a), *_moments(b), (a * b).T, np.ones((a.shape[1], len(a)))]
    *sums, total = np.split(np.concatenate(parts) @ weights, len(parts))
    one, ones, other, others, both = (part / total for part in sums)
    size = np.sqrt(_variance(one, ones, a) * _variance(other, others, b))
    return np.divide(both - one * other, size, out=np.zeros_like(both), where=size > 0)


def ranks(values: np.ndarray) -> Array:
    """Of each column of [B, K]; those that are equal share the mean of their ranks."""
    found = np.empty(values.shape)
    for k, column in enumerate(values.T):
        ordered = np.sort(column)
        found[:, k] = (np.searchsorted(ordered, column, "left") + np.searchsorted(ordered, column, "right") + 1) / 2
    return found


def half_widths(residuals: Array, share: float) -> Array:
    """Of intervals around predictions that hold `share` of new targets, from residuals [n, K] of samples that no model
    was fitted on: [K], by split-conformal prediction (Lei et al. 2018, algorithm 2).

    Their size at rank ceil((n + 1) share) holds at least that share on average, whatever the distribution is. With
    fewer than share / (1 - share) samples no finite interval does: then the largest residual.
    """
    count = len(residuals)
    rank = min(count, math.ceil(round((count + 1) * share, 9)))
    return np.sort(np.abs(residuals), axis=0)[rank - 1]


def table(result: Outcome, names: Sequence[str], places: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Per target, and per part of the samples (bool [B], by its first target): error, coverage and samples."""
    rows = {name: (k, np.ones(len(result.y), bool)) for k, name in enumerate(names)}
    rows |= {name: (0, here) for name, here in places.items() if here.any()}
    found = {}
    for name, (k, here) in rows.items():
        error = (result.prediction - result.y)[here, k]
        found[name] = {"mae": float(np.abs(error).mean()), "rmse": float(np.sqrt((error**2).mean())),
                       "bias": float(error.mean()), "coverage": float((np.abs(error) <= result.half[here, k]).mean()),
                       "support": int(here.sum())}
    return found


def _moments(centred: Array) -> list[Array]:
    """The columns of [B, K] and their squares, [K, B] each."""
    return [centred.T, (centred**2).T]


def _variance(mean: Array, square: Array, centred: Array) -> Array:
    """From weighted means [K, R] of the columns of [B, K], whose plain means are 0, and of their squares: [K, R]; 0
    where it is lost in rounding.
    """
    spread = square - mean**2
    return np.where(spread > 1e-12 * np.square(centred).mean(0)[:, None], spread, 0.0)
