"""What the texts of a column mean: numbers, dates, truth values or categories; and the guess which of these they are.

Everything is worked out for the different texts of a column, once each, and looked up by row.

Legend: `N` rows, `U` different texts.
"""

from __future__ import annotations

import unicodedata
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Type = Literal["number", "category", "date", "boolean"]
MISSING = ("na", "n/a", "nan", "null", "none", "-", "--", "?", ".")  # that stand for no number, date or truth value
PAIRS = (("false", "true"), ("no", "yes"), ("f", "t"), ("n", "y"), ("0", "1"))
SURE = 0.95  # share of a column's cells that a type must explain
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
THOUSANDS = r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$"
COMMA = r"^[+-]?\d+,\d+$"
CODE = r"^0\d+$"  # `007` names something
CLOCK = r"(?:[ T](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d+)?))?(?:Z|[+-]\d{2}:?\d{2})?)?$"
DATES = (r"^(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})" + CLOCK,
         r"^(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})" + CLOCK,
         r"^(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})" + CLOCK)


class Column:
    """code: int32 [N], which of the different `texts` [U] a row has; -1 where its cell is empty."""

    def __init__(self, cells: pa.Array | pa.ChunkedArray) -> None:
        """cells: texts, or dictionaries of them, each in the order in which they come first."""
        chunks = cells if isinstance(cells, pa.ChunkedArray) else pa.chunked_array([cells])
        once = pa.chunked_array(chunks.dictionary_encode().chunks, pa.dictionary(pa.int32(), pa.string()))
        parts = once.unify_dictionaries().chunks
        codes = [pc.fill_null(part.indices, -1).to_numpy(zero_copy_only=False).astype(np.int32) for part in parts]
        self.code = np.concatenate([np.zeros(0, np.int32), *codes])
        self.texts: pa.Array = parts[-1].dictionary if parts else pa.array([], pa.string())

    def counts(self, rows: np.ndarray) -> np.ndarray:
        """int64 [U]: how many of the rows (bool [N]) have each text."""
        chosen = self.code[rows]
        return np.bincount(chosen[chosen >= 0], minlength=len(self.texts))

    @cached_property
    def missing(self) -> np.ndarray:
        """bool [U]: texts that say that there is none."""
        return pc.is_in(self.lower, pa.array(MISSING)).to_numpy(zero_copy_only=False)

    def read(self, type: Type) -> np.ndarray:
        """bool [U]: texts that say something, and can be read as a number or a date where the column is one."""
        if type in ("number", "date"):
            return ~self.missing & ~np.isnan(self.numbers if type == "number" else self.days)
        return ~self.missing

    @cached_property
    def lower(self) -> pa.Array:
        return pc.utf8_lower(self.texts)

    @cached_property
    def numbers(self) -> np.ndarray:
        """float64 [U], NaN for what is none: `1e3`, `1,234.5`, and `12,5` with a decimal comma."""
        text, nothing = self.texts, pa.scalar(None, pa.string())
        plain = pc.if_else(pc.match_substring_regex(text, THOUSANDS), pc.replace_substring(text, ",", ""),
                           pc.if_else(pc.match_substring_regex(text, COMMA), pc.replace_substring(text, ",", "."),
                                      text))
        plain = pc.if_else(pc.match_substring_regex(plain, NUMBER), pc.utf8_ltrim(plain, "+"), nothing)
        values = pc.fill_null(plain.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False)
        return np.where(np.isfinite(values), values, np.nan)

    @cached_property
    def days(self) -> np.ndarray:
        """float64 [U], days since 1970-01-01 with the time of the day behind the point; NaN for what is no date.

        1999-12-31, 1999/12/31, 31.12.1999; 12/31/1999, or 31/12/1999 where a first number of the column is above 12.
        """
        found = np.full(len(self.texts), np.nan)
        for pattern in DATES:
            parts = pc.extract_regex(self.texts, pattern)
            year, month, day, hour, minute, second = (
                _numbers(parts, name) for name in ("year", "month", "day", "hour", "minute", "second"))
            if pattern.startswith("^(?P<month>") and (np.nan_to_num(month) > 12).any():
                month, day = day, month
            good = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= 1)
            start = (np.where(good, year, 1970).astype(np.int64) - 1970).astype("M8[Y]")
            months = start.astype("M8[M]") + (np.where(good, month, 1).astype(np.int64) - 1).astype("m8[M]")
            date = months.astype("M8[D]") + (np.where(good, day, 1).astype(np.int64) - 1).astype("m8[D]")
            good &= date.astype("M8[M]") == months  # no 31st of February
            clock = (np.nan_to_num(hour) + (np.nan_to_num(minute) + np.nan_to_num(second) / 60) / 60) / 24
            found = np.where(good & (clock < 1), date.astype(np.int64) + clock, found)
        return found

    @cached_property
    def names(self) -> pa.Array:
        """The texts as categories: Unicode NFC, and `1.0` is `1`."""
        plain = pa.array([unicodedata.normalize("NFC", text) for text in self.texts.to_pylist()], pa.string())
        return pc.replace_substring_regex(plain, r"^(-?(?:0|[1-9][0-9]*))\.0+$", r"\1")


def _numbers(parts: pa.Array, name: str) -> np.ndarray:
    field = parts.field(name)
    plain = pc.if_else(pc.and_(parts.is_valid(), pc.not_equal(field, "")), field, pa.scalar(None, pa.string()))
    return pc.fill_null(plain.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False)


def guess(column: Column, counts: np.ndarray) -> Type:
    """What a column is, by the texts that train has of it; counts: int64 [U], see `Column.counts`.

    Two values that are a usual pair (`yes`, `no`; `0`, `1`) are a boolean. Numbers, and dates, are what at least 95 %
    of the cells can be read as; numbers with leading zeros (`0171`) name something. All else is a category.
    """
    here = (counts > 0) & ~column.missing
    total = counts[here].sum()
    if not total:
        return "category"
    if here.sum() <= 4:
        said = set(column.lower.filter(pa.array(here)).to_pylist())
        if len(said) == 2 and any(said == set(pair) for pair in PAIRS):
            return "boolean"
    named = pc.match_substring_regex(column.texts, CODE).to_numpy(zero_copy_only=False)
    if counts[here & ~np.isnan(column.numbers) & ~named].sum() >= SURE * total:
        return "number"
    return "date" if counts[here & ~np.isnan(column.days)].sum() >= SURE * total else "category"
