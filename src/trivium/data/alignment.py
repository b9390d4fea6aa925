"""One row per sample: streams joined on the key, and on time where the tables have it.

A row without `start` begins at the beginning, one without `end` lasts until the end; so a join on the key alone is the
case where nothing has times. For each label row, of the stream's rows with its key:

- those that overlap with it count; where none does, those at most `tolerance` seconds away;
- written text: all of them, in the order of time, with a space between; the span reaches from the first to the last;
- media (image, audio) and tables: the one with the largest overlap, the earlier one if two are equal;
- `<stream>_start` and `_end` are seconds *in the medium's file*: the label's interval cut to that of the row (the
  row's own interval where they only come near each other). Null: from the beginning, or to the end, of the file.
  Times in a stream's table therefore say which part of the file the row is; times in labels are on the same clock.

Streams with tables of their own are joined by `trivium.data.clocked`.

What no sample takes up goes to `unaligned.parquet` with a reason, as do samples that meet nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data import clocked, tables
from trivium.data.gathered import Cells
from trivium.data.intervals import meeting, same_key
from trivium.data.linked_rows import Known, numbered
from trivium.data.met import Met, unaligned, write
from trivium.data.meta import Meta
from trivium.data.settings import Align
from trivium.modalities import is_prose
from trivium.settings.errors import UserError

OVERLAP = 1e-3  # seconds; less is no overlap: it would not hold one sample of sound at 1 kHz


def align(valid: str | Path, out: str | Path, streams: Mapping[str, str], settings: Align, whole: bool = False,
          ) -> dict[str, int]:
    """Write `samples.parquet`, `meta.json` and `unaligned.parquet` to `out`; returns how many samples have what.

    streams: name -> modality.  whole: whether few recordings stay whole, since nothing is to be split (see `stretches`)
    Raises: UserError if no sample meets any row of a stream's table.
    """
    valid, out = Path(valid), Path(out)
    meta = Meta.read(valid / "meta.json")
    path = valid / "labels.parquet"
    if meta.clock:
        return clocked.align(valid, out, streams, settings, meta, whole)
    order = pc.sort_indices(tables.read(path, ["sample"])["sample"]).to_numpy().astype(np.int64)
    number, start, end = _keys_and_times(path)
    number = number[order]
    start, end = (None if times is None else times[order] for times in (start, end))
    known = Known(number)
    key = known.codes(number)
    del number  # of every row, as what is let go below
    has, lost, met = np.zeros(len(order), dtype=bool), [], dict[str, Met]()
    for m, modality in streams.items():
        met[m] = meet(valid / f"{m}.parquet", modality, known, key, start, end, settings.tolerance)
        has |= met[m].count > 0
        unused = met[m].unused()
        lost.append(unaligned(m, Cells(met[m].path, unused, ["key", "value"]).take(unused), "value",
                               "no sample takes it up: others with its key overlap more, or none is near in time"))
    if not has.any():
        raise UserError(f"No sample of {valid} meets any row of {', '.join(streams)} in time: check that `start` "
                        "and `end` are seconds on the same clock in all tables, or raise align.tolerance in "
                        "params.yaml.")
    del known, key, start, end
    alone = order[~has]
    lost.append(unaligned("labels", Cells(path, alone).take(alone), "label", "no row of any stream is near in time"))
    tables.write(pa.concat_tables(lost), out / "unaligned.parquet")
    write(path, out, order, has, met, streams, meta)
    return {"samples": int(has.sum())} | {m: int((met[m].count > 0).sum()) for m in streams}


def meet(path: Path, modality: str, known: Known, key: np.ndarray, start: np.ndarray | None, end: np.ndarray | None,
          tolerance: float) -> Met:
    number, first, last = _keys_and_times(path)
    other = known.codes(number)
    del number
    if start is None and end is None and first is None and last is None:
        i, j = same_key(key, other)
        if not is_prose(modality):
            i, j = i[one := _firsts(i)], j[one]
        return Met(path, j, np.bincount(i, minlength=len(key)), None, None)
    start, end = _endless(start, -np.inf, len(key)), _endless(end, np.inf, len(key))
    first, last = _endless(first, -np.inf, len(other)), _endless(last, np.inf, len(other))
    i, j, overlap = meeting(key, start, end, other, first, last, tolerance)
    met = overlap >= OVERLAP
    met |= ~np.isin(i, i[met])
    i, j, overlap = i[met], j[met], overlap[met]
    if not is_prose(modality):  # of each sample's rows the one with the largest overlap; pairs are sorted by time
        best = np.lexsort((np.arange(len(i)), -overlap, i))
        best = best[_firsts(i[best])]
        i, j, overlap = i[best], j[best], overlap[best]
    sample, at = np.unique(i, return_index=True)
    begin, until = (np.full(len(key), np.nan) for _ in range(2))
    if len(sample):
        own_start, own_end = np.minimum.reduceat(first[j], at), np.maximum.reduceat(last[j], at)
        apart = np.maximum.reduceat(overlap, at) < OVERLAP
        begin[sample] = np.where(apart, own_start, np.maximum(own_start, start[sample]))
        until[sample] = np.where(apart, own_end, np.minimum(own_end, end[sample]))
    return Met(path, j, np.bincount(i, minlength=len(key)), begin, until)


def _firsts(i: np.ndarray) -> np.ndarray:
    """bool per number: whether it is the first of its kind; `i` is sorted and not negative."""
    return np.diff(i, prepend=-1) != 0


def _keys_and_times(path: Path) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Of each row the number of its key (see `numbered`), start and end, -inf and inf where they are null; None where
    no row has any.
    """
    there = [name for name in ("start", "end") if name in tables.names(path)]
    rows, found, row = tables.count(path), dict[str, np.ndarray](), 0
    number = np.empty(rows, np.int64)
    for piece in tables.pieces(path, ["key", *there]):
        here = slice(row, row := row + len(piece))
        number[here] = numbered(piece["key"])
        for name in there:
            if name in found or piece[name].null_count < len(piece):
                null = -np.inf if name == "start" else np.inf
                found.setdefault(name, np.full(rows, null))[here] = pc.fill_null(piece[name].cast(pa.float64()), null)
    return number, found.get("start"), found.get("end")


def _endless(times: np.ndarray | None, null: float, rows: int) -> np.ndarray:
    return np.full(rows, null) if times is None else times
