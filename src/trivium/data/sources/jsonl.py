"""JSONL files: an object per line."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from trivium.data.sources.encoded import utf8
from trivium.data.sources.not_one import MARK
from trivium.settings.errors import UserError

ROWS = 1 << 16  # that are read at a time
EXACT = 2**53  # below it, a float knows which integer it is


def plain(value: Any) -> str:
    """A JSON value; null for NaN, which pandas and others write for an empty cell."""
    return "null" if value != value else json.dumps(value, ensure_ascii=False, default=str)


def pieces(path: Path, names: Sequence[str], lists: Collection[str], odd: set[tuple[int, str]] | None = None,
           ) -> Iterator[pa.Table]:
    """Some rows at a time. odd: gets (row from 0, name) of each cell that is a list or an object, whose text is then
    its JSON; without it, with a `MARK` before, unless it is a list in one of `lists`.
    """
    cells: dict[str, list[str | None]] = {name: [] for name in names}
    for count, (_, row) in enumerate(objects(path), 1):
        for name in names:
            value = row.get(name)
            if isinstance(value, list) and name in lists and not any(isinstance(one, (list, dict)) for one in value):
                value = f"[{', '.join(plain(one) for one in value)}]"
            if isinstance(value, (list, dict)) and odd is not None:
                odd.add((count - 1, name))
                value = plain(value)
            if isinstance(value, (list, dict)):
                value = f"{MARK}{plain(value)}"
            cells[name].append(cell(value))
        if count % ROWS == 0:
            yield _of_strings(cells)
            cells = {name: [] for name in names}
    yield _of_strings(cells)


def _of_strings(cells: Mapping[str, list[str | None]]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string()) for name, values in cells.items()})


def cell(value: Any) -> str | None:
    if value is None or value != value:  # NaN, which pandas and others write for an empty cell
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        value = int(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else json.dumps(value)


def objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number from 1, object) of each line that is not blank."""
    with utf8(path).open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.rstrip("\n"))
            except (ValueError, RecursionError) as error:
                raise UserError(f"{path}, line {number} is not JSON ({error}): a .jsonl file has one object in braces "
                                "per line.") from None
            if not isinstance(row, dict):
                raise UserError(f"{path}, line {number} is a JSON {type(row).__name__}: a .jsonl file has one object "
                                "in braces per line.")
            yield number, row
