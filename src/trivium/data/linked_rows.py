"""Rows that hang together: connected components of rows that share a value in any of several columns."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def codes(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """int64 per row: equal values have equal codes, counted from 0; null is -1."""
    encoded = pc.dictionary_encode(column)
    chunk = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    return pc.fill_null(chunk.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)


def codes_in(column: pa.ChunkedArray, values: pa.Array) -> np.ndarray:
    """int64 per row: the position of its value in `values`, -1 where it is not there or null."""
    found = pc.index_in(column, value_set=values, skip_nulls=True)
    return pc.fill_null(found, -1).to_numpy().astype(np.int64)


def numbered(column: pa.ChunkedArray) -> np.ndarray:
    """int64 per row: equal values have equal numbers, in every table of this process; different ones have different
    numbers, but once in 370,000 columns of ten million values (64 bits by chance). Null has one of its own.
    """
    return np.fromiter(map(hash, chain.from_iterable(chunk.to_pylist() for chunk in column.chunks)), np.int64,
                       len(column))


NULL = hash(None)


class Known:
    """Different values that can be looked up, by their numbers (see `numbered`)."""

    def __init__(self, numbers: np.ndarray) -> None:
        self._numbers = np.unique(numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def codes(self, numbers: np.ndarray) -> np.ndarray:
        """int64 per number: its code, -1 where it is not known or null."""
        if not len(self):
            return np.full(len(numbers), -1)
        place = np.minimum(np.searchsorted(self._numbers, numbers), len(self) - 1)
        place[(self._numbers[place] != numbers) | (numbers == NULL)] = -1
        return place


def repeated(numbers: np.ndarray) -> np.ndarray:
    """bool per number: whether another row has the same."""
    order = np.argsort(numbers, kind="stable")
    alike = np.diff(numbers[order]) == 0
    found = np.zeros(len(numbers), bool)
    found[order[1:][alike]] = True
    found[order[:-1][alike]] = True
    return found


def components(rows: int, columns: Iterable[np.ndarray]) -> np.ndarray:
    """int64 [rows]: the component of each row, numbered from 0 in the order of their first rows.

    Two rows are in one component when a chain of rows leads from one to the other, each sharing with the next a code
    in some column (int64 [rows], or [rows, n] where a row has several; negative: nothing to share). Near linear: a
    search over the graph of rows and values.
    """
    links = []
    nodes = rows
    for column in columns:
        known = np.nonzero(column >= 0)
        links.append((known[0], column[known] + nodes))
        nodes += int(column.max(initial=-1)) + 1
    if not any(len(a) for a, _ in links):
        return np.arange(rows)
    return number(connected(nodes, np.concatenate([a for a, _ in links]), np.concatenate([b for _, b in links]))[:rows])


def connected(nodes: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The component of each of `nodes` under undirected edges a[i] - b[i], in no particular numbering."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(a), dtype=bool), (a, b)), shape=(nodes, nodes))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def partners(groups: np.ndarray, rows: np.ndarray, among: np.ndarray) -> list[int]:
    """Of each of `rows` the first row of its group that is `among` (bool per row) those that are asked for."""
    return [int(np.flatnonzero(among & (groups == groups[row]))[0]) for row in rows]


def number(labels: np.ndarray) -> np.ndarray:
    """The same partition, numbered from 0 in the order of first rows."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
