"""Raw tables, and the frames in which Great Expectations sees them: each row beside what was measured of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data import tables
from trivium.data.linked_rows import codes_in
from trivium.data.probe import Measures
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

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
    labels = _columns(tables.read(raw / "labels.parquet"), LABELS)
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


def label_frame(labels: Rows, streams: dict[str, Rows], measures: dict[str, Measures], keys: int) -> pd.DataFrame:
    """For `expectations.label_rules`."""
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
    return frame.assign(given=at(given, labels.key, 1), present=at(present, labels.key, 1),
                        until=at(until, labels.key, np.nan))


def class_frame(labels: Rows, has: dict[str, np.ndarray]) -> pd.DataFrame:
    """For `expectations.class_rules`: the kept labels by class, sorted. has: bool [label rows] per stream."""
    import pandas as pd

    kept = labels.kept()
    names = labels.table["label"].take(pa.array(kept))
    classes = sorted(pc.unique(names).to_pylist())
    code = codes_in(names, pa.array(classes, type=pa.string()))
    columns = {m: np.bincount(code[has[m][kept]], minlength=len(classes)) for m in has}
    return pd.DataFrame({"label": classes, "rows": np.bincount(code, minlength=len(classes)), **columns})


def at(values: np.ndarray, codes: np.ndarray, unknown: float = 0) -> np.ndarray:
    """values[codes], `unknown` where the code is negative."""
    return np.where(codes >= 0, values[codes], unknown) if len(values) else np.full(len(codes), unknown)


def _columns(table: pa.Table, names: Sequence[str]) -> pa.Table:
    kind = {name: pa.float64() if name in ("start", "end") else pa.string() for name in names}
    return pa.table({name: table[name].cast(kind[name]) if name in table.column_names
                     else pa.chunked_array([pa.nulls(len(table), kind[name])]) for name in names})
