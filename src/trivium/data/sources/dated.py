"""`start` and `end` that are dates: a moment of a recording whose own times are dates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from trivium import modalities
from trivium.data.moments import within
from trivium.data.sources import meant
from trivium.settings.errors import UserError


def filled(made: pa.Table, given: Mapping[str, pa.ChunkedArray], cells: pa.ChunkedArray, modality: str, folder: Path,
           path: Path, before: int) -> pa.Table:
    """`made` with the seconds of those times that are dates.

    made: rows of a stream, with `value`, and `start` and `end` as `meant.seconds` has them: null at dates
    given: the times as the table has them, of all its rows;  cells: those of the stream, null where `made` has no row
    folder: of relative paths;  path: of the table;  before: rows of it in front of these
    Raises: UserError (a date, where the file has seconds).
    """
    kind = modalities.get(modality)

    @cache
    def since(value: str) -> float | None:
        return kind.since(value, folder) if modalities.has_times(modality) else None

    values, there = made["value"], np.flatnonzero(cells.is_valid().to_numpy())
    for name, column in given.items():
        moments = meant.dates(column)[there]
        rows = np.flatnonzero(~np.isnan(moments))
        if not len(rows):
            continue
        seconds = made[name].to_numpy().copy()
        for row in rows.tolist():
            try:
                begin = since(values[row].as_py())
            except (ValueError, UserError):
                continue  # the file cannot be read: it goes to quarantine for that
            try:
                seconds[row] = within(float(moments[row]), begin)
            except ValueError as error:
                place = int(there[row])
                raise UserError(f"{path}: row {before + place + 1} has the {name} `{column[place].as_py()}`, "
                                f"{error} ({values[row].as_py()}).") from None
        made = made.set_column(made.schema.get_field_index(name), name, pa.array(seconds, from_pandas=True))
    return made
