"""From a metric per seed and its bootstrap replicates to a mean, an interval and a p-value.

`J` seeds, `R` resamples. Works for a strategy's metric and for the difference of two strategies alike.

With few seeds a percentile interval of the hierarchical bootstrap is too narrow: resampling 5 seeds shows 4/5 of their
variance and knows nothing of the doubt in it. So the bootstrap supplies only what it is good at, the covariance of the
seeds' values over *samples*, and the seeds are treated as a t-test does:

    variance of the mean = s^2 / J + c        half width^2 = t^2 s^2 / J + z^2 c

    s^2  variance of the J values: seed, split and sampling noise together; t has J - 1 degrees of freedom
    c    mean covariance of two seeds' replicates: what they share because they were tested on the same samples;
         0 where test sets are disjoint, all of the sample variance where they are the same and the seeds agree;
         known from many samples, so z is normal

The variance is the two-way cluster-robust one (compare Cameron, Gelbach & Miller 2011) without its bias for few seeds;
each part keeps its own quantile (the MOVER principle, Zou & Donner 2008), because pooled degrees of freedom
(Satterthwaite) are too hopeful in the far tails that a correction for many comparisons looks at. The interval is never
narrower than the samples alone would make it with the seeds held fixed: s^2 of a few values can be nearly 0 by chance.
`benchmarks/evidence` measures the coverage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trivium.data.out import Part
from trivium.tasks.scores import Array


class Span(Part):
    """A mean over seeds with the ends of its interval, or with its worst and best seed; sd: between seeds."""

    mean: float
    low: float
    high: float
    sd: float | None = None


def seen(values: Sequence[float]) -> Span:
    """The mean of a value per seed, the worst and the best one."""
    return Span(mean=float(np.mean(values)), low=min(values), high=max(values))


@dataclass(frozen=True)
class Estimate:
    """`mean` over seeds, the ends of its interval, `sd` between seeds, and the two-sided p-value of a mean of 0."""

    mean: float
    low: float
    high: float
    sd: float
    p: float

    @property
    def span(self) -> Span:
        return Span(mean=self.mean, low=self.low, high=self.high)

    def within(self, lowest: float, highest: float) -> Estimate:
        """The same, its interval less what is impossible: two shares differ by 1 at most."""
        return replace(self, low=max(self.low, lowest), high=min(self.high, highest))


def estimate(values: Array, replicates: Array, confidence: float = 0.95, overlap: float | None = None) -> Estimate:
    """The mean of `values` `[J]` with its interval.

    replicates: `[R, J]` from `bootstrap.replicates`.
    overlap: n_test / n_train where the seeds are the folds of a cross-validation. Their training sets overlap, so their
        values go together, and the variance is that of Nadeau & Bengio (2003): (1/J + n_test/n_train) s^2, J - 1
        degrees of freedom.
    """
    from scipy.special import ndtri, stdtrit

    seeds = len(values)
    mean, variance = float(values.mean()), float(values.var(ddof=1))
    covariance = np.cov(replicates, rowvar=False)
    by_samples = max(float(covariance.sum()) / seeds**2, 0.0)
    if overlap is None:
        own = variance / seeds
        shared = max(float(covariance.sum() - covariance.trace()) / (seeds * (seeds - 1)), 0.0)
    else:
        own, shared = (1 / seeds + overlap) * variance, 0.0

    def half(tail: float) -> float:
        t, z = stdtrit(seeds - 1, 1 - tail), ndtri(1 - tail)
        return float(np.sqrt(max(t**2 * own + z**2 * shared, z**2 * by_samples)))

    width = half((1 - confidence) / 2)
    return Estimate(mean, mean - width, mean + width, float(np.sqrt(variance)), _p_value(abs(mean), half))


def over_seeds(values: Sequence[float], errors: Sequence[float] = (), confidence: float = 0.95) -> Estimate:
    """The mean of a value per seed (two or more) with its t interval, for what nobody resampled. It is never narrower
    than the errors over samples alone make it, one per seed.
    """
    from scipy.special import ndtri, stdtrit

    seeds, found = len(values), np.asarray(values, float)
    own, by_samples = float(found.var(ddof=1)) / seeds, float(np.square(errors).sum()) / seeds**2

    def half(tail: float) -> float:
        return float(max(stdtrit(seeds - 1, 1 - tail) * np.sqrt(own), ndtri(1 - tail) * np.sqrt(by_samples)))

    width, mean = half((1 - confidence) / 2), float(found.mean())
    return Estimate(mean, mean - width, mean + width, float(np.sqrt(own * seeds)), _p_value(abs(mean), half))


def never(trials: int, confidence: float = 0.95) -> float:
    """The highest rate, 0-1, of what did not happen in so many trials (Clopper & Pearson, one-sided): about 3 / trials
    at 95 %. A bootstrap of outcomes that are all the same cannot see the other one.
    """
    return 1 - (1 - confidence) ** (1 / trials)


def outperform(
    differences: Array, replicates: Array, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float, float]:
    """P(A > B): how often A comes out ahead of B in a run; ties count one half (Bouthillier et al. 2021).

    differences: A - B per seed `[J]`; replicates: the same `[R, J]`. Percentile interval of a bootstrap that redraws
    the seeds and moves all of them by what redrawing the samples does to their mean. (A seed's own sampling noise is
    in its difference already; it must not count twice.)

    Returns: share of seeds that A wins, and the ends of the interval, 0-1.
    """
    resamples, seeds = replicates.shape
    drawn = np.random.default_rng([seed, seeds]).integers(seeds, size=(resamples, seeds))
    moved = replicates.mean(1, keepdims=True) - differences.mean()
    low, high = np.quantile(_wins(differences[drawn] + moved).mean(1), [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(_wins(differences).mean()), float(low), float(high)


def _wins(differences: Array) -> Array:
    return (np.sign(np.round(differences, 12)) + 1) / 2


def _p_value(mean: float, half: Callable[[float], float]) -> float:
    """The two-sided level whose interval ends at 0: `half(p / 2) = mean`, by bisection on the logarithm of p."""
    if half(1e-12) < mean:
        return 0.0
    low, high = np.log(2e-12), 0.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if half(np.exp(middle) / 2) >= mean else (low, middle)
    return float(np.exp(high))
