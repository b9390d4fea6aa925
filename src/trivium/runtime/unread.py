"""Cells of a table that say something which the model cannot read: it takes them for missing, and that is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from trivium.modalities.columns.fitted import Fitted

KINDS = {"number": "a number", "date": "a date"}


def unread(stream: str, fitted: Fitted, rows: Sequence[str]) -> list[list[str]]:
    """Per row, a sentence for each such cell. rows: packed, as `ingest` writes them."""
    from trivium.modalities.columns import packed
    from trivium.modalities.columns.typed import Column

    told: list[list[str]] = [[] for _ in rows]
    cells = packed.unpack(pa.chunked_array([pa.array(rows, pa.string())]), fitted.names)
    for one in fitted.columns:
        if one.type not in KINDS:
            continue
        column = Column(cells[one.name])
        lost = ~column.read(one.type) & ~column.missing
        for row, code in enumerate(column.code.tolist()):
            if code >= 0 and lost[code]:
                told[row].append(f"`{one.name}` of {stream} is not {KINDS[one.type]} and counts as missing: "
                                 f"{column.texts[code].as_py()[:60]!r}")
    return told
