"""By how much the clock of one stream is off another's: the lag at which their energies go together best.

Energy is what a modality's `energy` says (the loudness of a sound); of text with a start and an end, whether anything
is said. How it changes is compared, since that is sharp in time. Nothing is moved here: see `align.offset`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from trivium import modalities
from trivium.data import tables
from trivium.data.linked_rows import Known
from trivium.data.onclock import Stream
from trivium.data.timeline import Offset

RATE = 200  # moments per second that are compared
LONGEST = 10.0  # seconds: larger offsets are not looked for
RECORDINGS, SECONDS = 10, 1200.0  # that are looked at, and how much of each
FEWEST = 4.0  # seconds of a recording that tell anything
RISE = 0.03  # seconds over which energy rises or falls
APART = 0.25  # seconds from the best lag: nearer ones are the same peak
NEAR = 0.5  # seconds from the best lag that a stretch may be
STRETCH = 10.0  # seconds, at least
FLOOR = 0.01  # of the largest energy: what is less is silence
SURE = 1.3  # how much higher than the next the peak of a sure offset is


def estimate(valid: Path, root: str, streams: Sequence[Stream], known: Known) -> list[Offset]:
    """Of each stream with an energy but the first, against the first. known: the keys of samples"""
    felt = [one for one in streams if _energetic(one)]
    if len(felt) < 2:
        return []
    code = {one.name: known.codes(one.rows.number) for one in felt}
    others = [set(code[one.name].tolist()) for one in felt[1:]]
    both = [k for k in dict.fromkeys(code[felt[0].name].tolist())  # as the rows have them: a code is another each time
            if k >= 0 and all(k in other for other in others)][:RECORDINGS]
    found = []
    pairs: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {one.name: [] for one in felt[1:]}
    for k in both:
        first = max(min(one.first[code[one.name] == k]) for one in felt) - LONGEST
        last = min(max(one.last[code[one.name] == k]) for one in felt) + LONGEST
        last = min(last, first + SECONDS)
        if not last - first - 2 * LONGEST >= FEWEST:
            continue
        made = {one.name: envelope(valid, root, one, np.flatnonzero(code[one.name] == k), first, last) for one in felt}
        for one in felt[1:]:
            pairs[one.name].append((made[felt[0].name], made[one.name]))
    for name, each in pairs.items():
        if one_offset := match(name, felt[0].name, each):
            found.append(one_offset)
    return found


def _energetic(stream: Stream) -> bool:
    if hasattr(modalities.get(stream.modality), "energy"):
        return True
    return modalities.is_prose(stream.modality) and bool((stream.last > stream.first).any())


def envelope(valid: Path, root: str, stream: Stream, rows: np.ndarray, first: float, last: float) -> np.ndarray:
    """float64 [N]: the energy from `first` to `last` on the clock, at `RATE`; 0 where nothing is said, NaN where there
    is no file.
    """
    part = modalities.get(stream.modality)
    made = np.full(round((last - first) * RATE), 0.0 if modalities.is_prose(stream.modality) else np.nan)
    values = [""] * len(rows) if modalities.is_prose(stream.modality) else (
        tables.read(valid / f"{stream.name}.parquet", ["value"])["value"].take(pa.array(rows)).to_pylist())
    for row, value in zip(rows.tolist(), values, strict=True):
        begin, end = max(stream.first[row], first), min(stream.last[row], last)
        if not end > begin:
            continue
        place = round((begin - first) * RATE)
        if modalities.is_prose(stream.modality):
            made[place: place + max(1, round((end - begin) * RATE))] = 1.0
            continue
        base = stream.rows.clock[row] + stream.offset
        try:
            energy = part.energy(value, root, begin - base, end - base, RATE)[: len(made) - place]
        except ValueError:  # `preprocess` says so, if any sample needs it
            continue
        made[place: place + len(energy)] = energy
    return made


def match(stream: str, other: str, pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> Offset | None:
    """pairs: of each recording the energies of `other` and of `stream`, on the same moments; None where they say
    nothing. The peak of all recordings together says which lag it is, and the stretches that agree how much exactly.
    """
    changes = [(_change(a), _change(b)) for a, b in pairs]
    changes = [(a, b) for a, b in changes if a.any() and b.any()]
    if not changes:
        return None
    reach = round(LONGEST * RATE)
    whole = np.sum([_lags(a, b, reach) for a, b in changes], axis=0)
    size = np.sqrt(sum((a @ a) for a, _ in changes) * sum((b @ b) for _, b in changes))
    best = int(np.argmax(whole))
    away = np.abs(np.arange(len(whole)) - best) > APART * RATE
    ratio = float(min(whole[best] / max(whole[away].max(), 1e-9 * whole[best]), 99.0)) if whole[best] > 0 else 0.0
    lag = (_summit(whole, best) - reach) / RATE
    times, each = _stretches(changes, reach)
    near = np.abs(each - lag) <= NEAR
    # one crowded stretch can pull the peak of the whole away from where all others have theirs
    seconds, low, high = _interval(each[near]) or (lag, None, None)
    drift = _slope(times[near], each[near])
    sure = ratio >= SURE and 2 * int(near.sum()) >= len(each)
    return Offset(stream=stream, other=other, seconds=round(seconds, 4), low=low, high=high,
                  peak=round(float(whole[best] / size), 4), ratio=round(ratio, 3), stretches=len(each),
                  agree=int(near.sum()), drift=drift, sure=sure)


def _change(energy: np.ndarray) -> np.ndarray:
    """How the logarithm of the energy rises and falls; 0 on average, and where a file begins or ends: files that begin
    together may be apart in what they tell of.
    """
    missing = np.isnan(energy)
    energy = np.where(missing, 0, energy)
    if not energy.max(initial=0) > 0:
        return np.zeros(len(energy))
    level = np.log(energy / energy.max() + FLOOR)
    width = max(1, round(RISE * RATE))
    smooth = np.convolve(level, np.hanning(width + 2)[1:-1], "same")
    change = np.zeros(len(energy))
    change[width:-width] = smooth[2 * width:] - smooth[: -2 * width]
    change[np.convolve(missing, np.ones(4 * width + 1), "same") > 0.5] = 0
    return change


def _lags(a: np.ndarray, b: np.ndarray, reach: int) -> np.ndarray:
    """Sum over t of a(t) b(t - lag), for lags from -reach to reach; both of one length."""
    from scipy.signal import correlate

    both = correlate(a, b, mode="full", method="fft")
    middle = len(b) - 1
    return np.pad(both, reach)[middle: middle + 2 * reach + 1]


def _summit(curve: np.ndarray, best: int) -> float:
    """Where the parabola through a maximum and its neighbours is highest."""
    if not 0 < best < len(curve) - 1:
        return float(best)
    left, middle, right = curve[best - 1: best + 2]
    bend = left - 2 * middle + right
    return best + float(0.5 * (left - right) / bend) if bend < 0 else float(best)


def _stretches(changes: Sequence[tuple[np.ndarray, np.ndarray]], reach: int) -> tuple[np.ndarray, np.ndarray]:
    """The middle of each stretch, in seconds since its recording began, and its own best lag in seconds."""
    times, found = list[float](), list[float]()
    for a, b in changes:
        inside = len(a) - 2 * reach
        count = max(1, int(inside / (STRETCH * RATE)))
        for k in range(count):
            low, high = reach + inside * k // count, reach + inside * (k + 1) // count
            own, seen = a[low:high], b[low - reach: high + reach]
            if not own.any() or not seen.any():
                continue
            from scipy.signal import correlate

            lags = correlate(seen, own, mode="valid", method="fft")[::-1]  # lag -reach to reach
            times.append((low + high) / 2 / RATE)
            found.append((_summit(lags, int(np.argmax(lags))) - reach) / RATE)
    return np.array(times), np.array(found)


def _interval(each: np.ndarray) -> tuple[float, float, float] | None:
    """The mean, and its 95 % interval by Student's t."""
    if len(each) < 3:
        return None
    from scipy.stats import t

    mean, half = float(each.mean()), float(t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / np.sqrt(len(each)))
    return mean, round(mean - half, 4), round(mean + half, 4)


def _slope(times: np.ndarray, each: np.ndarray) -> tuple[float, float, float] | None:
    """Of a straight line through the lags of stretches, with its 95 % interval."""
    if len(each) < 4 or np.ptp(times) == 0:
        return None
    from scipy.stats import linregress, t

    line = linregress(times, each)
    half = float(t.ppf(0.975, len(each) - 2) * line.stderr)
    slope = float(line.slope)
    return round(slope, 9), round(slope - half, 9), round(slope + half, 9)
