"""Which column is the time of a recording, and what its cells are in seconds."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.modalities.recordings import epochs

NAMES = ("time", "timestamp", "datetime", "date", "seconds", "sec", "secs", "t", "ts", "when", "elapsed", "zeit",
         "temps")
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0}
ZONE = re.compile(r"\d[T ]\d{1,2}:?\d{2}.*(?:[zZ]|[+-]\d{2}(?::?\d{2})?)$")
UNIT = re.compile(r"^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*([^\W\d_]|[µ°%/])+.*$")  # 3.2 mV
LAPSE = re.compile(r"^\s*[-+]?[\d.]+\s*[^\W\d_]+\s*$")  # 3 ms; no date
USUAL = re.compile(r"^\s*[-+]?[\d.]+(?:[eE][-+]?\d+)?\s*$|^\d{4}-\d\d-\d\d(?:[T ].*)?$")  # a number, or a date
SHOWN = 30  # characters of a cell


def column(names: Sequence[str]) -> str | None:
    """The name of the column of times: the most usual one, with or without a unit, as in `time (ms)` or `t_us`."""
    return _column(tuple(names))


@functools.lru_cache(64)  # every file of a stream has the same
def _column(names: tuple[str, ...]) -> str | None:
    plain = {name: _plain(name)[0] for name in names}
    return next((name for wanted in NAMES for name in names if plain[name] == wanted), None)


def _plain(name: str) -> tuple[str, float]:
    """Without its unit; and the seconds of one."""
    words = [word for word in re.split(r"[\s_()\[\]/.-]+", name.strip().casefold()) if word]
    if len(words) > 1 and words[-1] in UNITS:
        return "".join(words[:-1]), UNITS[words[-1]]
    return "".join(words), 1.0


def unit(name: str) -> str:
    """That in the name of a column; "" of seconds."""
    words = [word for word in re.split(r"[\s_()\[\]/.-]+", name.strip().casefold()) if word]
    return words[-1] if len(words) > 1 and UNITS.get(words[-1], 1.0) != 1.0 else ""


def seconds(name: str, cells: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """See `read`."""
    return read(name, cells)[0]


def read(name: str, cells: pa.Array | pa.ChunkedArray) -> tuple[np.ndarray, float | None]:
    """float64 [N], seconds, NaN where there is none; of dates since the first one, and when that is in seconds since
    1970 (UTC), None of what is no date. Numbers that can only be milliseconds (or less) since 1970 are these.

    Raises: ValueError (what is no time, or dates of which some have a zone).
    """
    flat = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    if pa.types.is_null(flat.type):
        return np.full(len(flat), np.nan), None
    if pa.types.is_string(flat.type) or pa.types.is_large_string(flat.type):
        flat = told(name, flat)
    if pa.types.is_date(flat.type) or pa.types.is_timestamp(flat.type):
        ticks = flat.cast(pa.timestamp("ns", getattr(flat.type, "tz", None))).cast(pa.int64())
        if ticks.null_count or not len(ticks):
            return np.full(len(ticks), np.nan), None
        whole = ticks.to_numpy()
        return np.asarray((whole - whole[0]) * 1e-9), float(whole[0] / 1e9)
    if pa.types.is_duration(flat.type):
        return np.asarray(flat.cast(pa.duration("ns")).cast(pa.int64()).to_numpy(zero_copy_only=False) * 1e-9), None
    try:
        found = flat.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowException:
        raise ValueError(f"the column `{name}` holds {flat.type}, which is no time") from None
    found = np.asarray(found * _plain(name)[1])
    return found / epochs.UNITS.get(epochs.unit(found), 1.0), None


def told(name: str, cells: pa.Array) -> pa.Array:
    """Numbers or timestamps, whatever the texts all are. Raises: ValueError."""
    text = pc.utf8_trim_whitespace(cells)
    for kind in (pa.float64(), pa.timestamp("ns"), pa.timestamp("ns", "UTC")):
        try:
            return text.cast(kind)
        except pa.ArrowException:
            continue
    there = [cell for cell in text.to_pylist() if cell]
    if len({bool(ZONE.search(cell)) for cell in there}) > 1:
        with_zone = next(cell for cell in there if ZONE.search(cell))
        without = next(cell for cell in there if not ZONE.search(cell))
        raise ValueError(f"mixes times with a time zone (`{with_zone[:SHOWN]}`) and without (`{without[:SHOWN]}`): "
                         "write the zone into all of them, or into none")
    odd = next((cell for cell in there if LAPSE.match(cell)), None) or next(
        (cell for cell in there if not USUAL.match(cell)), there[0] if there else "")
    hint = ": write numbers alone, and the unit into the name of the column" if LAPSE.match(odd) else (
        ": write seconds, or dates such as 2026-01-31T12:00:00.25")
    raise ValueError(f"has the time `{odd[:SHOWN]}`, which is no time{hint}")
