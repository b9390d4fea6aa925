"""The times of a table's rows on the clock that streams share: seconds, or dates of ISO 8601 with or without a zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from trivium.data import moments
from trivium.data.linked_rows import codes
from trivium.settings.errors import UserError

ZONE = re.compile(r"\d[T ]?\d{1,2}:?\d{2}.*(?:[zZ]|[+-]\d{2}(?::?\d{2})?)$|\d[zZ]$")
MILLISECONDS = 1e11  # numbers above it are no seconds: those of the year 5138 are fewer
NEITHER, NUMBER, DATE = range(3)  # what a cell is


@dataclass(frozen=True)
class Times:
    """A column. value: float64 [N], seconds, NaN where there is none;  dates: since 1970 (UTC), None where it is empty
    and of numbers that count from 1970, for these go with both;  unit: that of such numbers
    """

    path: Path
    column: str
    value: np.ndarray
    dates: bool | None
    unit: str = ""

    @classmethod
    def read(cls, path: Path, column: str, cells: pa.ChunkedArray) -> Times:
        """Raises: UserError (what is no time, zones in some rows alone, milliseconds): it names file and row."""
        found = moments.read(cells)
        here = f"{path}: row"
        if found.wrong.any():
            row, kind = _odd(cells, found)
            given = str(cells[row])
            if kind:
                has, others = ("a date", "numbers") if kind == DATE else ("a number", "dates")
                raise UserError(f"{here} {row + 1} has the {column} `{given}`, which is {has}, and other rows have "
                                f"{others}: write seconds in every row, or dates in every row.")
            unit = re.fullmatch(r"\s*[-+]?[\d.]+\s*([a-zµ]+)\s*", given)
            hint = (f"write numbers alone, in seconds, without `{unit[1]}`." if unit else
                    "write seconds in every row, or dates such as 2026-01-31T12:00:00.25 in every row.")
            raise UserError(f"{here} {row + 1} has the {column} `{given}`, which is no time: {hint}")
        there = np.flatnonzero(~np.isnan(found.value))
        if found.dates and not found.unit:
            zoned = _zoned(cells)
            if len(there) and zoned[there].any() and not zoned[there].all():
                row = int(there[zoned[there] != zoned[there[0]]][0])
                has, others = ("a time zone", "none") if zoned[row] else ("no time zone", "one")
                raise UserError(f"{here} {row + 1} has the {column} `{cells[row]}` with {has}, and rows before it have "
                                f"{others}: write the zone into every row, or into none (then all are UTC).")
        elif not found.dates and len(there) and np.abs(found.value[there]).max() > MILLISECONDS:
            row = int(there[np.abs(found.value[there]) > MILLISECONDS][0])
            raise UserError(f"{here} {row + 1} has the {column} `{cells[row]}`, which is too much for seconds: divide "
                            "milliseconds by 1,000, and write seconds.")
        return cls(path, column, found.value, found.dates if len(there) and not found.unit else None, found.unit)

    def words(self, row: int) -> str:
        """The time of a row, as people write it."""
        return moments.Moments(self.value, self.value, bool(self.dates)).words(float(self.value[row]))


def _odd(cells: pa.ChunkedArray, found: moments.Moments) -> tuple[int, int]:
    """The first row that is neither a number nor a date; where none is, the first of the kind that fewer rows have (of
    two of one size, numbers, for dates say more). With it: its kind.
    """
    once = cells.combine_chunks().dictionary_encode()
    given = [one.strip() for one in once.dictionary.to_pylist()]
    numeric = np.array([*(moments.number(one) is not None and not moments.DAY.fullmatch(one) for one in given), False])
    kind = np.where(np.isnan(found.value), NEITHER, DATE)
    kind[numeric[once.indices.fill_null(len(numeric) - 1).to_numpy()]] = NUMBER
    if (broken := found.wrong & (kind == NEITHER)).any():
        return int(np.argmax(broken)), NEITHER
    rarer = DATE if (kind == DATE).sum() < (kind == NUMBER).sum() else NUMBER
    return int(np.argmax(kind == rarer)), rarer


def _zoned(cells: pa.ChunkedArray) -> np.ndarray:
    """bool per row: whether a time says which zone it is in."""
    once = cells.combine_chunks().dictionary_encode()
    each = np.array([*(bool(ZONE.search(one.strip())) for one in once.dictionary.to_pylist()), False])
    return each[once.indices.fill_null(len(each) - 1).to_numpy()]


def one_clock(times: list[Times]) -> None:
    """Raises: UserError (some tables have dates, and others numbers)."""
    known = [one for one in times if one.dates is not None]
    odd = next((one for one in known if one.dates != known[0].dates), None)
    if odd:
        kinds = {True: "dates", False: "numbers"}
        raise UserError(f"{known[0].path} has {kinds[bool(known[0].dates)]} in the column `{known[0].column}`, and "
                        f"{odd.path} has {kinds[bool(odd.dates)]} in `{odd.column}`: put both on one clock.")


def notes(times: Times, key: pa.ChunkedArray) -> list[str]:
    """What is odd about the order of the rows of each recording, in words: the first row that shows it."""
    code, found = codes(key), list[str]()
    if times.unit not in ("", "seconds"):
        found.append(f"{times.path}: the {times.column} is a number, read as {times.unit} since 1970 (UTC).")
    order = np.argsort(code, kind="stable")
    order = order[(code[order] >= 0) & ~np.isnan(times.value[order])]
    step, same = np.diff(times.value[order]), np.diff(code[order]) == 0
    if (back := same & (step < 0)).any():
        row = int(order[1:][back].min())
        found.append(f"{times.path}: row {row + 1} is at {times.words(row)}, before an earlier row of `{key[row]}`: "
                     f"its rows are put into the order of time ({back.sum():,} such steps).")
    in_time = np.lexsort((np.arange(len(order)), times.value[order], code[order]))
    order = order[in_time]
    twice = (np.diff(code[order]) == 0) & (np.diff(times.value[order]) == 0)
    if twice.any():
        row = int(order[1:][twice].min())
        found.append(f"{times.path}: row {row + 1} is at {times.words(row)}, as an earlier row of `{key[row]}` is: if "
                     f"both end together, the later one goes to quarantine ({twice.sum():,} such rows).")
    return found
