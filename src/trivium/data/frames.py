"""Raw tables, and the frames in which Great Expectations sees them: each row beside what was measured of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data import tables
from trivium.data.linked_rows import codes_in
from trivium.data.probe import Measures
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from trivium.tasks import Task

LABELS = ("sample", "key", "label", "group", "domain", "language", "split", "start", "end")
STREAM = ("key", "value", "digest", "start", "end")
SPLIT_NAMES = {"dev": "val", "valid": "val", "validation": "val", "training": "train", "testing": "test"}
VALUE_SHOWN = 100  # characters of a value in a message


@dataclass
class Rows:
    """A raw table. key: int64 per row, its key as a number, -1 for one that no label has or none at all.
    out: why rows are in quarantine, by row.
    """

    table: pa.Table
    key: np.ndarray
    out: dict[int, str] = field(default_factory=dict)

    @property
    def timed(self) -> bool:
        return any(self.table[name].null_count < len(self.table) for name in ("start", "end"))

    def kept(self) -> np.ndarray:
        """int64, ascending: the rows that are not in quarantine."""
        stays = np.ones(len(self.table), dtype=bool)
        stays[list(self.out)] = False
        return np.flatnonzero(stays)

    def per_key(self, keys: int, kept_only: bool = True) -> np.ndarray:
        """int64 [keys]: rows of each key."""
        key = self.key[self.kept()] if kept_only else self.key
        return np.bincount(key[key >= 0], minlength=keys)


def load(raw: Path, streams: Collection[str]) -> tuple[Rows, dict[str, Rows], int]:
    """The labels, the streams' tables, with all the columns that they may have, and how many keys the labels have.

    Blank cells of labels are null, and names of splits are ours. Raises: UserError (a table is missing).
    """
    for name in ("labels", *streams):
        if not (raw / f"{name}.parquet").exists():
            raise UserError(f"{raw} has no {name}.parquet: " + ("run `dvc repro ingest`." if name == "labels" else (
                f"take {name} out of data.streams in params.yaml, or run `dvc repro ingest`.")))
    table = tables.read(raw / "labels.parquet")
    labels = _columns(table, (*LABELS, *(["weight"] if "weight" in table.column_names else [])))
    for i, name in enumerate(LABELS):
        if labels.schema.field(name).type == pa.string():
            text = pc.utf8_trim_whitespace(labels[name])
            labels = labels.set_column(i, name, pc.if_else(pc.equal(text, ""), None, text))
    split = pc.utf8_lower(labels["split"])
    for other, name in SPLIT_NAMES.items():
        split = pc.if_else(pc.equal(split, other), name, split)
    labels = labels.set_column(LABELS.index("split"), "split", split)
    keys = pc.unique(labels["key"])
    found = {m: _columns(tables.read(raw / f"{m}.parquet"), STREAM) for m in streams}
    return (Rows(labels, codes_in(labels["key"], keys)),
            {m: Rows(table, codes_in(table["key"], keys)) for m, table in found.items()}, len(keys))


def stream_frame(rows: Rows, measures: Measures, labels: np.ndarray) -> pd.DataFrame:
    """For `expectations.stream_rules`; labels: int64 [keys], label rows of each key."""
    table = rows.table
    shown = pc.utf8_slice_codeunits(table["value"], 0, 1)  # it only asks whether there is one
    error = pa.array(measures["error"], type=pa.string())
    frame = pa.table([table["key"], shown, table["start"], table["end"], error],
                     names=["key", "value", "start", "end", "error"]).to_pandas()
    # One fault, one reason: a row without a key is not also said to lack a label.
    keyless = table["key"].is_null().to_numpy()
    return frame.assign(labels=np.where(keyless, 1, at(labels, rows.key)),
                        **{name: values for name, values in measures.items() if name != "error"})


def label_frame(labels: Rows, streams: dict[str, Rows], measures: dict[str, Measures], keys: int,
                unread: Mapping[int, str]) -> pd.DataFrame:
    """For `expectations.label_rules`. unread: why the target of a row cannot be used."""
    given, present, until = np.zeros(keys, dtype=np.int64), np.zeros(keys, dtype=np.int64), np.full(keys, np.nan)
    for m, rows in streams.items():
        given += rows.per_key(keys, kept_only=False)
        present += rows.per_key(keys)
        if "seconds" in measures[m]:  # a recording without times of its own: labels may say which part they mean
            whole = rows.kept()
            timed = ~np.isnan(rows.table["start"].to_numpy()) | ~np.isnan(rows.table["end"].to_numpy())
            whole = whole[(rows.key[whole] >= 0) & ~timed[whole]]
            np.fmax.at(until, rows.key[whole], measures[m]["seconds"][whole])
    present[given == 0] = 1  # again one reason is enough
    frame = labels.table.select(["sample", "key", "label", "split", "start", "end"]).to_pandas()
    more: dict[str, Any] = {"unread": pa.array(_spread(unread, len(frame))).to_pandas()} if unread else {}
    if "weight" in labels.table.column_names:
        given_weight = labels.table["weight"]
        more |= {"weight": weights(given_weight), "weight_given": pc.fill_null(given_weight, "missing").to_pandas()}
    return frame.assign(given=at(given, labels.key, 1), present=at(present, labels.key, 1),
                        until=at(until, labels.key, np.nan), **more)


def weights(cells: pa.ChunkedArray) -> np.ndarray:
    """float64 [N]: how much each row counts; NaN where that is no number of 0 or more."""
    numbers = pc.utf8_trim_whitespace(cells)
    numeric = pc.match_substring_regex(numbers, r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$")
    bare = pc.utf8_ltrim(pc.if_else(numeric, numbers, None), "+")
    found = np.asarray(pc.fill_null(bare.cast(pa.float64()), np.nan).to_numpy())
    return np.where(np.isfinite(found) & (found >= 0), found, np.nan)


def category_frame(task: Task, y: np.ndarray, has: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """For `expectations.class_rules`: targets y [N, *T] by category. has: bool [N] per stream."""
    import pandas as pd

    return pd.DataFrame({"label": list(task.categories), "rows": task.tally(y),
                         **{m: task.tally(y[there]) for m, there in has.items()}})


def _spread(reasons: Mapping[int, str], rows: int) -> list[str | None]:
    found: list[str | None] = [None] * rows
    for row, reason in reasons.items():
        found[row] = reason
    return found


def at(values: np.ndarray, codes: np.ndarray, unknown: float = 0) -> np.ndarray:
    """values[codes], `unknown` where the code is negative."""
    return np.where(codes >= 0, values[codes], unknown) if len(values) else np.full(len(codes), unknown)


def _columns(table: pa.Table, names: Sequence[str]) -> pa.Table:
    kind = {name: pa.float64() if name in ("start", "end") else pa.string() for name in names}
    return pa.table({name: table[name].cast(kind[name]) if name in table.column_names
                     else pa.chunked_array([pa.nulls(len(table), kind[name])]) for name in names})
