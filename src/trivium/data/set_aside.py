"""What validation sets aside besides rows that are bad themselves, and all of it as a table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from trivium.data import quarantine
from trivium.data.duplicates import named
from trivium.data.frames import Rows
from trivium.data.sources import not_one


def followers(rows: Rows, labels: Rows, first: np.ndarray) -> quarantine.Reasons:
    """Kept rows that no label is left for."""
    alive = np.zeros(len(first), dtype=bool)
    alive[labels.keys_left()[labels.keys_left() >= 0]] = True
    kept = rows.kept()
    orphans = kept[~np.where(rows.key[kept] >= 0, alive[rows.key[kept]], False)]
    names = labels.take(first[rows.key[orphans]], ["sample"])["sample"].to_pylist()
    return {row: f"its sample `{name}` is in quarantine" for row, name in zip(orphans.tolist(), names, strict=True)}


def rows_of(name: str, rows: Rows, value: str, labels: Rows, first: np.ndarray) -> pa.Table:
    """See `quarantine.table`."""
    out = np.array(sorted(rows.out), np.int64)
    taken, key = rows.take(out), rows.key[out]
    if name == "labels":
        sample = taken["sample"].combine_chunks()
    else:
        known = np.flatnonzero(key >= 0)
        names = labels.take(first[key[known]], ["sample"])["sample"].combine_chunks()
        sample = named(len(out), known, names)
    return quarantine.table(name, taken["key"], sample, not_one.bare(taken[value]),
                            {place: rows.out[row] for place, row in enumerate(out.tolist())})
