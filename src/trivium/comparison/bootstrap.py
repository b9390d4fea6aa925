"""The paired hierarchical bootstrap: one weight per unit of the test sets, shared by all strategies and all seeds.

`S` strategies, `J` seeds, `R` resamples, `N` distinct units, `B` test samples of one seed. A unit is a test sample, or
a group of them that belong together (a speaker, a video): what is hard about a voice is hard in all of its recordings,
so a thousand recordings of seven voices are no thousand independent samples.

A unit may be in the test sets of several seeds (splits are redrawn) or of all (the data names its test set). Weights
belong to the unit, so a hard one is hard, or absent, everywhere at once: that it ties the seeds together shows in the
covariance of their replicates. The same formula then serves redrawn, partly shared and fixed test sets.

Weights are exponential, the Bayesian bootstrap (Rubin 1981): mean and variance 1 as with multinomial counts, but never
0, so that no replicate loses a rare class. Of G groups a mean would scatter too little, by (G - 1) / (G + 1) in
variance; gamma weights of shape 1 - 2 / G, of which the exponential ones are the limit, make up for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from trivium.tasks.base import Array, Outcome

_CELLS = 4_000_000  # weights held at a time (32 MB)
Scores = Callable[..., dict[str, Array]]  # like `Task.weighted`


def replicates(
    strategies: Sequence[Sequence[Outcome]],
    units: Sequence[NDArray[np.int64]],
    resamples: int,
    of: Scores,
    names: Sequence[str],
    bins: int = 15,
    seed: int = 0,
    counts: Sequence[Array] | None = None,
) -> dict[str, Array]:
    """Replicates `[R, S, J]` of each metric in `names`, which `of` measures. The same units, the same weights.

    strategies: per strategy, per seed, the outcomes of the same `B` samples in the same order.
    units: per seed, `[B]`: which of the `N` units a sample is, or belongs to. Where they are groups, three or more.
    counts: per seed, `[B]`: how much each sample counts; the same where it is not given.
    """
    from threadpoolctl import threadpool_limits

    count = 1 + max(int(own.max()) for own in units)
    fewest = min(len(np.unique(own)) for own in units)
    shape = 1 - 2 / fewest if fewest < min(map(len, units)) else 1.0
    step = max(1, min(resamples, _CELLS // max(count, *map(len, units))))
    found = {name: np.empty((resamples, len(strategies), len(units))) for name in names}
    with threadpool_limits(1):  # on a busy machine more threads take many times as long
        _fill(found, strategies, units, of, names, bins, (seed, shape, count, step), counts)
    return found


def _fill(found: dict[str, Array], strategies: Sequence[Sequence[Outcome]], units: Sequence[NDArray[np.int64]],
          of: Scores, names: Sequence[str], bins: int, drawn: tuple[int, float, int, int],
          counts: Sequence[Array] | None) -> None:
    """drawn: seed and shape of the weights, how many units, resamples at a time"""
    seed, shape, count, step = drawn
    resamples = len(next(iter(found.values())))
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        weights = np.random.default_rng([seed, start]).standard_gamma(shape, (count, stop - start))
        for j, own in enumerate(units):
            mine = weights.take(own, 0)  # [B, R]; twice as fast as weights[own]
            if counts is not None:
                mine *= counts[j][:, None]
            for s, strategy in enumerate(strategies):
                for name, value in of(strategy[j], mine, names, bins).items():
                    found[name][start:stop, s, j] = value


def points(
    strategies: Sequence[Sequence[Outcome]], of: Scores, names: Sequence[str], bins: int = 15,
    counts: Sequence[Array] | None = None,
) -> dict[str, Array]:
    """The metrics themselves, `[S, J]`."""
    found = {name: np.empty((len(strategies), len(strategies[0]))) for name in names}
    for s, strategy in enumerate(strategies):
        for j, result in enumerate(strategy):
            mine = np.ones((len(result.y), 1)) if counts is None else counts[j][:, None]
            for name, value in of(result, mine, names, bins).items():
                found[name][s, j] = value[0]
    return found
