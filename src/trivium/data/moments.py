"""Times as people write them: ISO dates with or without a time of day and a zone, years and other numbers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEAR, MONTH, DAY = re.compile(r"\d{4}"), re.compile(r"\d{4}-\d{2}"), re.compile(r"(1[6-9]|2\d)\d{6}")


@dataclass(frozen=True)
class Moments:
    """value: float64 [N], seconds since 1970 in UTC where they are `dates`, otherwise the numbers as they are; NaN
    where there is none.  wrong: bool [N], whether something stands there that cannot be read.  unit: that of numbers
    which were read as dates, such as `milliseconds`
    """

    value: np.ndarray
    wrong: np.ndarray
    dates: bool
    unit: str = ""
    coarse: np.ndarray | None = None

    def words(self, value: float) -> str:
        """`2026-01-31`, with the time of day where it is not midnight (UTC); or the number."""
        if not self.dates:
            return f"{value:.15g}"
        moment = EPOCH + timedelta(seconds=round(value))
        whole = moment.time().isoformat() == "00:00:00"
        return moment.date().isoformat() if whole else moment.strftime("%Y-%m-%dT%H:%M:%S")


def read(column: pa.ChunkedArray) -> Moments:
    """The times of a column of strings; a time without a zone is UTC.

    If all that can be read are numbers, they are numbers, unless all are dates without signs (20260131), or moments of
    the years 2001 to 2100 in seconds, milliseconds and so on since 1970: these are dates. Beside dates, four digits are
    a year, which begins on its first day, and other numbers cannot be read.
    """
    from trivium.modalities.recordings import epochs

    once = column.combine_chunks().dictionary_encode()
    given = [value.strip() for value in once.dictionary.to_pylist()]
    numbers = [number(value) for value in given]
    plain = [value for value, one in zip(given, numbers, strict=True) if one is not None]
    moments = [_date(value) for value in given]
    dated = sum(moment is not None for moment in moments)
    dates = any(moment is not None and one is None for moment, one in zip(moments, numbers, strict=True)) or (
        0 < len(plain) == dated and all(DAY.fullmatch(value) for value in plain))
    found = [math.nan if value is None else value for value in (moments if dates else numbers)]
    place = once.indices.fill_null(len(found)).to_numpy()
    value = np.array([*found, math.nan])[place]
    said = np.array([*(bool(one) for one in given), False])[place]
    unit = "" if dates else epochs.unit(value)
    short = [bool(YEAR.fullmatch(one) or MONTH.fullmatch(one)) for one in given]
    finer = dates and any(not one and moment is not None for one, moment in zip(short, moments, strict=True))
    coarse = np.array([*short, False])[place] if finer else None
    return Moments(value / epochs.UNITS[unit] if unit else value, said & np.isnan(value), dates or bool(unit), unit,
                   coarse)


def number(text: str) -> float | None:
    """None where it is no finite number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def date(text: str) -> float | None:
    """Seconds since 1970 (UTC) of a date that is no number of seconds; None of anything else."""
    return _date(text.strip()) if number(text) is None else None


def within(moment: float, since: float | None) -> float:
    """Seconds from the second 0 of a recording, which is at `since`, to a moment, both since 1970 (UTC).

    Raises: ValueError (its times are no dates).
    """
    if since is None:
        raise ValueError("a date, and the times in its file are seconds: write seconds")
    return round(moment - since, 6)  # dates are kept to microseconds; those since 1970 to some tenths of them


def _date(text: str) -> float | None:
    """Seconds since 1970; None where it is no date of ISO 8601."""
    if re.match(r"\d{4}/\d{1,2}/", text):
        text = text.replace("/", "-", 2)
    if YEAR.fullmatch(text):
        text += "-01-01"
    elif MONTH.fullmatch(text):
        text += "-01"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (moment - EPOCH) / timedelta(seconds=1)
