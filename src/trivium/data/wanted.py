"""The time of each sample on the clock that streams share: a span, a window around a moment, or one tick."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data import tables
from trivium.data.linked_rows import numbered
from trivium.data.settings import Align
from trivium.settings.errors import UserError

MOST = 20_000_000  # samples
CLOSE = 1e-9  # of a tick: rounding, and no time
TIMES = ("clock", "start", "end", "begins")  # columns of a table


@dataclass(frozen=True)
class Timed:
    """A table. number: int64 per row, of its key (see `numbered`)
    clock, start, end: float64, seconds, NaN where there is none: when the row begins, and what part of it is meant
    begins: float64, seconds, the first of a row without a `start`; NaN stands for 0
    """

    number: np.ndarray
    clock: np.ndarray
    start: np.ndarray
    end: np.ndarray
    begins: np.ndarray

    @classmethod
    def read(cls, path: Path, key: str = "key") -> Timed:
        there = [name for name in TIMES if name in tables.names(path)]
        number = list[np.ndarray]()
        found = {name: list[np.ndarray]() for name in TIMES}
        for piece in tables.pieces(path, [key, *there]):
            number.append(numbered(piece[key]))
            for name, parts in found.items():
                parts.append(pc.fill_null(piece[name].cast(pa.float64()), np.nan).to_numpy() if name in there
                             else np.full(len(piece), np.nan))
        return cls(np.concatenate(number), *(np.concatenate(found[name]) for name in TIMES))

    @property
    def first(self) -> np.ndarray:
        """On the clock; -inf where that is unknown."""
        return _or(self.clock + self._start, -np.inf)

    @property
    def last(self) -> np.ndarray:
        """On the clock: a row with a moment and no end is that moment; inf where there is no moment."""
        return _or(self.clock + np.where(np.isnan(self.end), self._start, self.end), np.inf)

    @property
    def _start(self) -> np.ndarray:
        return np.nan_to_num(np.where(np.isnan(self.start), self.begins, self.start))


@dataclass(frozen=True)
class Wanted:
    """Samples. row: int64, of labels;  start, end, at: float64, seconds on the clock, infinite where there is no time;
    tick: seconds since its row began, None where a row is one sample
    """

    row: np.ndarray
    start: np.ndarray
    end: np.ndarray
    at: np.ndarray
    tick: np.ndarray | None

    def take(self, order: np.ndarray) -> Wanted:
        return Wanted(self.row[order], self.start[order], self.end[order], self.at[order],
                      None if self.tick is None else self.tick[order])


def wanted(labels: Timed, key: np.ndarray, settings: Align,
           reach: Callable[[], tuple[np.ndarray, np.ndarray]]) -> Wanted:
    """key: int64 code of each label row's key;  reach: by key, the first and the last moment of any stream.

    Raises: UserError (too many ticks).
    """
    row = np.arange(len(key))
    first, last = labels.first, labels.last
    if settings.every is None:
        if settings.window is None:
            return Wanted(row, first, last, first, None)
        timed = np.isfinite(first)
        before, after = settings.window
        return Wanted(row, np.where(timed, first + before, first), np.where(timed, first + after, last), first, None)
    first, last = _held(labels, key, *reach())
    every = settings.every
    low = np.ceil(first / every - CLOSE)
    high = np.floor(last / every + CLOSE) if settings.window is None else np.ceil(last / every - CLOSE)
    count = np.where(high > low, high - low, 0)  # NaN is not: a row without a time
    if settings.window is not None:
        count = np.where(first == last, 1, count)  # the tick that is next to a moment
    if not np.isfinite(count).all() or count.sum() > MOST:
        raise UserError(f"One sample per {every:g} s (align.every in params.yaml) makes more than {MOST:,} samples: "
                        "take a longer time, or give the rows of the table an end.")
    count = count.astype(np.int64)
    row = np.repeat(row, count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    at = (low[row] + place) * every
    before, after = settings.window or (0.0, every)
    return Wanted(row, at + before, at + after, at, at - first[row])


def tickless(samples: Wanted, labels: Timed, key: np.ndarray, reach: Callable[[], tuple[np.ndarray, np.ndarray]],
             ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of labels that have no sample, int64 [R], with when they begin and end, float64 [R], NaN where there is no
    time. The rest is as for `wanted`.
    """
    row = np.setdiff1d(np.arange(len(key)), samples.row)
    if not len(row):
        return row, np.empty(0), np.empty(0)
    first, last = _held(labels, key, *reach())
    return row, first[row], np.maximum(first, last)[row]


def tick_of(settings: Align) -> str:
    """What rows lack that have no sample; with a window, a tick may reach beyond its row."""
    return f"no {'whole ' if settings.window is None else ''}tick of {settings.every:g} s (align.every)"


def _held(labels: Timed, key: np.ndarray, earliest: np.ndarray, latest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """When each label row begins and ends, NaN where there is no time; one without an end holds until the next of its
    key, or to the end.
    """
    known = key >= 0
    first = np.where(np.isfinite(labels.first), labels.first, np.where(known, earliest[key], np.nan))
    order = np.lexsort((first, key))
    following = np.full(len(key), np.nan)
    same = np.diff(key[order]) == 0
    following[order[:-1][same]] = first[order[1:][same]]
    following = np.fmin(following, np.where(known, latest[key], np.nan))
    last = np.where(np.isnan(labels.end), following, labels.clock + labels.end)
    last = np.where(np.isnan(last) & known, np.maximum(latest[key], first), last)
    there = np.isfinite(first) & np.isfinite(last)
    return np.where(there, first, np.nan), np.where(there, last, np.nan)


def _or(times: np.ndarray, unknown: float) -> np.ndarray:
    return np.where(np.isnan(times), unknown, times)
