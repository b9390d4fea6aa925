"""Answers as a file: CSV, JSONL or Parquet by its ending. Rows are written as they come, and none is kept."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from trivium.machine.files import whole
from trivium.machine.spreadsheet import safe
from trivium.settings import told
from trivium.settings.errors import UserError

Write = Callable[[Sequence[Sequence[Any]]], None]  # gets some rows: the id, then a cell per column
ENDINGS = (".csv", ".jsonl", ".parquet")
GROUP = 1 << 14  # rows that Parquet keeps together, and so in memory


def check(out: Path | None) -> None:
    """Raises: UserError (nothing can be written to `out`)."""
    if out is None:
        return
    if out.is_dir() or not out.parent.is_dir():
        raise UserError(f"--out {out} " + ("is a folder: name a file in it." if out.is_dir() else
                                           f"cannot be written: there is no folder {out.parent}."))
    if out.suffix.lower() not in ENDINGS:
        raise UserError(f"--out {out}: its ending says how answers are written. It should be one of "
                        f"{', '.join(ENDINGS)}.")


@contextmanager
def writing(out: Path | None, columns: Mapping[str, type], digits: str) -> Iterator[Write]:
    """What writes rows to `out`, which is there when the block ends and not before; None: CSV to the terminal.

    columns: behind the id, `object` for texts and `float` for numbers;  digits: how a CSV has numbers
    """
    if out is None:
        yield _csv(sys.stdout if sys.stdout.isatty() else told.inner(sys.stdout), columns, digits)
        return
    with whole(out) as scratch:
        if out.suffix.lower() == ".parquet":
            with _parquet(scratch, columns) as write:
                yield write
            return
        with scratch.open("w", encoding="utf-8", newline="") as file:
            yield _csv(file, columns, digits) if out.suffix.lower() == ".csv" else _jsonl(file, columns)


def _csv(file: IO[str], columns: Mapping[str, type], digits: str) -> Write:
    table = csv.writer(file, lineterminator="\n")
    table.writerow([safe(name) for name in ("id", *columns)])

    def cell(value: Any) -> object:
        return format(value, digits) if isinstance(value, float) else safe(value or "")

    return lambda rows: table.writerows([safe(key), *map(cell, cells)] for key, *cells in rows)


def _jsonl(file: IO[str], columns: Mapping[str, type]) -> Write:
    names = ["id", *columns]
    return lambda rows: file.writelines(
        json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n" for row in rows)


@contextmanager
def _parquet(path: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("id", pa.string())] + [(name, pa.float64() if kind is float else pa.string())
                                                for name, kind in columns.items()])
    waiting: list[Sequence[Any]] = []

    def flush() -> None:
        cells = list(zip(*waiting, strict=True)) or [()] * len(schema)
        file.write_table(pa.table([pa.array(column, field.type) for column, field in zip(cells, schema, strict=True)],
                                  schema=schema))
        waiting.clear()

    def write(rows: Sequence[Sequence[Any]]) -> None:
        waiting.extend(rows)
        if len(waiting) >= GROUP:
            flush()

    with pq.ParquetWriter(path, schema) as file:
        yield write
        if waiting:
            flush()
