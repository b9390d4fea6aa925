"""Streams with tables of their own, and times on the clock that they share with the manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium import modalities
from trivium.data.sources import meant, rows
from trivium.data.sources.forgotten import Forgotten
from trivium.data.sources.kept import Kept
from trivium.data.sources.places import home, moved, refuse_outs, refuse_outside
from trivium.data.sources.times import Times, notes, one_clock
from trivium.data.streams import read_from
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.data.settings import Manifest, Stream

ONE = "all"  # the key of everything, where there is one recording


@dataclass
class Clock:
    """The times of all tables, so far; what is odd about them, in words."""

    times: list[Times] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def read(self, path: Path, cells: Mapping[str, pa.ChunkedArray], key: pa.ChunkedArray) -> dict[str, np.ndarray]:
        """Seconds by what they are of; cells: the columns, by the same. Raises: UserError, see `Times`."""
        found = {what: Times.read(path, what, column) for what, column in cells.items()}
        self.times += found.values()
        first = found.get("time") or found.get("start")
        if first:
            self.notes += notes(first, key)
        return {what: one.value for what, one in found.items()}

    @property
    def kind(self) -> Literal["dates", "seconds"]:
        """What people see its times as."""
        return "dates" if any(one.dates for one in self.times) else "seconds"

    def told(self) -> None:
        """Print what is odd. Raises: UserError (dates and numbers are mixed)."""
        one_clock(self.times)
        for words in self.notes:
            print(f"note: {words}")


def on_clock(times: Mapping[str, np.ndarray]) -> dict[str, pa.Array]:
    """clock, the moment at which a row begins, and start and end, seconds after it.

    times: of rows that are no files: `time`, `start` and `end` on the clock, of which any may be absent
    """
    begins = times.get("start")
    if begins is None or np.isnan(begins).all():
        begins = times.get("time")
    elif "time" in times:
        begins = np.where(np.isnan(begins), times["time"], begins)
    if begins is None:
        return {}
    found = {"clock": _or_null(begins)}
    if "end" in times:
        ends = times["end"] - begins
        found |= {"start": _or_null(np.where(np.isnan(ends), np.nan, 0.0)), "end": _or_null(ends)}
    return found


def write(s: str, stream: Stream, manifest: Manifest, folder: Path, kept: Kept, clock: Clock) -> pa.Table:
    """The raw table of a stream that has a table of its own. folder: that paths are to be seen from.

    Raises: UserError (no such file or column, a time that is none, files where none may be).
    """
    own = stream.table
    assert own is not None
    path, here = Path(own.path), f"data.streams.{s}.table"
    names = rows.columns(path)
    keyed = own.key or manifest.key
    if keyed and not manifest.key:
        raise UserError(f"params.yaml: {here}.key says that there are several recordings: name the column of "
                        f"{manifest.path} that says which one each row is of, as data.manifest.key.")
    key = find(path, names, keyed, f"{here}.key" if own.key else "data.manifest.key") if keyed else ""
    times = {what: find(path, names, column, f"{here}.{what}") for what in ("time", "start", "end")
             if (column := getattr(own, what))}
    read = {column: find(path, names, column, f"data.streams.{s}") for column in read_from(s, stream)}
    box = [find(path, names, column, f"{here}.box") for column in own.box]
    table = rows.read(path, sorted({*filter(None, [key]), *times.values(), *read.values(), *box}))
    keys = meant.plain(table[key]) if key else pa.chunked_array([pa.repeat(ONE, len(table))], pa.string())
    if (gone := Forgotten.at().recorded(keys)).any():
        table, keys = (one.filter(pa.array(~gone)) for one in (table, keys))
    column = _values(stream.modality, {name: table[there] for name, there in read.items()})
    if not modalities.is_written(stream.modality):
        given = [name for name in column.unique().to_pylist() if name]
        refuse_outside(path, given, manifest.outside)
        refuse_outs(path, {home(name): name for name in given}.values())
        if path.parent.resolve() != folder.resolve():
            column = pa.chunked_array([[name and moved(name, path.parent, folder) for name in column.to_pylist()]],
                                      pa.string())
    if box:
        from trivium.data.sources.regions import boxed

        column = boxed(column, [table[name] for name in box], path, own.box)
    seconds = clock.read(path, {what: table[there] for what, there in times.items()}, keys)
    if "end" in seconds and "start" in seconds:
        _forward(path, seconds, own.start, own.end)
    lasts = not modalities.is_written(stream.modality) and stream.modality != "image"
    further: dict[str, pa.Array]
    if lasts:  # `start` and `end` are of the file, `time` says when that begins
        further = {what: _or_null(seconds[what]) for what in ("start", "end") if what in seconds}
        if "time" in seconds:
            further["clock"] = _or_null(seconds["time"])
        elif not modalities.has_times(stream.modality):  # else those are on the clock
            further["clock"] = pa.array(np.zeros(len(table)))
    else:
        further = on_clock(seconds)
    if not {"clock", "place"} & further.keys():
        further["place"] = pa.array(np.arange(len(table), dtype=np.float64))
    return kept.table(column, keys.combine_chunks(), s, stream.modality, further)


def find(path: Path, names: Sequence[str], column: str, key: str) -> str:
    """See `manifest.find`."""
    from trivium.data.sources import manifest

    return manifest.find(path, names, column, key)


def _values(modality: str, columns: Mapping[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    from trivium.data.sources import manifest

    return manifest.values(modality, columns)


def _forward(path: Path, seconds: Mapping[str, np.ndarray], start: str, end: str) -> None:
    """Raises: UserError (a row ends before it starts)."""
    back = seconds["end"] < seconds["start"]
    if back.any():
        row = int(np.argmax(back))
        raise UserError(f"{path}: row {row + 1} ends (`{end}`) before it starts (`{start}`): its times run backwards. "
                        "Mend the row, or leave its end empty.")


def _or_null(times: np.ndarray) -> pa.Array:
    return pc.if_else(pa.array(~np.isnan(times)), pa.array(times), None)
