"""A recording at regular times: gaps stay gaps, and what a slower clock cannot show is filtered out before it is read.

Legend: `C` channels, `N` points of the recording, `T` points at regular times.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from trivium.modalities.recordings import Recording, Times

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
    values, there = np.zeros((len(found.values), count)), np.zeros((len(found.values), count), bool)
    look = (_known if found.times.shared else _look)(found.times, rate, first, last, count)
    if look is None:
        return values, there
    grid, known = _even(found.values[:, look.part], look)
    if rate * look.step < 1 - EVEN:
        grid, known = _slower(grid, known, rate * look.step)
    at, inside = look.at, len(look.at)
    if look.first is not None:
        size = max(0, min(inside, grid.shape[1] - look.first))
        values[:, :size] = grid[:, look.first: look.first + size]
        there[:, :size] = known[:, look.first: look.first + size]
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


@dataclass(frozen=True)
class _Look:
    """How wanted points are made of those that there are, as far as their times say.

    part: the points that are looked at;  step: of a regular clock that begins with them, in seconds
    place: their times on it, in steps;  whole: int64, the same where they stand on it, else None
    at: the times that are wanted inside of the recording, in steps;  first: the step from which on they are the clock's
    """

    part: slice
    step: float
    place: np.ndarray
    whole: np.ndarray | None
    at: np.ndarray
    first: int | None


def _look(times: Times, rate: float, first: float, last: float, count: int) -> _Look | None:
    """None: nothing is there."""
    wanted = first + np.arange(count) / rate
    blur = 1e-9 * max(1.0, last - first) + 2 * float(np.spacing(max(abs(first), abs(last))))
    inside = int(np.searchsorted(wanted, last - blur, "left"))
    margin = REACH * max(1 / rate, times.step) + times.step
    a, b = np.searchsorted(times.seconds, [first - margin, min(last, wanted[-1] + 1 / rate) + margin]).tolist()
    seconds = times.seconds[a:b]
    if not len(seconds) or not inside:
        return None
    step = max(times.step, (seconds[-1] - seconds[0]) / LONGEST)
    place = (seconds - seconds[0]) / step
    whole = np.round(place).astype(np.int64)
    even = np.abs(place - whole).max() <= EVEN * max(1.0, 1e-3 * len(place)) and (np.diff(whole) > 0).all()
    at = (wanted[:inside] - float(seconds[0])) / step
    same = abs(rate * step - 1) < EXACT and abs(at[0] - round(at[0])) < EXACT and at[0] > -EXACT
    return _Look(slice(a, b), step, place, whole if even else None, at, round(at[0]) if same else None)


_known = functools.lru_cache(4)(_look)


def _even(values: np.ndarray, look: _Look) -> tuple[np.ndarray, np.ndarray]:
    """Values on the regular clock, 0 in gaps; and where there is one, [C, T]."""
    place, whole = look.place, look.whole
    if whole is not None:
        made = values
        if len(whole) != whole[-1] + 1:
            made = np.full((len(values), int(whole[-1]) + 1), np.nan)
            made[:, whole] = values
        known = ~np.isnan(made)
        return np.where(known, made, 0.0), known
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
    return np.where(known, made, 0.0), known


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
