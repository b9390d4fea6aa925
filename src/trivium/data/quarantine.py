"""Rows that cannot be used: why, where they are kept, and when they are too many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from string import Formatter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from trivium.data.expectations import Outcome
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = pa.schema([(name, pa.string()) for name in ("table", "key", "sample", "reason", "value")])
SHOWN = 5  # rows per table in a message

Reasons = dict[int, str]  # row of a table, counted from 0 -> why it is out


class Found:
    """Why rows are out, gathered from several judgements."""

    def __init__(self) -> None:
        self._texts: dict[int, dict[tuple[str, ...], str]] = {}

    def add(self, outcomes: Sequence[Outcome], frame: pd.DataFrame) -> None:
        """Rows of `frame` that failed; its index numbers rows. Of equal rows (level `first`) the first that has no
        other fault stays.
        """
        for level in ("row", "first"):
            for outcome in outcomes:
                rule, rows = outcome.rule, outcome.rows
                if rule.level != level or len(rows) == 0:
                    continue
                if level == "first":
                    rows = np.array([row for row in rows if row not in self._texts], dtype=np.int64)
                    rows = rows[frame.loc[rows, list(rule.columns)].duplicated().to_numpy()]
                fields = [field for _, field, _, _ in Formatter().parse(rule.reason) if field]
                values = [frame.loc[rows, field].to_numpy() for field in fields]
                for i, row in enumerate(rows.tolist()):
                    cells = {field: column[i] for field, column in zip(fields, values, strict=True)}
                    self._texts.setdefault(row, {}).setdefault(rule.columns, rule.reason.format(**cells))

    def reasons(self) -> Reasons:
        """Of each row the first failed rule of each set of columns, in words."""
        return {row: "; ".join(texts.values()) for row, texts in sorted(self._texts.items())}


def reasons(outcomes: Sequence[Outcome], frame: pd.DataFrame) -> Reasons:
    """Why each row of `frame` that failed is out, see `Found`."""
    found = Found()
    found.add(outcomes, frame)
    return found.reasons()


def table(name: str, keys: pa.ChunkedArray, samples: pa.Array, values: pa.ChunkedArray, out: Reasons) -> pa.Table:
    """The quarantined rows of the table `name`; keys, samples and values are those of all its rows."""
    rows = pa.array(sorted(out), type=pa.int64())
    return pa.table([pa.repeat(name, len(rows)), keys.take(rows), samples.take(rows),
                     pa.array([out[row] for row in rows.to_pylist()], type=pa.string()), values.take(rows)],
                    names=SCHEMA.names).cast(SCHEMA)


def check(counts: dict[str, int], out: dict[str, Reasons], where: Callable[[str, int], str], limit: float) -> None:
    """Raises: UserError if more than the share `limit` of any table is `out`; it shows the first rows.

    counts: rows per table;  where: (table, row) -> what tells a person which row it is
    """
    messages = []
    for name, bad in out.items():
        if len(bad) <= limit * counts[name]:
            continue
        lines = [f"  row {row + 1}, {where(name, row)}: {bad[row]}" for row in sorted(bad)[:SHOWN]]
        more = [f"  ... and {len(bad) - SHOWN:,} more"] if len(bad) > SHOWN else []
        messages.append("\n".join([f"{len(bad):,} of {counts[name]:,} rows of {name} ({len(bad) / counts[name]:.1%}) "
                                   "cannot be used:", *lines, *more]))
    if messages:
        raise UserError("\n".join(messages) + f"\nThat is more than validate.max_bad_fraction in params.yaml allows "
                        f"({limit:.1%}). Mend these rows at their source, or raise the limit: the pipeline then goes "
                        "on without them and lists them all in data/valid/quarantine.parquet.")
