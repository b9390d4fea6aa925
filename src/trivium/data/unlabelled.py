"""Rows without a label: `label` and `y` of the tables are null there. They serve recipes without labels, and no other.

Legend: `N` rows, `T` the shape of one target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

    from trivium.tasks import Task


def column(task: Task, cells: pa.ChunkedArray) -> pa.Array:
    """`y` of the cells of labels.parquet, null where a cell is."""
    import pyarrow as pa

    there = np.flatnonzero(cells.is_valid().to_numpy())
    if len(there) == len(cells):
        return task.column(task.encode(cells))
    place = np.full(len(cells), -1)
    place[there] = np.arange(len(there))
    return task.column(task.encode(cells.take(pa.array(there)))).take(pa.array(place, mask=place < 0))


def numbers(task: Task, y: pa.ChunkedArray) -> np.ndarray:
    """Targets [N, *T] of `y`; zeros, which stand for nothing, where it is null."""
    if not y.null_count:
        return task.numbers(y)
    found = task.numbers(y.drop_null())
    whole = np.zeros((len(y), *found.shape[1:]), found.dtype)
    whole[y.is_valid().to_numpy()] = found
    return whole
