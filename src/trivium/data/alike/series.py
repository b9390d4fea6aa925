"""Series: each channel at regular times, whatever its scale and offset, and two short sums to find series by.

The clock of these times has steps of a power of two seconds, so that a copy that lacks some points has the same. Two
series are as alike as their channels are correlated, on average and at the best of small shifts. One sum is how
much of each speed of change a channel has, which stays the same when the series begins a little later; the other is how
high it stands in each part. Of long ones the beginning
is compared, and of many channels the first few by name. A series without a change says too little to compare.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from trivium.data.alike import near

LEAST, MOST = 128, 256  # points that are compared; the clock is chosen so that there are as many
ODD = math.sqrt(3)  # no usual length is so many times a power of two: copies of a series get one clock
CHANNELS = 8
LONGEST, SHORTEST = 4096, 8  # usual steps of a recording that are looked at; below which it is not compared
SCALE = 16  # of a deviation in what is kept: eight deviations are told apart
FINER = 4  # shifts in a step of the clock
SHIFT = 12  # steps
LENGTHS = 1.1  # times as long that one may be
SPEEDS, PARTS = 48, 16  # of change; of a series
BITS, APART = 128, 90  # of each sum; different ones of both, above which two are not compared


def print_of(value: str, root: str | Path, start: float | None, end: float | None) -> np.ndarray | None:
    """int8 [2 + CHANNELS * MOST]: the clock's power of two, the points above LEAST, and each channel with mean 0, 0
    in gaps and behind its end; None where nothing changes, or it cannot be read.
    """
    from trivium.modalities import recordings
    from trivium.modalities.recordings.regular import regular

    try:
        found = recordings.read(value, root)
        first, last = recordings.cut(found, start, end)
    except ValueError:
        return None
    last = min(last, first + LONGEST * found.step)
    if last - first < SHORTEST * found.step:
        return None
    power = math.floor(math.log2((last - first) / (LEAST * ODD)))
    rate, order = 2.0**-power / ODD, sorted(range(len(found.channels)), key=found.channels.__getitem__)[:CHANNELS]
    count = min(MOST, round((last - first) * rate))
    values, there = regular(found, rate, first, last, count)
    kept = np.zeros((CHANNELS, MOST), np.int8)
    for k, channel in enumerate(order):
        own = values[channel][there[channel]]
        if len(own) > 1 and (spread := own.std()) > 1e-9 * np.abs(own).max():
            kept[k, :count][there[channel]] = np.clip(np.round((own - own.mean()) / spread * SCALE), -127, 127)
    if not kept.any():
        return None
    return np.concatenate([np.array([np.clip(power, -127, 127), count - LEAST - 1], np.int8), kept.ravel()])


def pairs(prints: np.ndarray, least: float) -> np.ndarray:
    """int64 [P, 2]: rows of `prints` (int8 [N, 2 + CHANNELS * MOST]) whose correlation is `least` or more."""
    lead = near.same(prints)
    once = np.setdiff1d(np.arange(len(prints)), lead[:, 1])
    found = once[near.candidates(_sums(prints[once]), APART)].reshape(-1, 2)
    keep = np.zeros(len(found), bool)
    for at in range(0, len(found), 256):
        a, b = (prints[found[at: at + 256, k]] for k in (0, 1))
        lengths = np.stack([a[:, 1], b[:, 1]]).astype(np.int64) + LEAST + 1
        timed = (a[:, 0] == b[:, 0]) & (lengths.max(0) <= LENGTHS * lengths.min(0))
        keep[at: at + len(a)] = timed & (_alike(_lines(a), _lines(b)) >= least)
    return np.concatenate([lead, found[keep]])


def _lines(prints: np.ndarray) -> np.ndarray:
    """float32 [N, CHANNELS, MOST]."""
    return prints[:, 2:].reshape(-1, CHANNELS, MOST).astype(np.float32)


def _alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[P]: the best mean correlation of channels over shifts, each of the part that both have."""
    used = (a != 0).any((0, 2)) | (b != 0).any((0, 2))
    a, b, size = a[:, used], b[:, used], 2 * MOST
    across = np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size))
    shifts = np.arange(-FINER * SHIFT, FINER * SHIFT + 1)
    products = np.fft.irfft(across, FINER * size)[..., shifts] * FINER  # of all points
    steps = np.round(shifts / FINER).astype(int)  # point t of `b` stands at t + step of `a`
    first, last = np.maximum(steps, 0), MOST + np.minimum(steps, 0)
    here, there = _parts(a, first, last), _parts(b, first - steps, last - steps)
    alike = products - here[0] * there[0] / np.minimum(here[2], there[2])
    spread = np.sqrt(here[1] * there[1])
    alike = np.where(spread > 0, alike / np.maximum(spread, 1e-9), 0)
    changes = ((a != 0).any(2) | (b != 0).any(2)).sum(1)
    return np.minimum(alike.sum(1) / changes[:, None], 1).max(1)


def _parts(lines: np.ndarray, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[P, CHANNELS, shifts] each, of the points from `first` to `last`: their sum, the sum of squares around their
    mean, and how many there are.
    """
    each = (lines, np.square(lines), (lines != 0).astype(np.float32))
    run = (np.concatenate([np.zeros((*one.shape[:2], 1)), one.cumsum(2, dtype=np.float64)], 2) for one in each)
    total, squares, count = (one[..., last] - one[..., first] for one in run)
    count = np.maximum(count, 1)
    return total, np.maximum(squares - total**2 / count, 0), count


def _sums(prints: np.ndarray) -> np.ndarray:
    """uint8 [N, 2 * BITS / 8]: of how much there is of each speed of change, and of the means of `PARTS` parts."""
    lines, counts = _lines(prints), prints[:, 1].astype(np.int64) + LEAST + 1
    place = np.arange(MOST) / np.maximum(counts, 1)[:, None]
    inside = np.where(place < 1, np.sin(np.pi * place) ** 2, 0).astype(np.float32)  # ends may be cut: they count little
    speeds = np.sqrt(np.abs(np.fft.rfft(lines * inside[:, None], 2 * MOST))[..., 1: SPEEDS + 1])
    run = np.concatenate([np.zeros((*lines.shape[:2], 1)), lines.cumsum(2, dtype=np.float64)], 2)
    edges = np.round(np.linspace(0, counts, PARTS + 1)).astype(np.int64).T[:, None]
    parts = np.diff(np.take_along_axis(run, np.broadcast_to(edges, (*lines.shape[:2], PARTS + 1)), 2))
    return np.concatenate([near.signs(one - (one.mean(0) if len(one) else 0), BITS) for one in
                           (each.reshape(len(prints), -1).astype(np.float64) for each in (speeds, parts))], 1)
