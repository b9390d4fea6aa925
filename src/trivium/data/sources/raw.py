"""What every source writes: `labels.parquet`, one table per modality and `meta.json` (see trivium.data.tables)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from trivium.data import tables


def table(**columns: Sequence[Any] | pa.Array | pa.ChunkedArray) -> pa.Table:
    """Columns of strings, but `start` and `end`, which are float64 seconds."""
    return pa.table({name: pa.chunked_array([values], _kind(name)) if not isinstance(values, pa.ChunkedArray)
                     else values.cast(_kind(name)) for name, values in columns.items()})


def _kind(name: str) -> pa.DataType:
    return pa.float64() if name in ("start", "end") else pa.string()


def root(out: Path) -> str:
    """`out` as `meta.json` names it: relative to the repository, and without the mark of an unfinished folder."""
    return os.path.relpath(str(out).removesuffix(".part")).replace(os.sep, "/")


def save(out: Path, labels: pa.Table, modalities: Mapping[str, pa.Table], *, source: str, root: str, title: str,
         card: str, world: dict | None = None) -> None:
    tables.write(labels, out / "labels.parquet")
    for name, rows in modalities.items():
        tables.write(rows, out / f"{name}.parquet")
    meta = {"source": source, "root": root, "modalities": list(modalities), "title": title, "card": card,
            "world": world}
    tables.write_json(meta, out / "meta.json")
