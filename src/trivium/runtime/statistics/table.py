"""Of a row of a table: of each column, whether there is a value, and which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trivium.modalities.spec import Spec

DIGITS = 4  # of a number


def measured(texts: Sequence[str], fitted: Any, spec: Spec) -> list[dict[str, float | str] | None]:
    """`COLUMN state`: given, missing, unreadable, or unknown (a category that train does not have); `COLUMN value`: a
    number, days since 1970, or the name of a category that train has. None for a row that is none.
    """
    import pyarrow as pa

    from trivium.modalities.columns import packed
    from trivium.modalities.columns.fitted import FIRST, MISSING
    from trivium.modalities.columns.typed import Column

    wrong = packed.errors(pa.chunked_array([pa.array(texts, pa.string())]))
    found: list[dict[str, float | str] | None] = [None if why else {} for why in wrong]
    good = [text if why is None else "{}" for text, why in zip(texts, wrong, strict=True)]
    cells = packed.unpack(pa.array(good, pa.string()), fitted.names)
    for one in fitted.columns:
        column = Column(cells[one.name])
        if one.type in ("number", "date"):
            read = column.numbers if one.type == "number" else column.days
        else:
            codes = one.cells(column)(column.code)[:, 0, 1].astype(int).tolist()
        for row, (own, at) in enumerate(zip(found, column.code.tolist(), strict=True)):
            if own is None:
                continue
            if at < 0 or column.missing[at]:
                state = "missing"
            elif one.type in ("number", "date"):
                state = "unreadable" if read[at] != read[at] else "given"
                value: float | str = float(f"{read[at]:.{DIGITS}g}") if one.type == "number" else float(read[at] // 1)
            else:
                state = "missing" if codes[row] == MISSING else "unknown" if codes[row] < FIRST else "given"
                value = one.known[codes[row] - FIRST] if state == "given" else ""
            own[f"{one.name} state"] = state
            if state == "given":
                own[f"{one.name} value"] = value
    return found
