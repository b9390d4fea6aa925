"""Which rows of a stream meet which samples on the clock that they share.

Of the rows of its key, those that overlap with a sample's time count; where none does, those at most `tolerance`
seconds away. A row that is a moment overlaps with the time that it lies in; at a common bound it is of the later
sample. Of several rows, `take` says which count:

- `all`: all, in the order of time, with a space between (text, by default)
- `overlap`: the one with the largest overlap (what lasts, by default)
- `nearest`: the one that is nearest to the sample's moment (pictures and tables, by default)
- `before`, `after`: the last one that began by then, the first one from then on
- `mean`: all, each for as long as it overlaps (tables)
- `interpolate`: the last one before the sample's moment and the first one after it, the nearer the more (tables)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from trivium.data import tables
from trivium.data.intervals import meeting, same_key
from trivium.data.linked_rows import Known
from trivium.data.settings import Align
from trivium.data.wanted import Timed, Wanted
from trivium.modalities import has_times, is_prose, is_written
from trivium.settings.errors import UserError

SIDES = ("before", "after", "interpolate")
OVERLAP = 1e-3  # seconds; less is no overlap of what lasts
CLOSE = 1e-9


@dataclass(frozen=True)
class Stream:
    """A stream's table. timed: whether it has times;  own: whether each row is of one sample alone
    offset: seconds that are added to its times
    """

    name: str
    modality: str
    rows: Timed
    timed: bool
    own: bool
    offset: float = 0.0

    @classmethod
    def read(cls, path: Path, modality: str, offset: float = 0.0) -> Stream:
        names = tables.names(path)
        own = "sample" in names
        return cls(path.stem, modality, Timed.read(path, "sample" if own else "key"), "clock" in names, own, offset)

    @property
    def lasts(self) -> bool:
        """Whether a row has a length, of which a sample is a part."""
        return lasts(self.modality)

    @property
    def first(self) -> np.ndarray:
        return self.rows.first + self.offset

    @property
    def last(self) -> np.ndarray:
        return self.rows.last + self.offset


def lasts(modality: str) -> bool:
    return not is_written(modality) and modality != "image"


def reach(streams: Sequence[Stream], known: Known) -> tuple[np.ndarray, np.ndarray]:
    """By code of a key: the first and the last moment of the streams that have times, NaN where none has."""
    first, last = np.full(len(known), np.inf), np.full(len(known), -np.inf)
    for one in streams:
        if one.timed:
            code = known.codes(one.rows.number)
            there = (code >= 0) & np.isfinite(one.first)
            np.minimum.at(first, code[there], one.first[there])
            np.maximum.at(last, code[there], np.where(np.isfinite(one.last), one.last, one.first)[there])
    return np.where(np.isfinite(first), first, np.nan), np.where(np.isfinite(last), last, np.nan)


def meet(stream: Stream, wanted: Wanted, key: np.ndarray, other: np.ndarray, settings: Align,
         ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray, np.ndarray]:
    """i, j: int64 [pairs], sample and row, sorted by sample and by time
    weight: float64 [pairs], how much a row counts where several are made one, else None
    begin, until: float64 [samples], seconds in the row's file, NaN where unknown

    key, other: int64 codes of the samples' and the rows' keys

    Raises: UserError (samples are moments, and the stream lasts).
    """
    begin, until = (np.full(len(key), np.nan) for _ in range(2))
    if not stream.timed:
        i, j = same_key(key, other)
        if not is_prose(stream.modality) and stream.modality != "image":
            one = np.diff(i, prepend=-1) != 0
            i, j = i[one], j[one]
        return i, j, None, begin, until
    if stream.lasts and (wanted.start == wanted.end).any():
        raise UserError(f"Samples are moments, and {stream.name} lasts: say in params.yaml how much of it is of a "
                        "sample, as align.window, such as [-0.5, 0.5]; or give each row an end.")
    joined = settings.streams.get(stream.name)
    tolerance = settings.tolerance if joined is None or joined.tolerance is None else joined.tolerance
    first, last = stream.first, stream.last
    other = np.where(np.isnan(stream.rows.clock), -1, other)  # without a moment a row is at no time
    i, j, overlap = meeting(key, wanted.start, wanted.end, other, first, last, 0.0 if stream.lasts else tolerance)
    moment = first[j] == last[j]
    touch = (overlap >= OVERLAP) | ((overlap >= 0) & (moment | (wanted.start[i] == wanted.end[i]))
                                    & ~(moment & (first[j] == wanted.end[i]) & (wanted.start[i] < wanted.end[i])))
    usual = "all" if is_prose(stream.modality) else "overlap" if stream.lasts else "nearest"
    take = (joined and joined.take) or usual
    if stream.lasts:
        counts = touch
    elif take in SIDES:  # one that is near on its side counts, whatever overlaps on the other
        counts = np.ones(len(i), bool)
    else:
        counts = touch | ~np.isin(i, i[touch])
    i, j, overlap = i[counts], j[counts], overlap[counts]
    weight = None
    if take == "mean":
        weight = np.where((overlap > 0) & np.isfinite(overlap), overlap, 0.0)
        weight[~np.isin(i, i[weight > 0])] = 1.0
    elif take == "interpolate":
        i, j, weight = _between(i, j, first, last, wanted.at)
    elif take != "all":
        i, j = _chosen(take, i, j, overlap, first, last, wanted.at)
    if stream.lasts and len(i):  # one row each: the file that it is, and where in it
        base = stream.rows.clock[j] + stream.offset
        begin[i] = np.maximum(first[j], wanted.start[i]) - base
        if has_times(stream.modality):  # what is before the first point is a gap, so that the moment keeps its place
            ahead = np.isnan(stream.rows.start[j]) & np.isfinite(wanted.start[i])
            begin[i[ahead]] = wanted.start[i[ahead]] - base[ahead]
        until[i] = np.minimum(last[j], wanted.end[i]) - base
        begin, until = begin.round(9), until.round(9)
    return i, j, weight, begin, until


def _between(i: np.ndarray, j: np.ndarray, first: np.ndarray, last: np.ndarray, at: np.ndarray,
             ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The neighbours of each sample's moment, with their shares: one that it lies in, or that has no other, counts
    whole.
    """
    before, after = (_chosen(take, i, j, i, first, last, at) for take in ("before", "after"))
    left, right = (np.full(len(at), -1, np.int64) for _ in range(2))
    left[before[0]], right[after[0]] = before[1], after[1]
    share = np.where(left < 0, 1.0, 0.0)  # of the right one
    both = (left >= 0) & (right >= 0) & (at > last[left]) & (first[right] > last[left])
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(both, (at - last[left]) / (first[right] - last[left]), share)
    sample = np.repeat(np.arange(len(at)), 2)
    row, weight = np.stack([left, right], 1).ravel(), np.stack([1 - share, share], 1).ravel()
    there = (row >= 0) & (weight > 0)
    return sample[there], row[there], weight[there]


def _chosen(take: str, i: np.ndarray, j: np.ndarray, overlap: np.ndarray, first: np.ndarray, last: np.ndarray,
            at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One row of each sample."""
    place = np.arange(len(i))
    if take == "overlap":
        best = -overlap
    elif take == "nearest":
        best = np.maximum(np.maximum(first[j] - at[i], at[i] - last[j]), 0)
        best = np.where(np.isfinite(best), best, 0)
    else:
        early = first[j] <= at[i] + CLOSE if take == "before" else first[j] >= at[i] - CLOSE
        i, j = i[early], j[early]
        place = np.arange(len(i))
        best = -first[j] if take == "before" else first[j]
    order = np.lexsort((place, best, i))
    order = order[np.diff(i[order], prepend=-1) != 0]
    return i[order], j[order]


def words(start: float, end: float, dates: bool) -> str:
    """A time on the clock, as people read it."""
    each = [_one(value, dates) for value in dict.fromkeys((start, end)) if np.isfinite(value)]
    return " to ".join(each) + " s" * (not dates and bool(each))


def _one(value: float, dates: bool) -> str:
    if not dates:
        return f"{value:.3f}"
    return datetime.fromtimestamp(round(value, 3), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

