"""CSV, TSV, JSONL and Parquet files as columns of strings; empty cells are null."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from trivium.errors import UserError

KINDS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
KEYS_IN = 1000  # rows of a JSONL file that are searched for the names of its columns


def columns(path: Path) -> list[str]:
    """Names of the columns. Raises: UserError (no such file, unknown ending, unreadable, no rows, a name twice)."""
    _check(path)
    try:
        if _kind(path) == "csv":
            names = _open_csv(path).schema.names
        elif _kind(path) == "jsonl":
            found: dict[str, None] = {}
            for number, row in _objects(path):
                if number > KEYS_IN:
                    break
                found |= dict.fromkeys(row)
            names = list(found)
        else:
            import pyarrow.parquet as pq

            names = pq.read_schema(path).names
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UserError(f"{path} has two columns `{twice[0]}`: rename one.")
    if not names:
        raise UserError(f"{path} has no rows.")
    return names


def read(path: Path, names: Sequence[str]) -> pa.Table:
    """The columns `names` as strings. Raises: UserError (unreadable, no rows, a cell is a list or an object)."""
    try:
        if _kind(path) == "csv":
            table = _read_csv(path, names)
        elif _kind(path) == "jsonl":
            table = _read_jsonl(path, names)
        else:
            import pyarrow.parquet as pq

            table = pq.read_table(path, columns=list(names))
        table = pa.table({name: _strings(table[name]) for name in names})
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    if table.num_rows == 0:
        raise UserError(f"{path} has no rows.")
    return table


def _check(path: Path) -> None:
    if not path.is_file():
        siblings = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, siblings, 1)
        hint = f"Did you mean {path.parent / near[0]}?" if near else "Check the path."
        raise UserError(f"There is no file {path} (seen from {Path.cwd()}). {hint}")
    if path.suffix.lower() not in KINDS:
        raise UserError(f"{path} should be a table with the ending {', '.join(KINDS)}.")
    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty.")


def _kind(path: Path) -> str:
    return KINDS[path.suffix.lower()]


def _unreadable(path: Path, error: Exception) -> UserError:
    if isinstance(error, UnicodeDecodeError) or "UTF8" in str(error):
        return UserError(f"{path} is not in UTF-8: save it with that encoding ({error}).")
    return UserError(f"{path} cannot be read as {path.suffix.lstrip('.')}: {str(error).rstrip('.')}.")


def _strings(column: pa.ChunkedArray) -> pa.ChunkedArray:
    column = column.cast(pa.string())
    return pc.if_else(pc.equal(column, ""), None, column)


def _csv_options(path: Path) -> dict[str, Any]:
    from pyarrow import csv

    with path.open("rb") as file:
        header = file.readline()
    delimiter = max(b"\t,;", key=header.count) if path.suffix.lower() == ".csv" else ord("\t")
    return {"read_options": csv.ReadOptions(block_size=1 << 24, use_threads=False),
            "parse_options": csv.ParseOptions(delimiter=chr(delimiter), newlines_in_values=True)}


def _open_csv(path: Path) -> Any:
    from pyarrow import csv

    return csv.open_csv(path, **_csv_options(path))


def _read_csv(path: Path, names: Sequence[str]) -> pa.Table:
    from pyarrow import csv

    convert = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), include_columns=list(names))
    return csv.read_csv(path, convert_options=convert, **_csv_options(path))


def _read_jsonl(path: Path, names: Sequence[str]) -> pa.Table:
    cells: dict[str, list[str | None]] = {name: [] for name in names}
    for number, row in _objects(path):
        for name in names:
            value = row.get(name)
            if isinstance(value, (list, dict)):
                raise UserError(f"{path}, line {number}: `{name}` is a {type(value).__name__}, not one value.")
            cells[name].append(value if value is None or isinstance(value, str) else json.dumps(value))
    return pa.table({name: pa.chunked_array([pa.array(values, pa.string())]) for name, values in cells.items()})


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number from 1, object) of each line that is not blank."""
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise UserError(f"{path}, line {number} is not JSON ({error}): a .jsonl file has one object in braces "
                                "per line.") from None
            if not isinstance(row, dict):
                raise UserError(f"{path}, line {number} is a JSON {type(row).__name__}: a .jsonl file has one object "
                                "in braces per line.")
            yield number, row
