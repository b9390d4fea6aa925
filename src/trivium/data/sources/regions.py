"""Columns of regions, written into the values of their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from trivium.modalities.media import regions
from trivium.settings.errors import UserError


def boxed(column: pa.ChunkedArray, sides: Sequence[pa.ChunkedArray], path: Path,
          names: Sequence[str]) -> pa.ChunkedArray:
    """Values with their regions; rows without one are the whole picture. sides: x, y, width, height;  names: of these

    Raises: UserError (a side is missing or no number; a region without an area, or left of or above its picture).
    """
    made = []
    for row, (value, *cells) in enumerate(zip(column.to_pylist(), *(one.to_pylist() for one in sides), strict=True), 1):
        if not value or all(cell is None for cell in cells):
            made.append(value)
            continue
        box = [_number(cell, path, row, name) for cell, name in zip(cells, names, strict=True)]
        if min(box[:2]) < 0 or min(box[2:]) <= 0:
            given = ", ".join(f"{name} {number:g}" for name, number in zip(names, box, strict=True))
            raise UserError(f"{path}: row {row} has the region {given}, which lies outside of its picture or has no "
                            "area: mend the row, or leave the four cells empty.")
        made.append(regions.marked(value, [box]))
    return pa.chunked_array([made], pa.string())


def _number(cell: str | None, path: Path, row: int, name: str) -> float:
    try:
        return float(cell or "")
    except ValueError:
        what = f"`{cell}`, which is no number of pixels" if cell else "nothing"
        raise UserError(f"{path}: row {row} has {what} in the column `{name}`: a region has four numbers, x, y, width "
                        "and height.") from None
