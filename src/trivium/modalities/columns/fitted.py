"""What a table's columns become for models, fitted on the train rows of a seed: a number and a code per column.

A number is scaled and has the code 1. A category has the code of its name: 2, 3, ... for those that train has at least
twice, the most usual first, and 1 (`other`) for what is rarer or new. A date is three columns, or four where dates have
a time of the day: its days since 1970 as a number, its month, its day of the week and its hour as categories. The code
of what is missing is 0, always with the number 0.

Legend: `B` rows, `K` columns as models see them, `U` different texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.machine import files
from trivium.modalities.columns.typed import PAIRS, Column, Type

MISSING, OTHER, FIRST = 0, 1, 2  # codes
MARKS = 256  # quantiles that a number is scaled by
TWICE = 2  # rows of train that a category needs for a code of its own: the rarer ones teach what `other` means
WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CALENDAR = {"month": [str(k) for k in range(1, 13)], "weekday": list(WEEK), "hour": [str(k) for k in range(24)]}

Cells = Callable[[np.ndarray], np.ndarray]  # codes of texts int [B] -> float32 [B, parts, 2]


@dataclass(frozen=True)
class Scale:
    """How numbers are scaled. quantile: so that train is normally distributed, by `marks`, its quantiles, between which
    the line is straight; standard: by `marks`, mean and deviation.
    """

    scaling: str
    marks: tuple[float, ...]

    @classmethod
    def of(cls, scaling: str, values: np.ndarray) -> Scale:
        """values: float64, of train, none missing."""
        if scaling == "standard":
            mean, deviation = (float(values.mean()), float(values.std())) if len(values) else (0.0, 1.0)
            return cls(scaling, (mean, deviation if deviation > 1e-12 * max(1.0, abs(mean)) else 1.0))
        marks = np.quantile(values, np.linspace(0, 1, min(MARKS, len(values)))) if len(values) else np.zeros(1)
        return cls(scaling, tuple(marks.tolist()))

    def apply(self, values: np.ndarray) -> np.ndarray:
        if self.scaling == "standard":
            return (values - self.marks[0]) / self.marks[1]
        from scipy.special import ndtri

        marks = np.array(self.marks)
        place = np.linspace(0, 1, len(marks)) if len(marks) > 1 else np.array([0.5])
        # Of equal marks the first and the last count alike (as in scikit-learn's QuantileTransformer).
        share = (np.interp(values, marks, place) - np.interp(-values, -marks[::-1], -place[::-1])) / 2
        edge = 1 / (2 * len(marks))
        return ndtri(np.clip(share, edge, 1 - edge)) if len(marks) > 1 else np.zeros_like(values)

    def undo(self, scaled: float) -> float:
        """About the number that became `scaled`."""
        if self.scaling == "standard":
            return scaled * self.marks[1] + self.marks[0]
        from scipy.special import ndtr

        return float(np.interp(ndtr(scaled), np.linspace(0, 1, len(self.marks)), self.marks))


@dataclass(frozen=True)
class Number:
    name: str
    scale: Scale
    type: ClassVar[Type] = "number"

    @classmethod
    def of(cls, name: str, column: Column, rows: np.ndarray, scaling: str, most: int) -> Number:
        values = column.numbers[column.code[rows & (column.code >= 0)]]
        return cls(name, Scale.of(scaling, values[~np.isnan(values)]))

    @property
    def parts(self) -> list[tuple[str, int]]:
        return [(self.name, FIRST)]

    def cells(self, column: Column) -> Cells:
        return lambda code: _scaled(self.scale, _look_up(column.numbers, code))[:, None]

    def said(self, cells: np.ndarray) -> list[str]:
        return [f"{self.scale.undo(float(cells[0, 0])):.4g}"]

    def plain(self) -> dict[str, Any]:
        return {"marks": list(self.scale.marks), "scaling": self.scale.scaling}

    @classmethod
    def again(cls, name: str, about: Mapping[str, Any]) -> Number:
        return cls(name, Scale(about["scaling"], tuple(about["marks"])))


@dataclass(frozen=True)
class Category:
    """known: the names that have a code, from `FIRST` on."""

    name: str
    known: tuple[str, ...]
    type: ClassVar[Type] = "category"

    @classmethod
    def of(cls, name: str, column: Column, rows: np.ndarray, scaling: str, most: int) -> Category:
        counts = column.counts(rows)
        places = np.flatnonzero(counts)
        found: dict[str, int] = {}
        for text, count in zip(column.names.take(pa.array(places)).to_pylist(), counts[places].tolist(), strict=True):
            found[text] = found.get(text, 0) + count
        usual = sorted((text for text, count in found.items() if count >= TWICE), key=lambda text: (-found[text], text))
        return cls(name, tuple(usual[:most]))

    @property
    def parts(self) -> list[tuple[str, int]]:
        return [(self.name, FIRST + len(self.known))]

    def cells(self, column: Column) -> Cells:
        every = np.append(self._codes(column), MISSING)

        def made(code: np.ndarray) -> np.ndarray:
            found = every[code]
            return np.stack([np.zeros(len(found)), found], 1).astype(np.float32)[:, None]

        return made

    def _codes(self, column: Column) -> np.ndarray:
        """int [U]"""
        place = pc.index_in(column.names, pa.array(self.known, pa.string()))
        return pc.fill_null(pc.add(place, FIRST), OTHER).to_numpy(zero_copy_only=False)

    def said(self, cells: np.ndarray) -> list[str]:
        code = int(cells[0, 1])
        return [self.known[code - FIRST] if FIRST <= code < FIRST + len(self.known) else "other"]

    def plain(self) -> dict[str, Any]:
        return {"known": list(self.known)}

    @classmethod
    def again(cls, name: str, about: Mapping[str, Any]) -> Any:
        return cls(name, tuple(about["known"]))


@dataclass(frozen=True)
class Boolean(Category):
    """A category of two, whose names are in small letters."""

    type: ClassVar[Type] = "boolean"

    @classmethod
    def of(cls, name: str, column: Column, rows: np.ndarray, scaling: str, most: int) -> Boolean:
        said = {text for text, count in zip(column.lower.to_pylist(), column.counts(rows).tolist(), strict=True)
                if count}
        return cls(name, max(PAIRS, key=lambda pair: len(said & set(pair))))

    def _codes(self, column: Column) -> np.ndarray:
        place = pc.index_in(column.lower, pa.array(self.known, pa.string()))
        found = pc.fill_null(pc.add(place, FIRST), OTHER).to_numpy(zero_copy_only=False)
        return np.where(column.missing, MISSING, found)


@dataclass(frozen=True)
class Date:
    """hours: whether train has a time of the day."""

    name: str
    scale: Scale
    hours: bool
    type: ClassVar[Type] = "date"

    @classmethod
    def of(cls, name: str, column: Column, rows: np.ndarray, scaling: str, most: int) -> Date:
        values = column.days[column.code[rows & (column.code >= 0)]]
        values = values[~np.isnan(values)]
        return cls(name, Scale.of(scaling, values), bool((values % 1 > 0).any()))

    @property
    def _calendar(self) -> list[str]:
        return ["month", "weekday", *(["hour"] if self.hours else [])]

    @property
    def parts(self) -> list[tuple[str, int]]:
        return [(self.name, FIRST), *((f"{self.name} {what}", FIRST + len(CALENDAR[what])) for what in self._calendar)]

    def cells(self, column: Column) -> Cells:
        def made(code: np.ndarray) -> np.ndarray:
            days = _look_up(column.days, code)
            whole = np.floor(np.nan_to_num(days)).astype(np.int64)
            month = whole.astype("M8[D]").astype("M8[M]").astype(np.int64) % 12
            hour = np.floor(np.nan_to_num(days - whole) * 24 + 1e-6).astype(np.int64)
            found = {"month": month, "weekday": (whole + 3) % 7, "hour": hour}  # 1970 began on a Thursday
            coded = np.stack([found[what] + FIRST for what in self._calendar], 1) * ~np.isnan(days)[:, None]
            cells = np.stack([np.zeros(coded.shape), coded], 2).astype(np.float32)
            return np.concatenate([_scaled(self.scale, days)[:, None], cells], 1)

        return made

    def said(self, cells: np.ndarray) -> list[str]:
        days = round(self.scale.undo(float(cells[0, 0])))
        day = (date(1970, 1, 1) + timedelta(days=days)).isoformat() if -719_162 <= days <= 2_932_896 else f"{days} days"
        return [day, *(CALENDAR[what][int(cell[1]) - FIRST] for what, cell in
                       zip(self._calendar, cells[1:], strict=True))]

    def plain(self) -> dict[str, Any]:
        return {"marks": list(self.scale.marks), "scaling": self.scale.scaling, "hours": self.hours}

    @classmethod
    def again(cls, name: str, about: Mapping[str, Any]) -> Date:
        return cls(name, Scale(about["scaling"], tuple(about["marks"])), about["hours"])


KINDS: dict[str, Any] = {one.type: one for one in (Number, Category, Boolean, Date)}


class Fitted:
    """The columns of a table as models see them. columns: a `Number`, `Category`, `Boolean` or `Date` each."""

    def __init__(self, columns: Sequence[Any]) -> None:
        self.columns = tuple(columns)

    @property
    def names(self) -> list[str]:
        """Of the table."""
        return [one.name for one in self.columns]

    @property
    def parts(self) -> list[tuple[str, int]]:
        """Name and number of codes of each column that models see, [K]."""
        return [part for one in self.columns for part in one.parts]

    def prepare(self, columns: Mapping[str, Column]) -> Callable[[slice], np.ndarray]:
        """float32 [B, K, 2] of some of the rows of these columns: numbers and codes."""
        makers = [(columns[one.name].code, one.cells(columns[one.name])) for one in self.columns]
        return lambda rows: np.concatenate([cells(code[rows]) for code, cells in makers], 1)

    def said(self, x: np.ndarray) -> list[str]:
        """Each cell of a row [K, 2] for people, with the name of its column, "" where it is missing."""
        found, at = [], 0
        for one in self.columns:
            names = [name for name, _ in one.parts]
            cells = x[at: at + len(names)]
            at += len(names)
            there = cells[:, 1] != MISSING
            words = one.said(np.where(there[:, None], cells, [[0, FIRST]])) if there.any() else [""] * len(names)
            found += [f"{name} {word}" if here else "" for name, word, here in zip(names, words, there, strict=True)]
        return found

    def save(self, path: str | Path) -> None:
        about = [{"name": one.name, "type": one.type} | one.plain() for one in self.columns]
        files.write(path, json.dumps({"columns": about}, ensure_ascii=False, indent=1) + "\n")

    @classmethod
    def of(cls, text: str) -> Fitted:
        """From what `save` wrote."""
        return cls([KINDS[about["type"]].again(about["name"], about) for about in json.loads(text)["columns"]])


def _look_up(values: np.ndarray, code: np.ndarray) -> np.ndarray:
    """float64 [B], NaN where the code is -1."""
    return np.append(values, np.nan)[code]


def _scaled(scale: Scale, values: np.ndarray) -> np.ndarray:
    """float32 [B, 2]; values: float64 [B], NaN where missing."""
    there = ~np.isnan(values)
    return np.stack([np.where(there, scale.apply(np.nan_to_num(values)), 0.0), there], 1).astype(np.float32)

