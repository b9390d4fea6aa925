"""Cells that hold a list or an object where one value belongs: they are marked as they come in, and `validate` puts
their rows in quarantine.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MARK = "\ufdd0"  # before the JSON of such a cell; no character that a text may have


def why(cells: pa.ChunkedArray) -> dict[int, str]:
    """What each cell with a `MARK` is, by its row from 0. cells: string [N]"""
    rows = np.flatnonzero(pc.fill_null(pc.starts_with(cells, MARK), False).to_numpy())
    return {row: f"{'an object' if text.startswith(MARK + '{') else 'a list'}, not one value"
            for row, text in zip(rows.tolist(), cells.take(pa.array(rows)).to_pylist(), strict=True)}


def bare(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """As they came, for people to read."""
    return pc.utf8_ltrim(cells, MARK)
