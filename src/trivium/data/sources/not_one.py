"""Cells that hold a list or an object where one value belongs, or an address that an import could not fetch and nobody
shall ask again: they are marked as they come in, and `validate` puts their rows in quarantine.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MARK = "\ufdd0"  # before the JSON of such a cell; no character that a text may have
BREAK = "\ufdd1"  # between an address and the reason


def unfetched(address: str, reason: str) -> str:
    """A cell with the address, which cannot be had for the `reason`."""
    return f"{MARK}{address}{BREAK}{' '.join(reason.split())}"


def why(cells: pa.ChunkedArray) -> dict[int, str]:
    """What each cell with a `MARK` is, by its row from 0. cells: string [N]"""
    rows = np.flatnonzero(pc.fill_null(pc.starts_with(cells, MARK), False).to_numpy())
    return {row: _what(text) for row, text in zip(rows.tolist(), cells.take(pa.array(rows)).to_pylist(), strict=True)}


def _what(text: str) -> str:
    _, broken, reason = text.partition(BREAK)
    if broken:
        return f"an address that the import could not fetch: {reason}"
    return f"{'an object' if text.startswith(MARK + '{') else 'a list'}, not one value"


def bare(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """As they came, for people to read."""
    return pc.replace_substring_regex(pc.utf8_ltrim(cells, MARK), f"{BREAK}.*", "")


def plain(text: str) -> str:
    """As `bare`, of one."""
    return text.lstrip(MARK).partition(BREAK)[0]
