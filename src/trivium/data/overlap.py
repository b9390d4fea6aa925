"""Which parts of files have a time in common with one of others: by sorting, never pair by pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trivium.data.twins import Parts

CLOSE = 1e-6  # seconds; rounding: a float64 has a date to a quarter of this


def overlap(parts: Parts, places: np.ndarray, place: int) -> np.ndarray:
    """bool per one of `places`, all of the file of `place`: whether they share more than rounding."""
    start, end = parts.start, _ends(parts)
    return np.minimum(end[places], end[place]) - np.maximum(start[places], start[place]) > CLOSE


def meets(parts: Parts, among: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """bool per part that is `asked` for: whether one `among` the others (both bool per part) overlaps it.

    Of those of its file that begin before it ends, the one that ends last decides. O(n log n).
    """
    start, end = parts.start, _ends(parts)
    has, wants = np.flatnonzero(among), np.flatnonzero(asked)
    place = np.concatenate([wants, has])  # what is asked first: a tie is no overlap
    when = np.concatenate([end[wants] - CLOSE, start[has]])
    order = np.lexsort((when, parts.file[place]))
    ends, last = np.unique(end[has], return_inverse=True)
    base = parts.file[place] * (len(ends) + 1)  # higher than all of the files before it
    rank = np.concatenate([np.zeros(len(wants), np.int64), 1 + last])
    latest = np.empty(len(place), np.int64)
    latest[order] = np.maximum.accumulate((base + rank)[order])
    known = np.append(-np.inf, ends)[(latest - base)[: len(wants)]]
    return known > start[wants] + CLOSE


def _ends(parts: Parts) -> np.ndarray:
    """Where each ends; a moment lasts a little, so that it is in what it lies in, and like itself."""
    return np.maximum(parts.end, parts.start + 2 * CLOSE)
