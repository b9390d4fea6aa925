"""Rows of any form as one Parquet file of strings, and what lies in them as files beside it.

A file's name is the digest of its content: the same source gives the same bytes, and an import that was killed finds
what it has written. The table comes last, whole; then files go that an earlier import left and that no row names.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from trivium.data import tables
from trivium.importing import inline
from trivium.importing.asked import Asked, Cell, Inline, Member, Row, address, seen
from trivium.settings.errors import UserError

NAME, MEDIA = "rows.parquet", "media"
PIECE = 4096  # rows that are held at a time
LOOKED = 500  # media that are written where a form is only looked at
EXACT = 2**53  # below it, a float knows which integer it is
Columns = dict[str, list[str | None]]


def write(rows: Iterable[Row], asked: Asked, lacks_id: Callable[[Sequence[str]], bool] | None = None) -> Path:
    """The path of `rows.parquet` in `asked.into`. lacks_id: whether columns of such names need one more, `id`: the
    number of the row, from 1. Raises: UserError (no rows).
    """
    asked.into.mkdir(parents=True, exist_ok=True)
    cells = _Cells(asked)
    names, count = dict[str, None](), 0
    with tempfile.TemporaryFile(dir=asked.into) as scratch:  # has no name, so nothing is left of it after a kill
        for size, made in _pieces(rows, cells):
            names |= dict.fromkeys(name for name, values in made.items() if any(one is not None for one in values))
            count += size
            scratch.write(json.dumps([size, made]).encode() + b"\n")
        if not count:
            raise UserError(f"{asked.source} has no rows.")
        scratch.seek(0)
        number = bool(lacks_id) and "id" not in names and bool(lacks_id and lacks_id(list(names)))
        _save(scratch, count, list(names), asked.into / NAME, number)
    cells.tidy()
    for name, many in cells.lost.items():
        asked.note(f"`{name}` holds objects in {many:,} rows, which are left out.")
    return asked.into / NAME


def _save(scratch: IO[bytes], count: int, names: Sequence[str], path: Path, number: bool) -> None:
    done = 0
    with tables.Writer(path) as file:
        while done < count:
            size, made = json.loads(scratch.readline())
            own = {"id": [str(done + k + 1) for k in range(size)]} if number else {}
            columns = own | {name: made.get(name, [None] * size) for name in names}
            file.add(pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}))
            done += size


def _pieces(rows: Iterable[Row], cells: _Cells) -> Iterator[tuple[int, Columns]]:
    """How many rows, and their cells; the files of a row are written before the next one is read."""
    left = iter(rows)
    while True:
        size, made = 0, Columns()
        for size, row in enumerate(islice(left, PIECE), 1):
            for name, value in row.items():
                made.setdefault(name, [None] * (size - 1)).append(cells.text(name, value))
            for values in made.values():
                values.extend([None] * (size - len(values)))
        if not size:
            return
        yield size, made


class _Cells:
    """lost: cells per column that have no place in a table."""

    def __init__(self, asked: Asked) -> None:
        self.asked, self.lost, self._count = asked, Counter[str](), 0
        self._named: set[str] | None = set() if (asked.into / MEDIA).is_dir() else None  # else nothing can be left

    def text(self, name: str, value: Cell) -> str | None:
        if value is None or isinstance(value, str):
            return value.encode("utf-8", "replace").decode() if value else None
        if isinstance(value, Path):
            return seen(value, self.asked.into)
        if isinstance(value, Member):
            return address(value, self.asked.into)
        if isinstance(value, (Inline, bytes)):
            return self._media(value if isinstance(value, Inline) else Inline(value))
        inner = value if isinstance(value, list) else []
        if isinstance(value, dict) or any(isinstance(one, (dict, bytes, Inline)) for one in inner):
            self.lost[name] += 1
            return None
        if isinstance(value, list):
            return json.dumps(value, ensure_ascii=False, default=str)  # as `trivium.data.sources.rows` has lists
        return plain(value)

    def _media(self, value: Inline) -> str:
        digest = hashlib.blake2b(value.content, digest_size=16).hexdigest()
        suffix = inline.ending(value.content) or Path(value.name).suffix.lower() or ".bin"
        name = f"{MEDIA}/{digest[:2]}/{digest}{suffix}"
        self._count += 1
        if self._named is not None:
            self._named.add(name)
        if self.asked.look and self._count > LOOKED:
            return name
        path = self.asked.into / name
        if not path.exists() or path.stat().st_size != len(value.content):
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.{os.getpid()}.part")
            part.write_bytes(value.content)  # not `files.write`, which waits for the disk each time
            part.replace(path)
        return name


    def tidy(self) -> None:
        """Remove the files that no row names."""
        for path in (self.asked.into / MEDIA).rglob("*") if self._named is not None else ():
            if path.is_file() and path.relative_to(self.asked.into).as_posix() not in (self._named or ()):
                path.unlink()


def plain(value: Any) -> str | None:
    """A number, a truth value or a date as a cell of a table."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)
    return str(value)
