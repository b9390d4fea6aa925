"""Rows of a table on the disk, gathered some at a time in a given order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trivium.data import tables


class Cells:
    """The rows that `order` (int64) lists, which will be taken in this order, and `columns` of them.

    Where the order is that of the table, no more than a row group of it is held; else all of these columns are.
    """

    def __init__(self, path: Path, order: np.ndarray, columns: Sequence[str] | None = None) -> None:
        self._columns, self._group = columns, -1
        self._whole = None if bool((np.diff(order) >= 0).all()) else tables.read(path, columns)
        self._file = pq.ParquetFile(path, pre_buffer=False)
        counts = [self._file.metadata.row_group(k).num_rows for k in range(self._file.num_row_groups)]
        self._starts = np.append(0, np.cumsum(counts)).astype(np.int64)

    def take(self, rows: np.ndarray) -> pa.Table:
        """The next rows of the order."""
        if self._whole is not None:
            return self._whole.take(pa.array(rows))
        found = []
        for group in range(self._file.num_row_groups):
            low, high = np.searchsorted(rows, self._starts[group: group + 2])
            if low < high:
                if group != self._group:
                    self._held, self._group = self._file.read_row_group(group, self._columns, use_threads=False), group
                found.append(self._held.take(pa.array(rows[low:high] - self._starts[group])))
        return pa.concat_tables(found) if found else self._file.schema_arrow.empty_table().select(
            self._columns or self._file.schema_arrow.names)
