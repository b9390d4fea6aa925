"""Counts of n-grams in an Arrow IPC file: rows of any length, of which any can be gathered from the disk.

A row is a list of pairs (id, count), int32, flat in one list column. Legend: `B` rows, `L` pairs of the longest row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from scipy.sparse import csr_array

BATCH_ROWS = 1024  # of every record batch but the last
SCHEMA = pa.schema([pa.field("pairs", pa.large_list(pa.int32()), nullable=False)])

Row = tuple[np.ndarray, np.ndarray]  # ids and counts, [L] each


class RaggedWriter:
    """Rows -> a file whose bytes depend on the rows alone, not on how many were added at a time."""

    def __init__(self, path: Path) -> None:
        self.waiting: list[np.ndarray] = []
        self.file = pa.ipc.new_file(str(path), SCHEMA)

    def add(self, rows: Iterable[Row]) -> None:
        for ids, counts in rows:
            self.waiting.append(np.stack([ids, counts], 1).astype(np.int32).ravel())
            if len(self.waiting) == BATCH_ROWS:
                self._flush()

    def _flush(self) -> None:
        ends = np.cumsum([0, *(len(row) for row in self.waiting)])
        pairs = pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), pa.array(np.concatenate(self.waiting)),
                                              type=SCHEMA.field(0).type)
        self.file.write_batch(pa.record_batch([pairs], schema=SCHEMA))
        self.waiting = []

    def __enter__(self) -> RaggedWriter:
        return self

    def __exit__(self, *_: object) -> None:
        if self.waiting:
            self._flush()
        self.file.close()


class RaggedColumn:
    """What a `RaggedWriter` wrote; it stays on the disk until rows of it are asked for."""

    def __init__(self, path: Path) -> None:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        parts = [reader.get_batch(i).column(0) for i in range(reader.num_record_batches)]
        self._parts = [(part.offsets.to_numpy(), part.values.to_numpy(zero_copy_only=True)) for part in parts]
        self.rows = sum(len(part) for part in parts)

    def gather(self, rows: np.ndarray) -> np.ndarray:
        """int32 [B, L, 2]: id and count, 0 behind a row's own pairs; L is at least 1."""
        found = list(self._pairs(rows))
        padded = np.zeros((len(found), max([1, *map(len, found)]), 2), np.int32)
        for i, pairs in enumerate(found):
            padded[i, : len(pairs)] = pairs
        return padded

    def csr(self, rows: np.ndarray, buckets: int) -> csr_array:
        """float32 [B, `buckets`] of counts; id i stands in column i - 1."""
        from scipy.sparse import csr_array

        found = list(self._pairs(rows))
        pairs = np.concatenate([np.zeros((0, 2), np.int32), *found])
        ends = np.cumsum([0, *map(len, found)])
        return csr_array((pairs[:, 1].astype(np.float32), pairs[:, 0] - 1, ends), shape=(len(found), buckets))

    def _pairs(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """int32 [L, 2] of each row."""
        for part, row in zip(*(place.tolist() for place in np.divmod(rows, BATCH_ROWS)), strict=True):
            offsets, values = self._parts[part]
            yield values[offsets[row]: offsets[row + 1]].reshape(-1, 2)
