"""Targets as people write them in the cells of a table: labels, numbers, lists, and several columns as one.

`N` rows, `K` columns.
"""

from __future__ import annotations

import ast
import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from trivium.tasks.base import Array, Reasons

if TYPE_CHECKING:
    import pyarrow as pa

Value = TypeVar("Value")

EMPTY = "it has no label"
LONGEST = 40  # signs of a cell that are shown
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
ALONE = r"^\s*\[([^,\[\]]*)\]\s*$"  # a list of one
NO_NUMBER = re.compile(r"[+-]?(nan|inf|infinity|<na>)", re.IGNORECASE)
GROUPED = re.compile(r"[+-]?\d[\d.,' ]*")  # 1.234,5 and 1,234.5 and 1 234
YES = {"1", "true", "yes", "y", "x", "t", "on"}
NO = {"0", "false", "no", "n", "", "f", "off"}
NAMED = 10  # of many names that a sentence lists
LARGEST = float(np.finfo(np.float32).max)


def whole(cells: pa.ChunkedArray | pa.Array) -> pa.Array:
    """One array."""
    import pyarrow as pa

    return cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells


def label(value: Any) -> str:
    """A label without blanks around it, in Unicode's composed form; `1.0` is `1`, true is `true`."""
    return _label(value if isinstance(value, str) else json.dumps(value))


@lru_cache(100_000)  # many cells hold few labels
def _label(text: str) -> str:
    return re.sub(r"^([+-]?\d+)\.0+$", r"\1", unicodedata.normalize("NFC", text).strip())


def shown(cell: Any) -> str:
    """A cell as a sentence quotes it, not too long."""
    text = " ".join(str(cell).split())
    return f"`{text if len(text) <= LONGEST else text[:LONGEST - 1] + '…'}`"


def some(names: Sequence[str]) -> str:
    """The first of many names."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def each(cells: pa.ChunkedArray | pa.Array, parse: Callable[[str], Value]) -> tuple[list[Value | None], np.ndarray,
                                                                                    Reasons]:
    """What `parse` makes of the different cells, the position of each row's among them (-1: none), and why it failed
    for rows. parse: of a cell; raises ValueError with the reason.
    """
    coded = whole(cells).dictionary_encode()
    place = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    values: list[Value | None] = []
    wrong: dict[int, str] = {-1: EMPTY}
    for k, cell in enumerate(coded.dictionary.to_pylist()):
        try:
            values.append(parse(cell))
        except ValueError as error:
            values.append(None)
            wrong[k] = str(error)
    rows = np.flatnonzero(np.isin(place, list(wrong)))
    reasons = {int(row): wrong[int(place[row])] for row in rows}
    place[rows] = -1
    return values, place, reasons


def tags(cell: str, separator: str) -> list[str]:
    """The different tags of a cell: a list, an object {tag: yes or no}, or names between separators. Raises: ValueError
    (why it cannot be used).
    """
    text = cell.strip()
    if text[:1] == "{":
        value = _literal(text)
        if isinstance(value, dict):
            return sorted({label(tag) for tag, one in value.items() if _truth(tag, one)})
    found: Any = _literal(text) if text[:1] == "[" else None
    if isinstance(found, list):
        if any(isinstance(one, (list, dict, tuple)) for one in found):
            raise ValueError(f"its tags are {shown(cell)}, not a flat list")
        return sorted({name for one in found if one is not None and (name := label(one))})
    names = sorted({name for one in text.split(separator) if (name := label(one))})
    if not names:
        raise ValueError(EMPTY)
    return names


def numbers(cells: pa.ChunkedArray | pa.Array, names: Sequence[str]) -> tuple[Array, Reasons]:
    """Numbers [N, K] of cells, nan where one is wrong, and why for those rows. names: of the K targets; of several, a
    cell is a JSON object {name: cell} or a list of K numbers.
    """
    import pyarrow.compute as pc

    if len(names) == 1:
        columns, reasons = [pc.replace_substring_regex(whole(cells), ALONE, r"\1")], Reasons()
    else:
        columns, reasons = _columns(cells, names)
    found = np.empty((len(columns[0]), len(names)))
    for k, (name, column) in enumerate(zip(names, columns, strict=True)):
        found[:, k], wrong = _numbers(column, name, EMPTY if len(names) == 1 else f"its target `{name}` is empty")
        reasons = wrong | reasons  # of a row the first
    return found, reasons


def lengths(cells: pa.ChunkedArray | pa.Array) -> int:
    """The length of the first list among cells; 1 where they are no lists."""
    import pyarrow.compute as pc

    lists = pc.filter(whole(cells), pc.starts_with(pc.utf8_ltrim_whitespace(whole(cells)), "["))
    return max(1, len(_literal(lists[0].as_py()) or ())) if len(lists) else 1


def _columns(cells: pa.ChunkedArray | pa.Array, names: Sequence[str]) -> tuple[list[pa.Array], Reasons]:
    """The K columns that were put into one."""
    import pyarrow as pa

    rows, reasons = whole(cells).to_pylist(), Reasons()
    columns: list[list[str | None]] = [[None] * len(rows) for _ in names]
    for row, cell in enumerate(rows):
        value = None if cell is None else _literal(cell)
        if isinstance(value, dict):
            value = [value.get(name) for name in names]
        if not isinstance(value, list) or len(value) != len(names):
            reasons[row] = EMPTY if cell is None else f"its target is {shown(cell)}, not {len(names)} numbers"
            continue
        for column, one in zip(columns, value, strict=True):
            column[row] = None if one is None else str(one)
    return [pa.array(column, pa.string()) for column in columns], reasons


def _numbers(cells: pa.Array, name: str, empty: str) -> tuple[Array, Reasons]:
    """Of one column, [N]. empty: why a cell without anything is wrong."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(cells)
    fine = pc.match_substring_regex(text, NUMBER)
    plain = pc.replace_substring_regex(pc.if_else(fine, text, pa.scalar(None, text.type)), r"^\+", "")
    found = pc.cast(plain, pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False).copy()
    found[np.abs(found) > LARGEST] = np.nan
    wrong = np.flatnonzero(np.isnan(found))
    said = {None: empty, "": empty}
    reasons = Reasons()
    for row, cell in zip(wrong.tolist(), text.take(pa.array(wrong)).to_pylist(), strict=True):
        if cell not in said:
            said[cell] = _no_number(name, cell)
        reasons[row] = said[cell]
    return found, reasons


def _no_number(name: str, cell: str) -> str:
    """Why a cell is not taken for a number."""
    if NO_NUMBER.fullmatch(cell):
        return f"its target `{name}` is {cell}, which is no finite number"
    if re.match(NUMBER, cell):
        return f"its target `{name}` is {shown(cell)}, which is larger than 32 bits hold"
    hint = ""
    if GROUPED.fullmatch(cell):
        hint = "; numbers are written with a decimal point and without thousands separators, such as 1234.5"
    return f"its target `{name}` is {shown(cell)}, which is not a number{hint}"


def _literal(text: str) -> Any:
    """What JSON, or Python's way to write a list in a cell, says; None where it is neither."""
    try:
        return json.loads(text)
    except ValueError:
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None


def _truth(tag: str, value: Any) -> bool:
    """What the column `tag` says of a row. Raises: ValueError."""
    text = "" if value is None else label(value).lower()
    if text in YES or text in NO:
        return text in YES
    raise ValueError(f"the column `{tag}` holds {shown(value)}, which is neither yes nor no")
