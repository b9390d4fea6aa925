"""A recording at regular times: gaps stay gaps, and what a slower clock cannot show is filtered out before it is read.

Legend: `C` channels, `N` points of the recording, `T` points at regular times.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from trivium.modalities.recordings import Recording

EXACT = 1e-9  # of a step: the clocks are the same
EVEN = 0.02  # of a step that a time may be off, and still be regular
APART = 5.0  # usual steps between two points, above which there is a gap
SEEN = 0.5  # share of what the filter looks at that is there, at least
REACH = 10  # steps of the slower clock to each side that the filter looks at
LONGEST = 1 << 24  # points of the finest clock that is made


def regular(found: Recording, rate: float, first: float, last: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """float64 [C, T] and bool [C, T], where there is a value: `count` points of `rate` a second from `first` on, up to
    the second `last`; 0 in gaps, and behind the end.
    """
    wanted = first + np.arange(count) / rate
    values, there = np.zeros((len(found.values), count)), np.zeros((len(found.values), count), bool)
    blur = 1e-9 * max(1.0, last - first) + 2 * float(np.spacing(max(abs(first), abs(last))))
    inside = int(np.searchsorted(wanted, last - blur, "left"))
    margin = REACH * max(1 / rate, found.step) + found.step
    a, b = np.searchsorted(found.seconds, [first - margin, min(last, wanted[-1] + 1 / rate) + margin])
    seconds, own = found.seconds[a:b], found.values[:, a:b]
    if not len(seconds) or not inside:
        return values, there
    step = max(found.step, (seconds[-1] - seconds[0]) / LONGEST)
    grid, known, begin = _even(seconds, own, step)
    if rate * step < 1 - EVEN:
        grid, known = _slower(grid, known, rate * step)
    at = (wanted[:inside] - begin) / step
    if abs(rate * step - 1) < EXACT and abs(at[0] - round(at[0])) < EXACT and at[0] > -EXACT:  # as it is
        own_first = round(at[0])
        size = max(0, min(inside, grid.shape[1] - own_first))
        values[:, :size] = grid[:, own_first: own_first + size]
        there[:, :size] = known[:, own_first: own_first + size]
        return values, there
    low = np.clip(np.floor(at + 1e-6).astype(np.int64), 0, grid.shape[1] - 1)
    high = np.minimum(low + 1, grid.shape[1] - 1)
    part = np.clip(at - low, 0, 1)
    part[part < 1e-6] = 0.0
    near = np.clip(np.round(at).astype(np.int64), 0, grid.shape[1] - 1)
    within = (at > -0.5 - 1e-6) & (at < grid.shape[1] - 0.5 + 1e-6)
    between = np.where(known[:, high], grid[:, high], grid[:, low])
    before = np.where(known[:, low], grid[:, low], between)
    values[:, :inside] = before + (between - before) * part
    there[:, :inside] = known[:, near] & within
    values[~there] = 0.0
    return values, there


def _even(seconds: np.ndarray, values: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Values on a regular clock of `step`, 0 in gaps; where there is one, [C, T]; and when that clock begins."""
    place = (seconds - seconds[0]) / step
    whole = np.round(place).astype(np.int64)
    if np.abs(place - whole).max() <= EVEN * max(1.0, 1e-3 * len(place)) and (np.diff(whole) > 0).all():
        if len(whole) == whole[-1] + 1:
            known = ~np.isnan(values)
            return np.where(known, values, 0.0), known, float(seconds[0])
        made = np.full((len(values), int(whole[-1]) + 1), np.nan)
        made[:, whole] = values
        known = ~np.isnan(made)
        return np.where(known, made, 0.0), known, float(seconds[0])
    clock = np.arange(int(place[-1] + 1e-9) + 1, dtype=np.float64)
    made, known = np.zeros((len(values), len(clock))), np.zeros((len(values), len(clock)), bool)
    for own, out, mask in zip(values, made, known, strict=True):
        has = ~np.isnan(own)
        if not has.any():
            continue
        x, y = place[has], own[has]
        out[:] = np.interp(clock, x, y)
        right = np.clip(np.searchsorted(x, clock), 0, len(x) - 1)
        left = np.clip(right - 1, 0, len(x) - 1)
        close = (x[right] - x[left] <= APART) & (clock >= x[0] - 0.5) & (clock <= x[-1] + 0.5)
        mask[:] = close | (np.abs(x[right] - clock) <= 0.5) | (np.abs(x[left] - clock) <= 0.5)
    return np.where(known, made, 0.0), known, float(seconds[0])


def _slower(grid: np.ndarray, known: np.ndarray, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Without what is faster than half a clock of `ratio` times the points. Gaps count for nothing in it."""
    from scipy.signal import oaconvolve

    taps = _low_pass(round(1 / ratio, 3))
    reach = len(taps) // 2
    each = np.concatenate([grid, known.astype(np.float64)])
    smooth = oaconvolve(each, taps[None], mode="full", axes=1)[:, reach: reach + grid.shape[1]]
    sums, weight = np.split(smooth, 2)
    good = known & (weight > SEEN * 0.9) if known.all() else weight > SEEN
    return np.where(good, sums / np.maximum(weight, SEEN * 0.5), 0.0), good


@functools.lru_cache(64)
def _low_pass(times: float) -> np.ndarray:
    """As that of `audio._low_pass`, with a sum of 1, for a clock that is so many times slower."""
    from scipy.signal import firwin

    return np.asarray(firwin(2 * math.ceil(REACH * times) + 1, min(0.999, 1 / times), window=("kaiser", 5.0)))
