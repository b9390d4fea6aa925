"""Fixed-size vectors in an Arrow IPC file, a row at a known place, so that any rows can be gathered from the disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

BATCH_BYTES, BATCH_ROWS = 1 << 25, 4096  # of a record batch, whichever is less
COPY_BELOW = 1 << 28  # bytes; a column this small is copied into memory once, a larger one stays on the disk


class Writer:
    """Tensors -> an Arrow IPC file whose record batches have the same number of rows (the last may have fewer)."""

    def __init__(self, path: Path, columns: list[str], size: int, dtype: str) -> None:
        self.columns, self.size = columns, size
        row_bytes = size * len(columns) * np.dtype(dtype).itemsize
        rows = max(1, min(BATCH_ROWS, BATCH_BYTES // row_bytes))
        self.buffer = np.zeros((rows, len(columns), size), dtype)
        self.filled = 0
        self.chunk = -(-rows // 16)  # rows; a handy number to add at a time
        kind = pa.list_(pa.from_numpy_dtype(np.dtype(dtype)), size)
        self.schema = pa.schema([pa.field(name, kind, nullable=False) for name in columns])
        self.file = pa.ipc.new_file(str(path), self.schema)

    def add(self, x: np.ndarray) -> None:
        """x [B, columns, size]."""
        while len(x):
            fits = x[: len(self.buffer) - self.filled]
            self.buffer[self.filled: self.filled + len(fits)] = fits
            self.filled += len(fits)
            x = x[len(fits):]
            if self.filled == len(self.buffer):
                self._flush()

    def _flush(self) -> None:
        arrays = [pa.FixedSizeListArray.from_arrays(pa.array(self.buffer[: self.filled, i].ravel()), type=field.type)
                  for i, field in enumerate(self.schema)]
        self.file.write_batch(pa.record_batch(arrays, schema=self.schema))
        self.filled = 0

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        if self.filled:
            self._flush()
        self.file.close()


class Column:
    """One fixed-size-list column of an Arrow IPC file whose record batches all have the same number of rows."""

    def __init__(self, path: Path, name: str) -> None:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        arrays = [reader.get_batch(i).column(name) for i in range(reader.num_record_batches)]
        size = arrays[0].type.list_size
        self._parts = [array.flatten().to_numpy(zero_copy_only=True).reshape(-1, size) for array in arrays]
        self._rows = len(self._parts[0])  # of every part but the last, which may be shorter
        self.row_bytes = size * self._parts[0].itemsize
        if len(self._parts) > 1 and sum(len(part) for part in self._parts) * self.row_bytes < COPY_BELOW:
            self._parts = [np.concatenate(self._parts)]
            self._rows = len(self._parts[0])

    def gather(self, rows: np.ndarray) -> np.ndarray:
        """[B, size], a copy."""
        if len(self._parts) == 1:
            return self._parts[0][rows]
        part, row = np.divmod(rows, self._rows)
        found = np.empty((len(rows), self._parts[0].shape[1]), self._parts[0].dtype)
        for i in np.unique(part):
            here = part == i
            found[here] = self._parts[i][row[here]]
        return found
