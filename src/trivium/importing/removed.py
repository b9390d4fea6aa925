"""Rows taken out of a table that an import has made, with the files that only they name: as if they had never come."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from trivium.data import tables
from trivium.importing.written import MEDIA


def remove(path: Path, column: str, names: Collection[str]) -> tuple[int, int]:
    """Take the rows whose `column` is one of `names` out of `rows.parquet` at `path`. Returns how many rows went, and
    how many files.
    """
    gone = pa.array(sorted(names), pa.string())
    removed, kept, count = set[str](), set[str](), 0
    with tables.Writer(path) as file:
        for piece in tables.pieces(path):
            out = pc.is_in(pc.utf8_trim_whitespace(piece[column]), gone)
            removed |= _files(piece.filter(out))
            kept |= _files(stays := piece.filter(pc.invert(out)))
            count += len(piece) - len(stays)
            file.add(stays)
    alone = [path.parent / name for name in removed - kept]
    for one in alone:
        one.unlink(missing_ok=True)
    return count, len(alone)


def _files(rows: pa.Table) -> set[str]:
    """What was written beside the table and these rows name."""
    found = set[str]()
    for column in rows.columns:
        if pa.types.is_string(column.type):
            found |= {cell for cell in column.unique().to_pylist() if cell and cell.startswith(f"{MEDIA}/")}
    return found
