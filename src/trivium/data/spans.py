"""When rows of files begin and end on the clock that streams share, as far as the files themselves say it.

A row's `clock` is the moment of its file's second 0. A sound or a video begins there. The times of a series are its
own, and may begin anywhere: where the table says when the file begins, its first point is at that moment; where it does
not (the table then has no `clock`, but a `place`), its times are on the clock as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data.frames import Rows
from trivium.data.probe import Measures

LASTS = ("seconds", "duration")  # measurements that say how long a value lasts
FIRST_DATE = 1e8  # seconds since 1970 (in 1973): what is earlier counts from something else


@dataclass(frozen=True)
class Lasting:
    """Of each row of a table, float64 [N], NaN where unknown. seconds: that it lasts
    begins: the time of its file's first point, where that is not 0;  since: where these times are dates, when their
    second 0 is, in seconds since 1970 (UTC)
    """

    seconds: np.ndarray
    begins: np.ndarray
    since: np.ndarray

    def on_clock(self, piece: pa.Table, rows: np.ndarray) -> pa.Table:
        """With `clock` and `end` as far as they are known, and `begins`, if a file does not begin at 0.

        piece: the `rows` of the table
        """
        clock = (pc.subtract(piece["clock"], pa.array(np.nan_to_num(self.begins[rows])))
                 if "clock" in piece.column_names else pa.array(np.nan_to_num(self.since[rows])))
        begins = _or_null(self.begins[rows])
        first = pc.coalesce(piece["start"], begins, 0.0)
        end = pc.coalesce(piece["end"], pc.add(first, _or_null(self.seconds[rows])))
        made = {"clock": clock, "end": end} | ({} if np.isnan(self.begins).all() else {"begins": begins})
        for name, column in made.items():
            piece = (piece.set_column(piece.schema.get_field_index(name), name, column)
                     if name in piece.column_names else piece.append_column(name, column))
        return piece

    def strange(self, dates: bool) -> np.ndarray:
        """bool [N]: whether the times in the file are of another sort than those of the tables, which are `dates`."""
        if dates:
            return np.isnan(self.since) & (np.nan_to_num(self.begins) + self.seconds < FIRST_DATE)
        return ~np.isnan(self.since)


def lasting(rows: Rows, measures: Measures, labels: Rows, clock: str | None) -> Lasting | None:
    """None of what does not last, or is on no clock. What nobody else reads is taken out of `measures`; a row whose
    file has times of another sort than the labels gets an error there.

    clock: see `Meta`
    """
    unknown = np.full(rows.num_rows, np.nan)
    begins, since = (measures.pop(name, unknown) for name in ("begins", "since"))
    seconds = next((measures[name] for name in LASTS if name in measures), None)
    if seconds is None or not clock or not {"clock", "place"} & {*rows.names}:
        return None
    found, dates = Lasting(seconds, begins, since), clock == "dates"
    if "clock" not in rows.names and labels.clocked and labels.column("clock").null_count < labels.num_rows:
        has, others = ("seconds", "dates") if dates else ("dates", "seconds")
        measures["error"][found.strange(dates)] = (
            f"its times are {has}, and those of the tables are {others}: name the column that says when each file "
            "begins, as `time` of its table")
    return found


def _or_null(times: np.ndarray) -> pa.Array:
    return pa.array(times, mask=np.isnan(times))
