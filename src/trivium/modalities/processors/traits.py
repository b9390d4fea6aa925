"""A series as numbers that describe it: how its values are spread, how they change, how fast they swing, how they
repeat, what its parts are like, and how its channels go together. Much of it is in the spirit of catch22 (Lubba et al.
2019, arXiv 1901.10200), but each number is quick to have.

Moments, quantiles and segments keep the units; all else is of the series with mean 0 and deviation 1. Gaps are left out
of the former, and stand at the mean in the latter. Everything is made for many series at once.

Legend: `K` series or channels, `T` points, `D` features.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from trivium.modalities import series
from trivium.modalities.spec import Spec

MODALITY = "series"
Settings = series.Settings
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
SEGMENTS = 8
BANDS = 12  # of the spectrum, evenly spaced in octaves
LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # points
WIDTH = 4 + len(QUANTILES) + 2 * SEGMENTS + BANDS + 4 + len(LAGS) + 2 + 12  # features of a channel
LEADS = (1, 2, 4, 8, 16)  # points that one channel may be ahead of another
PAIR = 3 + len(LEADS)  # of two channels
MOST = 8  # channels of which each pair is looked at
PIECE = 1 << 18  # numbers that are described at once: they stay in the cache of a core
NONE = 1e-12  # of a deviation or a power that counts as none


def width(settings: Settings) -> int:
    """D: 67 for each channel, and 8 for each pair of the first 8."""
    channels = max(1, len(settings.channels))
    pairs = min(channels, MOST)
    return WIDTH * channels + PAIR * (pairs * (pairs - 1) // 2)


def spec(settings: Settings) -> Spec:
    return Spec("series", "features", (width(settings),))


def decode(value: str, root: str | Path, start: float | None, end: float | None, settings: Settings) -> np.ndarray:
    """float32 [D]. Raises: ValueError (why the file cannot be read)."""
    return together([read(value, root, start, end, settings)])[0]


def read(value: str, root: str | Path, start: float | None, end: float | None, settings: Settings,
         ) -> tuple[np.ndarray, np.ndarray]:
    """As `series.read`, without what is behind its end, which says nothing."""
    values, there = series.read(value, root, start, end, settings)
    some = np.flatnonzero(there.any(0))
    used = int(some[-1]) + 1 if len(some) else 1
    return values[:, :used], there[:, :used]


def together(found: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """float32 [B, D] of what `read` gave. Those of one length are described at once."""
    lengths = np.array([values.shape[1] for values, _ in found])
    made: list[np.ndarray] = [np.zeros(0)] * len(found)
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        size = max(1, PIECE // (length * len(found[rows[0]][0])))
        for part in (rows[k: k + size].tolist() for k in range(0, len(rows), size)):
            each, z = of_channels(*(np.concatenate([found[k][side] for k in part]) for side in (0, 1)))
            channels = len(z) // len(part)
            for n, k in enumerate(part):
                own = slice(n * channels, (n + 1) * channels)
                made[k] = np.concatenate([each[own].ravel(), *of_pairs(z[own][:MOST])])
    return np.stack(made).astype(np.float32)


def of_channels(values: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[K, WIDTH], and the series as they are compared, [K, T]. values: [K, T], 0 in gaps;  there: bool [K, T]."""
    count = np.maximum(there.sum(1), 1)[:, None]
    mean = values.sum(1, keepdims=True) / count
    centred = np.where(there, values - mean, 0.0)
    deviation = np.sqrt(np.square(centred).sum(1, keepdims=True) / count)
    z = centred / np.where(deviation > NONE * np.maximum(1, np.abs(mean)), deviation, np.inf)
    square = z * z
    moments = [mean, deviation, (square * z).sum(1, keepdims=True) / count,
               (square * square).sum(1, keepdims=True) / count]
    found = np.concatenate([*moments, _quantiles(values, there), _segments(values, there, mean), _spectrum(z),
                            _repeats(z), _changes(z, there)], 1)
    return found, z


def of_pairs(z: np.ndarray) -> list[np.ndarray]:
    """Of each pair of the series [K, T]: their correlation, the largest one at any shift, and that shift as a share;
    and for each of `LEADS` how much more they correlate when one is so far behind than when the other is.
    """
    size = z.shape[1]
    whole = 1 << (2 * size - 1).bit_length()  # as long at least, and quick
    spectra = np.fft.rfft(z, whole, axis=1)
    found = []
    for a, b in combinations(range(len(z)), 2):
        crossed = np.fft.irfft(spectra[a] * spectra[b].conj(), whole) / size
        best = int(np.argmax(crossed))
        leads = [crossed[k] - crossed[-k] for k in LEADS if k < size]
        shift = best - whole if best > size else best
        found.append(np.array([crossed[0], crossed[best], shift / size, *leads, *[0.0] * (len(LEADS) - len(leads))]))
    return found


def _quantiles(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """[K, Q], linear between points, of what is there; 0 where nothing is."""
    rising = np.sort(np.where(there, values, np.inf), 1)
    last = np.maximum(there.sum(1) - 1, 0)[:, None]
    place = last * np.array(QUANTILES)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, last)
    first = np.take_along_axis(rising, low, 1)
    with np.errstate(invalid="ignore"):
        made = first + (np.take_along_axis(rising, high, 1) - first) * (place - low)
    return np.where(np.isfinite(made), made, 0.0)


def _segments(values: np.ndarray, there: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """[K, 2 SEGMENTS]: mean and deviation of each part; of one without a value, the mean of all, and 0."""
    edges = np.linspace(0, values.shape[1], SEGMENTS + 1).round().astype(np.int64)
    centred = np.where(there, values - mean, 0.0)
    filled = np.diff(edges) > 0  # of fewer points than segments, some have none
    begins = np.minimum(edges[:-1], values.shape[1] - 1)
    count, total, squares = (np.add.reduceat(one, begins, axis=1) * filled
                             for one in (there.astype(np.float64), centred, centred * centred))
    own = total / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(squares / np.maximum(count, 1) - own**2, 0))
    return np.concatenate([own + mean, spread], 1)


def _spectrum(z: np.ndarray) -> np.ndarray:
    """[K, BANDS + 4]: the log of each band's share of the power; where its middle, its peak and 95 % of it are, as a
    share of the fastest that can be seen; and its entropy, 0-1.
    """
    window, places, edges = _bands(z.shape[1])
    bins = len(places)
    if not bins:
        return np.zeros((len(z), BANDS + 4))
    power = _power(z * window, z.shape[1])[:, 1:]
    total = power.sum(1, keepdims=True)
    share = power / np.maximum(total, NONE)
    up = np.zeros((len(z), bins + 1))
    np.cumsum(share, 1, out=up[:, 1:])
    bands = np.zeros((len(z), BANDS))
    bands[:, : len(edges) - 1] = np.diff(up[:, edges], axis=1)
    entropy = -(share * np.log(np.maximum(share, NONE))).sum(1) / max(np.log(bins), 1.0)
    told = np.stack([(share * places).sum(1),
                     places[share.argmax(1)], places[np.minimum((up[:, 1:] < 0.95).sum(1), bins - 1)],
                     entropy], 1)
    return np.concatenate([np.log(np.maximum(bands, 1e-6)), told], 1) * (total > NONE)


@functools.lru_cache(16)
def _bands(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of series of so many points: a Hann window, the frequency of each bin as a share, and where bands begin."""
    bins = size // 2
    edges = np.unique(np.geomspace(1, bins + 1, BANDS + 1).round().astype(np.int64)) - 1
    return np.hanning(size + 2)[1:-1], np.arange(1, bins + 1) / max(bins, 1), edges


def _power(z: np.ndarray, size: int) -> np.ndarray:
    found = np.fft.rfft(z, size, axis=1)
    return np.asarray(found.real**2 + found.imag**2)


def _repeats(z: np.ndarray) -> np.ndarray:
    """[K, LAGS + 2]: correlation with itself at each lag; where it first is under 1 / e and where first under 0, as
    shares of the length.
    """
    size = z.shape[1]
    whole = 1 << (2 * size - 1).bit_length()  # as long at least, and quick
    own = np.fft.irfft(_power(z, whole), whole, axis=1)[:, :size]
    own = own / np.maximum(own[:, :1], NONE)
    lags = np.minimum(LAGS, size - 1)
    firsts = [np.where((own < level).any(1), (own < level).argmax(1), size) / size for level in (1 / np.e, 0.0)]
    return np.concatenate([own[:, lags], np.stack(firsts, 1)], 1)


def _changes(z: np.ndarray, there: np.ndarray) -> np.ndarray:
    """[K, 12]: slope over the whole; size, spread, skew and sharpest of the steps; how often it crosses the mean, turns
    and rises; the longest stay above the mean; where its highest and lowest points are; the share of gaps.
    """
    size = z.shape[1]
    line = np.linspace(-1, 1, size) if size > 1 else np.zeros(1)
    slope = (z * line).sum(1) / max(np.square(line).sum(), NONE)
    gaps = 1 - there.mean(1)
    if size < 3:
        return np.stack([slope, *[np.zeros(len(z))] * 10, gaps], 1)
    steps = np.diff(z, axis=1)
    above = z > 0
    spread = steps.std(1)
    up = steps > 0
    turns = up[:, 1:] != up[:, :-1]
    return np.stack([
        slope, np.abs(steps).mean(1), spread, (steps * steps * steps).mean(1) / np.maximum(spread**3, NONE),
        np.abs(steps).max(1), np.abs(np.diff(steps, axis=1)).mean(1), (above[:, 1:] != above[:, :-1]).mean(1),
        turns.mean(1), up.mean(1), z.argmax(1) / size - z.argmin(1) / size, _longest(above) / size, gaps], 1)


def _longest(flags: np.ndarray) -> np.ndarray:
    """[K]: of each row, how many are true in a row at most."""
    place = np.arange(1, flags.shape[1] + 1)
    last = np.maximum.accumulate(np.where(flags, 0, place), axis=1)
    return np.asarray((place - last).max(1))
