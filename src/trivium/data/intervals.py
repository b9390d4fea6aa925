"""Which intervals of one table meet which of another with the same key: a sorted merge, near linear."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

PAIRS = 1 << 22  # candidates looked at together: bounds the memory


def meeting(key: np.ndarray, start: np.ndarray, end: np.ndarray, other_key: np.ndarray, other_start: np.ndarray,
            other_end: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs (i, j) of intervals with key[i] == other_key[j] that are at most `tolerance` seconds apart.

    Keys are int64 codes; a negative one meets nothing. Starts and ends are seconds and may be infinite.
    Returns i, j (int64, sorted by i, then by the start of j, then by j) and their overlap in seconds, which is
    infinite for two endless intervals and negative where there is a gap.
    """
    order = np.lexsort((other_start, other_key))
    order = order[other_key[order] >= 0]
    k, s, e = other_key[order], other_start[order], other_end[order]
    # A row is a candidate if it starts before i ends, and if some row up to it (of its key) ends after i starts.
    last = _position(k, s, key, end + tolerance, after=True)
    first = _position(k, _running_max(k, e), key, start - tolerance, after=False)
    found = []
    for a, b in _chunks(np.where(key >= 0, np.maximum(last - first, 0), 0)):
        count = np.where(key[a:b] >= 0, np.maximum(last[a:b] - first[a:b], 0), 0)
        i = np.repeat(np.arange(a, b), count)
        place = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first[a:b], count)
        overlap = np.minimum(end[i], e[place]) - np.maximum(start[i], s[place])
        near = overlap >= -tolerance
        found.append((i[near], order[place[near]], overlap[near]))
    if not found:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    i, j, overlap = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return i, j, overlap


def same_key(key: np.ndarray, other_key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """i, j of all pairs with one key, as `meeting` finds them where nothing has times. An array of each row is let go
    as soon as it can be: there may be ten million.
    """
    order = np.argsort(other_key, kind="stable")
    sorted_key = other_key[order]
    first = np.searchsorted(sorted_key, key)
    count = np.searchsorted(sorted_key, key, side="right")
    del sorted_key
    count -= first
    count[key < 0] = 0
    i = np.repeat(np.arange(len(key)), count)
    first -= np.cumsum(count) - count  # from the place of a pair to that in the order
    place = np.repeat(first, count)
    del first, count
    place += np.arange(len(place))
    return i, order[place]


def _position(key: np.ndarray, value: np.ndarray, query_key: np.ndarray, query: np.ndarray, after: bool) -> np.ndarray:
    """Where (query_key, query) belongs in the sorted (key, value): behind equal ones if `after`, else before them."""
    keys, values = np.concatenate([key, query_key]), np.concatenate([value, query])
    asked = np.concatenate([np.zeros(len(key), dtype=np.int8), np.ones(len(query), dtype=np.int8)])
    order = np.lexsort((asked if after else -asked, values, keys))
    is_query = asked[order] == 1
    position = np.empty(len(query), dtype=np.int64)
    position[order[is_query] - len(key)] = np.cumsum(~is_query)[is_query]
    return position


def _running_max(key: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The largest value so far within each run of equal keys."""
    # Ranks of values, raised by the run they are in: one running maximum serves all runs.
    unique, rank = np.unique(value, return_inverse=True)
    run = np.cumsum(np.diff(key, prepend=key[:1]) != 0)
    return unique[np.maximum.accumulate(rank + run * len(unique)) - run * len(unique)]


def _chunks(counts: np.ndarray) -> Iterator[tuple[int, int]]:
    """Ranges of rows with about PAIRS candidates each."""
    total = np.cumsum(counts)
    a = 0
    while a < len(counts):
        done = total[a - 1] if a else 0
        b = max(a + 1, int(np.searchsorted(total, done + PAIRS, side="right")))
        yield a, b
        a = b
