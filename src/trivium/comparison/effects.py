"""What each factor of a sweep is worth: main effects with intervals, `reports/sweep.json`.

`N` combinations, `J` seeds, a factor with `L` levels. For each seed, by least squares over the combinations,

    y[c, j] = m[j] + sum over factors of effect[level of c, j] + rest[c, j]        (effects of a factor sum to zero)

Seeds are paired, so what a seed makes of all combinations alike is in m[j] and gone. Intervals are those of a
randomised block design, seeds being the blocks: the effects of L levels at J seeds leave a variance s^2 with
(L - 1)(J - 1) degrees of freedom.

- A level: its mean effect over seeds, t-interval with s^2 (L - 1) / (L J).
- A factor: the range between its best and its worst level. The best of several looks better than it is; Tukey's
  studentised range q counts with that: range -+ q sqrt(s^2 / J). It holds for all differences of levels at once, and so
  for the true range, with the confidence that is asked for, or more. It never goes below 0.

The combinations are taken as they are. What an additive model cannot see, that a fusion is good with one strategy and
bad with another, is in `rest`: its size, the combination that is missed most, and whether seeds alone would explain it
(F-test of the mean rest against its spread over seeds). Where the data names its test set, all seeds share its samples,
and the doubt in these is not in the intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trivium.comparison.intervals import Span
from trivium.comparison.out import AsRead
from trivium.comparison.verdict import listed
from trivium.data.out import Out, Part
from trivium.tasks.metric import Metric

OUT = "reports/sweep.json"
HARDLY = 0.3  # of `Metric.close`, for shares 1.5 points: a range that ends below it hardly matters
Array = NDArray[np.float64]


class Level(Part):
    """effect: in the metric, against the mean of the factor's levels.  runs: combinations that have it."""

    name: str
    effect: Span
    runs: int


class Factor(Part):
    """levels: best first.  range: between the best and the worst."""

    name: str
    levels: list[Level]
    range: Span
    sentence: str


class Combination(Part):
    """levels: factor -> level.  value: of the metric, with the interval of its own comparison.  sum: what the main
    effects say.  flops: mean over seeds.
    """

    levels: dict[str, str]
    value: Span
    sum: float
    flops: float


class Left(Part):
    """A combination that was not run, and why."""

    levels: dict[str, str]
    reason: str


class Rest(Part):
    """What the main effects do not explain. sd: of combinations around their sum.  p: that seeds alone make it, None
    where too few combinations are left to tell.  most, miss: the combination that is missed most, and by how much it is
    higher than the sum says.
    """

    sd: float
    p: float | None = None
    most: dict[str, str]
    miss: float
    sentence: str


class Sweep(Out):
    """grid: combinations in all.  possible: those that can be run."""

    title: str
    metric: AsRead
    seeds: int
    confidence: float
    grid: int
    possible: int
    factors: list[Factor]
    combinations: list[Combination]
    left: list[Left]
    rest: Rest
    sentence: str


@dataclass(frozen=True)
class Effects:
    """Of one factor. effect: [L], mean over seeds, with the half width of its interval.  span: of the range."""

    levels: tuple[str, ...]
    effect: Array
    half: float
    range: Span


@dataclass(frozen=True)
class Fitted:
    """effects: by factor.  sums: [N], what they say of each combination.  sd, p: see `Rest`."""

    effects: dict[str, Effects]
    sums: Array
    sd: float
    p: float | None


def fit(combinations: Sequence[Mapping[str, str]], values: Array, confidence: float = 0.95) -> Fitted:
    """combinations: factor -> level, of each;  values: [N, J].

    Raises:
        ValueError: the combinations do not tell the levels apart.
    """
    matrix = coded(combinations)
    count, seeds = values.shape
    free = count - matrix.shape[1]
    if np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        raise ValueError("some levels come only together")
    weights = np.linalg.lstsq(matrix, values, rcond=None)[0]  # [P, J]
    found, place = dict[str, Effects](), 1
    for name, levels in _levels(combinations).items():
        own = weights[place: place + len(levels) - 1]
        place += len(levels) - 1
        found[name] = _effects(tuple(levels), np.vstack([own, -own.sum(0)]), confidence)
    rest = values - matrix @ weights
    return Fitted(found, (matrix @ weights).mean(1), *_rest(rest, free, seeds))


def coded(combinations: Sequence[Mapping[str, str]]) -> Array:
    """[N, 1 + sum of (levels - 1)]: a 1, and for each factor which level it is, in the order in which they come; the
    last one is -1 in all columns of its factor, so that effects sum to zero.
    """
    columns = [np.ones(len(combinations))]
    for name, (*others, last) in _levels(combinations).items():
        columns += [np.array([float(one[name] == level) - float(one[name] == last) for one in combinations])
                    for level in others]
    return np.stack(columns, 1)


def _levels(combinations: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """Factor -> levels, in the order in which they come."""
    return {name: list(dict.fromkeys(one[name] for one in combinations)) for name in combinations[0]}


def _effects(levels: tuple[str, ...], each: Array, confidence: float) -> Effects:
    """each: [L, J]."""
    from scipy.special import stdtrit
    from scipy.stats import studentized_range

    count, seeds = each.shape
    mean = each.mean(1)
    if count == 1:
        return Effects(levels, mean, 0.0, Span(mean=0.0, low=0.0, high=0.0))
    free = (count - 1) * (seeds - 1)
    variance = float(((each - mean[:, None]) ** 2).sum()) / free
    half = float(stdtrit(free, (1 + confidence) / 2) * np.sqrt(variance * (count - 1) / (count * seeds)))
    wide = float(studentized_range.ppf(confidence, count, free) * np.sqrt(variance / seeds))
    between = float(mean.max() - mean.min())
    return Effects(levels, mean, half, Span(mean=between, low=max(0.0, between - wide), high=between + wide))


def _rest(rest: Array, free: int, seeds: int) -> tuple[float, float | None]:
    """The spread of the combinations around the sum of effects, and the chance of it by the seeds alone."""
    from scipy.stats import f

    if free < 1:
        return 0.0, None
    mean = rest.mean(1)
    between = float((mean ** 2).sum()) / free
    noise = float(((rest - mean[:, None]) ** 2).sum()) / (free * (seeds - 1))
    p = float(f.sf(seeds * between / noise, free, free * (seeds - 1))) if noise > 0 else None
    return float(np.sqrt(between)), p


def gather(title: str, metric: Metric, results: Sequence[tuple[Mapping[str, str], Span, Sequence[float], float]],
           left: Sequence[Left], grid: int, possible: int, confidence: float = 0.95) -> Sweep:
    """`sweep.json`. results: of each combination its levels, value, value per seed, and FLOPs.

    Raises: ValueError (see `fit`).
    """
    combinations, values = [levels for levels, *_ in results], np.array([each for _, _, each, _ in results])
    found = fit(combinations, values, confidence)
    factors = sorted((_factor(name, one, combinations, metric) for name, one in found.effects.items()),
                     key=lambda factor: -factor.range.mean)
    made = [Combination(levels=dict(levels), value=value, sum=float(total), flops=flops)
            for (levels, value, _, flops), total in zip(results, found.sums, strict=True)]
    best = sorted(made, key=lambda one: -one.value.mean if metric.higher else one.value.mean)
    rest = _said(found, made, values, metric)
    several = [factor.sentence for factor in factors if len(factor.levels) > 1]
    return Sweep(title=title, metric=metric, seeds=values.shape[1], confidence=confidence, grid=grid, possible=possible,
                 factors=factors, combinations=best, left=list(left), rest=rest, sentence=" ".join(several))


def _factor(name: str, found: Effects, combinations: Sequence[Mapping[str, str]], metric: Metric) -> Factor:
    levels = [Level(name=level, effect=Span(mean=mean, low=mean - found.half, high=mean + found.half),
                    runs=sum(one[name] == level for one in combinations))
              for level, mean in zip(found.levels, found.effect.tolist(), strict=True)]
    levels.sort(key=lambda level: -level.effect.mean if metric.higher else level.effect.mean)
    return Factor(name=name, levels=levels, range=found.range, sentence=_sentence(name, levels, found.range, metric))


def _sentence(name: str, levels: Sequence[Level], span: Span, metric: Metric) -> str:
    """Whether it matters, by how much, and between which levels."""
    if len(levels) == 1:
        return f"The {name} was always {levels[0].name}."
    unit = metric.short or f"of {metric.words}"
    amount = f"{metric.number(span.mean)} {unit} ({metric.number(span.low)} to {metric.number(span.high)})"
    between = f" between {levels[0].name} and {levels[-1].name}"
    small = span.high <= metric.close
    if span.high <= HARDLY * metric.close:
        said = f"The {name} hardly matters here"
    elif span.low > 0:
        said = f"The {name} matters{' a little' if small else ''}"
    else:
        said = f"The {name} matters little, if at all" if small else f"Whether the {name} matters is open"
    return f"{said}: {amount}{between}."


def _said(found: Fitted, made: Sequence[Combination], values: Array, metric: Metric) -> Rest:
    misses = values.mean(1) - found.sums
    worst = int(np.argmax(np.abs(misses)))
    most, miss = made[worst].levels, float(misses[worst])
    if found.p is None:
        words = "Too few combinations were run to tell whether the factors add up."
    else:
        unit = metric.short or f"of {metric.words}"
        better = (miss > 0) == metric.higher
        words = (f"Around the sum of these effects, combinations scatter by {metric.number(found.sd)} {unit}. The sum "
                 f"misses {named(most)} most, which is {metric.number(abs(miss))} {unit} "
                 f"{'better' if better else 'worse'}. ")
        words += (f"Seeds alone may explain that (p = {found.p:.2g})." if found.p >= 0.05 else
                  f"Seeds alone do not explain that (p = {found.p:.2g}): what is best depends on the combination.")
    return Rest(sd=found.sd, p=found.p, most=most, miss=miss, sentence=words)


def named(levels: Mapping[str, str]) -> str:
    """"joint, scratch and gated"."""
    return listed(list(levels.values()))
