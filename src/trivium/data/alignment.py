"""One row per sample: streams joined on the key, and on time where the tables have it.

A row without `start` begins at the beginning, one without `end` lasts until the end; so a join on the key alone is the
case where nothing has times. For each label row, of the stream's rows with its key:

- those that overlap with it count; where none does, those at most `tolerance` seconds away;
- written text: all of them, in the order of time, with a space between; the span reaches from the first to the last;
- media (image, audio) and tables: the one with the largest overlap, the earlier one if two are equal;
- `<stream>_start` and `_end` are seconds *in the medium's file*: the label's interval cut to that of the row (the
  row's own interval where they only come near each other). Null: from the beginning, or to the end, of the file.
  Times in a stream's table therefore say which part of the file the row is; times in labels are on the same clock.

What no sample takes up goes to `unaligned.parquet` with a reason, as do samples that meet nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium import tasks
from trivium.data import tables, unlabelled
from trivium.data.intervals import meeting
from trivium.data.linked_rows import codes_in
from trivium.data.meta import Meta
from trivium.data.quarantine import SCHEMA
from trivium.data.settings import Align
from trivium.modalities import is_prose, is_written
from trivium.settings.errors import UserError

OVERLAP = 1e-3  # seconds; less is no overlap: it would not hold one sample of sound at 1 kHz
CARRIED = ("group", "domain", "language", "split", "duplicate_group")


def align(valid: str | Path, out: str | Path, streams: Mapping[str, str], settings: Align) -> dict[str, int]:
    """Write `samples.parquet`, `meta.json` and `unaligned.parquet` to `out`; returns how many samples have what.

    streams: name -> modality.
    Raises: UserError if no sample meets any row of a stream's table.
    """
    valid, out = Path(valid), Path(out)
    meta = Meta.read(valid / "meta.json")
    labels = tables.read(valid / "labels.parquet")
    labels = labels.take(pc.sort_indices(labels, sort_keys=[("sample", "ascending")]))
    keys = pc.unique(labels["key"])
    key, start, end = codes_in(labels["key"], keys), *_times(labels)

    columns: dict[str, Any] = {}
    has, lost = np.zeros(labels.num_rows, dtype=bool), []
    counts = {"samples": 0}
    for m, modality in streams.items():
        table = tables.read(valid / f"{m}.parquet")
        first, last = _times(table)
        i, j, overlap = meeting(key, start, end, codes_in(table["key"], keys), first, last, settings.tolerance)
        met = overlap >= OVERLAP
        met |= ~np.isin(i, i[met])
        i, j, overlap = i[met], j[met], overlap[met]
        taken, span = (_join if is_prose(modality) else _largest)(table, i, j, overlap)
        sample = taken.pop("row")
        begin, until = (np.full(labels.num_rows, np.nan) for _ in range(2))
        apart = span["overlap"] < OVERLAP
        begin[sample] = np.where(apart, span["start"], np.maximum(span["start"], start[sample]))
        until[sample] = np.where(apart, span["end"], np.minimum(span["end"], end[sample]))
        place = np.full(labels.num_rows, -1)
        place[sample] = np.arange(len(sample))
        met_by = pa.array(place, mask=place < 0)
        columns[m] = taken["value"].take(met_by)
        if not is_written(modality):
            columns[f"{m}_digest"] = table["digest"].take(pa.array(taken["used"])).take(met_by)
        columns[f"{m}_start"], columns[f"{m}_end"] = _seconds(begin), _seconds(until)
        columns[f"has_{m}"] = pa.array(place >= 0)
        has |= place >= 0
        counts[m] = len(sample)
        unused = np.setdiff1d(np.arange(table.num_rows), taken["used"])
        lost.append(_unaligned(m, table.take(unused), "value",
                               "no sample takes it up: others with its key overlap more, or none is near in time"))
    if not has.any():
        raise UserError(f"No sample of {valid} meets any row of {', '.join(streams)} in time: check that `start` "
                        "and `end` are seconds on the same clock in all tables, or raise align.tolerance in "
                        "params.yaml.")
    counts["samples"] = int(has.sum())
    lost.append(_unaligned("labels", labels.filter(pa.array(~has)), "label", "no row of any stream is near in time"))
    task = tasks.of(meta.task or {})
    weight = {"weight": labels["weight"]} if "weight" in labels.column_names else {}
    samples = pa.table({"sample": labels["sample"], "label": labels["label"],
                        **{name: labels[name] for name in CARRIED}, "y": unlabelled.column(task, labels["label"]),
                        **weight, **columns})
    tables.write(samples.filter(pa.array(has)), out / "samples.parquet")
    tables.write(pa.concat_tables(lost), out / "unaligned.parquet")
    meta.write(out / "meta.json")
    return counts


def _times(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Start and end of each row, -inf and inf where they are null."""
    return pc.fill_null(table["start"], -np.inf).to_numpy(), pc.fill_null(table["end"], np.inf).to_numpy()


def _seconds(times: np.ndarray) -> pa.Array:
    return pa.array(times, mask=~np.isfinite(times))


def _largest(table: pa.Table, i: np.ndarray, j: np.ndarray, overlap: np.ndarray) -> tuple[dict, dict]:
    """Of each sample's rows the one with the largest overlap. Pairs are sorted by sample and time."""
    order = np.lexsort((np.arange(len(i)), -overlap, i))
    best = order[np.unique(i[order], return_index=True)[1]]
    first, last = _times(table)
    return ({"row": i[best], "value": table["value"].take(pa.array(j[best])), "used": j[best]},
            {"start": first[j[best]], "end": last[j[best]], "overlap": overlap[best]})


def _join(table: pa.Table, i: np.ndarray, j: np.ndarray, overlap: np.ndarray) -> tuple[dict, dict]:
    """All rows of each sample, as one text. Pairs are sorted by sample and time."""
    row, at = np.unique(i, return_index=True)
    offsets = pa.array(np.append(at, len(i)), type=pa.int64())
    texts = pa.LargeListArray.from_arrays(offsets, table["value"].combine_chunks().take(pa.array(j)))
    first, last = _times(table)
    if len(row) == 0:
        return {"row": row, "value": pa.array([], pa.string()), "used": j}, {"start": at, "end": at, "overlap": at}
    return ({"row": row, "value": pc.binary_join(texts, " "), "used": j},
            {"start": np.minimum.reduceat(first[j], at), "end": np.maximum.reduceat(last[j], at),
             "overlap": np.maximum.reduceat(overlap, at)})


def _unaligned(name: str, rows: pa.Table, value: str, reason: str) -> pa.Table:
    n = rows.num_rows
    sample = rows["sample"] if "sample" in rows.column_names else pa.nulls(n, pa.string())
    return pa.table([pa.repeat(name, n), rows["key"], sample, pa.repeat(reason, n), rows[value]],
                    names=SCHEMA.names).cast(SCHEMA)
