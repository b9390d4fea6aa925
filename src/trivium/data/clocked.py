"""One row per sample of streams that have tables and times of their own, see `wanted` and `onclock`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from trivium.data import onclock, tables
from trivium.data.drawn import drawn
from trivium.data.gathered import Cells
from trivium.data.linked_rows import Known, numbered
from trivium.data.met import Met, unaligned, write
from trivium.data.meta import Meta
from trivium.data.offsets import estimate
from trivium.data.onclock import Stream
from trivium.data.settings import Align
from trivium.data.stretches import Stretches, cut
from trivium.data.timeline import Offset
from trivium.data.wanted import Timed, Wanted, tick_of, tickless, wanted
from trivium.settings.errors import UserError

ALONE = "no sample takes it up: others of its recording are nearer, or none is near in time"


def align(valid: Path, out: Path, streams: Mapping[str, str], settings: Align, meta: Meta, whole: bool,
          ) -> dict[str, int]:
    """As `alignment.align`; it also writes `clock.json`, see `Timeline`.

    Raises: UserError (no sample meets anything; no ticks, or too many; an offset that is asked for and cannot be
        estimated).
    """
    path = valid / "labels.parquet"
    labels = Timed.read(path)
    known = Known(labels.number)
    key = known.codes(labels.number)
    plain = {m: Stream.read(valid / f"{m}.parquet", modality) for m, modality in streams.items()}
    found = estimate(valid, meta.root, [one for one in plain.values() if one.timed], known)
    shift = _asked(settings, found)
    tabled = {m: Stream.read(valid / f"{m}.parquet", modality, shift.get(m, 0.0)) for m, modality in streams.items()}

    def reach() -> tuple[np.ndarray, np.ndarray]:
        return onclock.reach(list(tabled.values()), known)

    samples = wanted(labels, key, settings, reach)
    if not len(samples.row):
        raise UserError(f"{tick_of(settings).capitalize()} lies in any row of the table: "
                        f"{_spans(labels, tabled, meta)}. Lower it in params.yaml, give the rows a later end, or put "
                        "all tables on one clock.")
    idle, first, last = tickless(samples, labels, key, reach)
    ids = tables.read(path, ["sample"])["sample"].to_pylist()
    names = _names(ids, samples)
    order = np.argsort(np.array(names, dtype=object), kind="stable")
    samples, names = samples.take(order), [names[k] for k in order]
    own = Known(numbered(pa.chunked_array([pa.array(ids, pa.string())])))
    codes = {"key": key[samples.row],
             "sample": own.codes(numbered(pa.chunked_array([pa.array(ids, pa.string())])))[samples.row]}
    has, lost, met = np.zeros(len(names), bool), list[pa.Table](), dict[str, Met]()
    for m, one in tabled.items():
        other = (own if one.own else known).codes(one.rows.number)
        i, j, weight, begin, until = onclock.meet(one, samples, codes["sample" if one.own else "key"], other, settings)
        met[m] = Met(valid / f"{m}.parquet", j, np.bincount(i, minlength=len(names)), begin, until, weight)
        has |= met[m].count > 0
        unused = met[m].unused()
        lost.append(unaligned(m, Cells(met[m].path, unused, ["key", "value"]).take(unused), "value",
                              _reasons(ALONE, one.first[unused], one.last[unused], meta)))
    if not has.any():
        raise UserError(f"No sample meets any row of {', '.join(streams)} in time: {_spans(labels, tabled, meta)}. Put "
                        "all tables on one clock, or raise align.tolerance in params.yaml.")
    given = tables.read(path, ["split"])["split"]
    pieces = None if whole or given.null_count < len(given) else cut(codes["key"], samples.start, samples.end, has)
    across = np.zeros(len(names), bool) if pieces is None else pieces.across
    rows = tables.read(path, ["sample", "key", "label"])
    for which, why in ((~has, "no row of any stream is near in time"),
                       (across, "it reaches into the next stretch of its recording")):
        alone = rows.take(pa.array(samples.row[which]))
        alone = alone.set_column(0, "sample", pa.array([names[k] for k in np.flatnonzero(which)], pa.string()))
        lost.append(unaligned("labels", alone, "label",
                              _reasons(why, samples.start[which], samples.end[which], meta)))
    lost.append(unaligned("labels", Cells(path, idle, ["sample", "key", "label"]).take(idle), "label",
                          _reasons(f"{tick_of(settings)} lies in it", first, last, meta) if len(idle) else ""))
    tables.write(pa.concat_tables(lost), out / "unaligned.parquet")
    has &= ~across
    write(path, out, samples.row, has, met, streams, meta, names if samples.tick is not None else None,
          _columns(pieces, samples, meta) if pieces else None)
    keys = rows["key"].to_pylist()
    taken = {m: (one, known.codes(one.rows.number), np.isin(np.arange(len(one.rows.number)), met[m].row))
             for m, one in tabled.items()}
    named = dict(zip(key.tolist(), keys, strict=True))
    drawn(samples, codes["key"], has, taken, named, found, meta.clock == "dates",
          pieces.counts if pieces else None).write(out / "clock.json")
    for offset in found:
        print(f"clock: {offset.said}")
    for s, seconds in shift.items():
        print(f"clock: {seconds:+.3f} s are added to the times of {s}, as align.offset in params.yaml asks.")
    if pieces:
        print(f"clock: {pieces.counts.said}")
    if len(idle):
        print(f"clock: {len(idle):,} of {len(key):,} rows of the table become{'s' * (len(idle) == 1)} no sample: "
              f"{tick_of(settings)} lies in {'them' if len(idle) > 1 else 'it'}.")
    return {"samples": int(has.sum())} | {m: int((met[m].count[has] > 0).sum()) for m in streams}


def _asked(settings: Align, found: list[Offset]) -> dict[str, float]:
    """By stream, what is added to its times. Raises: UserError (an estimate is asked for, and there is none)."""
    estimated = {one.stream: one.seconds for one in found if one.sure}
    for s, value in settings.offset.items():
        if doubtful := next((one for one in found if one.stream == s and value == "estimated" and not one.sure), None):
            raise UserError(f"align.offset.{s} in params.yaml asks for an estimate, but {doubtful.said} Write seconds "
                            "instead, or take it out.")
        if value == "estimated" and s not in estimated:
            first = found[0].other if found else ""
            raise UserError(f"align.offset.{s} in params.yaml asks for an estimate, and there is none: " + (
                f"it is the clock of {s} that others are measured against." if s == first else
                "that takes two streams whose energy varies, such as two sounds, over some seconds of the same time.")
                + " Write seconds instead, or take it out.")
    return {s: estimated[s] if isinstance(value, str) else value for s, value in settings.offset.items()}


def _columns(pieces: Stretches, samples: Wanted, meta: Meta) -> dict[str, list[str]]:
    """Of each sample its stretch, as what it shares with others, and its time, for splits that follow time."""
    dates = meta.clock == "dates"
    return {"duplicate_group": [f"stretch {number + 1}" for number in pieces.number.tolist()],
            "time": [onclock.words(at, at, True) if dates else f"{at:.9g}" for at in samples.start.tolist()]}


def _names(ids: list[str], samples: Wanted) -> list[str]:
    """Of samples: that of their row, and of ticks the seconds since it began."""
    rows = samples.row.tolist()
    if samples.tick is None:
        return [ids[row] for row in rows]
    return [f"{ids[row]}@{round(tick, 6):g}" if tick < 1e5 else f"{ids[row]}@{tick:.3f}"
            for row, tick in zip(rows, samples.tick.tolist(), strict=True)]


def _reasons(why: str, first: np.ndarray, last: np.ndarray, meta: Meta) -> list[str]:
    dates = meta.clock == "dates"
    times = [onclock.words(a, b, dates) for a, b in zip(first.tolist(), last.tolist(), strict=True)]
    return [f"{why}; it is at {when}" if when else f"{why}; it has no time" for when in times]


def _spans(labels: Timed, tabled: Mapping[str, Stream], meta: Meta) -> str:
    """From when to when each table is, in words."""
    found = []
    for name, first, last in [("the rows", labels.first, labels.last),
                              *((m, one.first, one.last) for m, one in tabled.items() if one.timed)]:
        first, last = first[np.isfinite(first)], last[np.isfinite(last)]
        if len(first):
            latest = max(last.max(initial=-np.inf), first.max())
            found.append(f"{name} are at {onclock.words(first.min(), latest, meta.clock == 'dates')}")
    return ", ".join(found) or "no key is in two tables"
