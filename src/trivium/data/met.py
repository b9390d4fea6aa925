"""What samples meet in the tables of streams, and how it is written: one row per sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium import tasks
from trivium.data import tables, unlabelled
from trivium.data.gathered import Cells
from trivium.data.meta import Meta
from trivium.data.mixture import Mixture
from trivium.data.quarantine import SCHEMA
from trivium.modalities import is_prose, is_written
from trivium.modalities.media import regions

CARRIED = ("group", "domain", "language", "split", "duplicate_group")


@dataclass(frozen=True)
class Met:
    """What samples meet in a stream's table, at `path`. row: its rows, sample by sample;  count: rows of each sample
    begin, until: seconds in the medium's file, by sample, infinite or NaN where unknown; None where nothing has times
    weight: of each of `row`, where those of a sample are made one, see `Mixture`
    """

    path: Path
    row: np.ndarray
    count: np.ndarray
    begin: np.ndarray | None
    until: np.ndarray | None
    weight: np.ndarray | None = None

    def unused(self) -> np.ndarray:
        """int64, ascending: the rows that no sample meets."""
        left = np.ones(tables.count(self.path), bool)
        left[self.row] = False
        return np.flatnonzero(left)

    @cached_property
    def _cells(self) -> Cells:
        there = tables.names(self.path)
        return Cells(self.path, self.row, [name for name in ("value", "digest") if name in there])

    @cached_property
    def _mixture(self) -> Mixture:
        return Mixture(tables.read(self.path, ["value"])["value"])

    @cached_property
    def _ends(self) -> np.ndarray:
        return np.append(0, np.cumsum(self.count))

    def columns(self, m: str, modality: str, here: slice) -> dict[str, Any]:
        """Of the stream `m` and the samples `here`."""
        count = self.count[here]
        pairs = slice(self._ends[here.start], self._ends[here.start + len(count)])
        rows = self._cells.take(self.row[pairs])
        there = count > 0
        place = np.where(there, np.cumsum(there) - 1, -1)
        by_sample = pa.array(place, mask=~there)
        value = rows["value"].combine_chunks()
        if self.weight is not None:
            value = self._mixture.of(value, self.weight[pairs], count[there])
        elif is_prose(modality) and (count > 1).any():
            ends = pa.array(np.append(0, np.cumsum(count[there])), pa.int64())
            value = pc.binary_join(pa.LargeListArray.from_arrays(ends, value), " ")
        elif modality == "image" and (count > 1).any():  # regions of one picture
            each = np.split(np.arange(len(value)), np.cumsum(count[there])[:-1])
            rows = rows.take(pa.array([one[0] for one in each]))
            value = pa.array([regions.together(value.take(pa.array(one)).to_pylist()) for one in each], pa.string())
        found = {m: value.take(by_sample)}
        if not is_written(modality):
            found[f"{m}_digest"] = rows["digest"].combine_chunks().take(by_sample)
        for name, times in (("start", self.begin), ("end", self.until)):
            found[f"{m}_{name}"] = pa.nulls(len(count), pa.float64()) if times is None else _seconds(times[here])
        return found | {f"has_{m}": pa.array(there)}


def write(labels: Path, out: Path, order: np.ndarray, has: np.ndarray, met: Mapping[str, Met],
          streams: Mapping[str, str], meta: Meta, names: Sequence[str] | None = None,
          stretches: Mapping[str, Sequence[str]] | None = None) -> None:
    """Write `samples.parquet` and `meta.json` to `out`. order: of each sample, its row of the table `labels`
    has: bool per sample, whether it has any stream;  names: of samples, where a row serves several, which then share
    content;  stretches: of each sample its `duplicate_group` and its `time`, where recordings were cut
    """
    task = tasks.of(meta.task or {})
    cells = Cells(labels, order)
    with tables.Writer(out / "samples.parquet") as file:
        for at in range(0, len(order), tables.PIECE):
            here = slice(at, at + tables.PIECE)
            rows = cells.take(order[here])
            columns = {name: rows[name] for name in ("sample", "label", *CARRIED)}
            if names is not None:
                columns["duplicate_group"] = pc.coalesce(rows["duplicate_group"], rows["sample"])
                columns["sample"] = pa.array(names[here], pa.string())
            columns["y"] = unlabelled.column(task, rows["label"])
            columns |= {name: rows[name] for name in ("weight", "time") if name in rows.column_names}
            columns |= {name: pa.array(each[here], pa.string()) for name, each in (stretches or {}).items()}
            for m, modality in streams.items():
                columns |= met[m].columns(m, modality, here)
            file.add(pa.table(columns).filter(pa.array(has[here])))
    meta.write(out / "meta.json")


def _seconds(times: np.ndarray) -> pa.Array:
    return pa.array(times, mask=~np.isfinite(times))


def unaligned(name: str, rows: pa.Table, value: str, reason: str | Sequence[str]) -> pa.Table:
    """Rows for `unaligned.parquet`. value: the column that says what a row is;  reason: of all, or of each"""
    n = rows.num_rows
    sample = rows["sample"] if "sample" in rows.column_names else pa.nulls(n, pa.string())
    reasons = pa.repeat(reason, n) if isinstance(reason, str) else pa.array(reason, pa.string())
    return pa.table([pa.repeat(name, n), rows["key"], sample, reasons, rows[value]], names=SCHEMA.names).cast(SCHEMA)
