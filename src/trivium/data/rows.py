"""The rows of one stream, read a few at a time, and how a processor is to read them: what all kinds of tensors are made
from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trivium.data import tables
from trivium.machine.progress import Progress
from trivium.machine.workers import Map


@dataclass(frozen=True)
class Reading:
    """One stream as one processor gives it. settings: its `Settings`."""

    stream: str
    modality: str
    processor: str
    settings: Any

    @property
    def folder(self) -> str:
        about = json.dumps([self.modality, self.processor, self.settings.model_dump(mode="json")], sort_keys=True)
        return f"{self.stream}/{tables.digest(about.encode())[:12]}"


class Cut:
    """How much of a stream a processor drops, because it is longer than what the processor keeps; and of which samples
    it keeps nothing but gaps.

    unit: what is counted;  setting: of the processor, which keeps more.
    """

    def __init__(self, unit: str, setting: str) -> None:
        self.unit, self.setting = unit, setting
        self.rows = self.cut = 0
        self.kept = self.lost = 0.0
        self.empty, self.first = 0, ""

    def add(self, parts: np.ndarray, empty: Sequence[str] = ()) -> None:
        """parts [B, 2]: what each row keeps and loses;  empty: samples of which nothing but gaps is kept."""
        self.first = self.first or next(iter(empty), "")
        self.empty += len(empty)
        self.rows += len(parts)
        self.cut += int((parts[:, 1] > 1e-3).sum())
        self.kept += float(parts[:, 0].sum())
        self.lost += float(parts[:, 1].sum())

    def plain(self) -> dict[str, Any] | None:
        """`rows`: share of rows that are cut, `lost`: share of all units that are lost, 0-1. Null: nothing counted.

        Where some are empty, `empty` as well: how many `rows` `of` all that have the stream, and one `sample`.
        """
        if not self.rows:
            return None
        return {"unit": self.unit, "setting": self.setting, "rows": self.cut / self.rows,
                "lost": self.lost / max(self.kept + self.lost, 1e-9),
                **({"empty": {"rows": self.empty, "of": self.rows, "sample": self.first}} if self.empty else {})}


@dataclass(frozen=True)
class Rows:
    """The rows of one stream, read a few at a time."""

    path: Path
    root: str
    stream: str
    count: int

    def chunks(self, size: int) -> Iterator[list[tuple]]:
        """At most `size` rows (sample, value or None, start, end, digest or None) at a time, in order."""
        m = self.stream
        columns = ["sample", m, f"{m}_start", f"{m}_end", f"has_{m}"]
        with pq.ParquetFile(self.path, pre_buffer=False) as file:
            known = f"{m}_digest" in file.schema_arrow.names
            for batch in file.iter_batches(size, columns=[*columns, *([f"{m}_digest"] if known else [])]):
                samples, values, starts, ends, has = (batch.column(name).to_pylist() for name in columns)
                values = [value if there else None for value, there in zip(values, has, strict=True)]
                digests = batch.column(f"{m}_digest").to_pylist() if known else [None] * len(batch)
                yield list(zip(samples, values, starts, ends, digests, strict=True))

    def texts(self, size: int) -> Iterator[pa.Array]:
        """The values alone, null where there is none."""
        with pq.ParquetFile(self.path, pre_buffer=False) as file:
            for batch in file.iter_batches(size, columns=[self.stream]):
                yield batch.column(0)


def results(run: Map, work: Callable, rows: Rows, chunks: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """(first row, result) of `work` on each of the `chunks` of `rows`, in order."""
    first = 0
    with Progress(f"preprocess {rows.stream}", rows.count, "row") as progress:
        for chunk, result in run(work, chunks):
            yield first, result
            first += len(chunk)
            progress.add(len(chunk))
