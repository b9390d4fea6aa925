"""CSV, TSV, JSONL and Parquet files as columns of strings; empty cells are null."""

from __future__ import annotations

import difflib
import json
import mmap
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.settings.errors import UserError

KINDS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
ROWS = 1 << 16  # that are read at a time
EXACT = 2**53  # below it, a float knows which integer it is


def columns(path: Path) -> list[str]:
    """Names of the columns that have one. Raises: UserError (no such file, unknown ending, unreadable, no rows, a name
    twice)."""
    _check(path)
    try:
        if _kind(path) == "csv":
            _check_quotes(path)
            names = _open_csv(path).schema.names
        elif _kind(path) == "jsonl":
            found: dict[str, None] = {}
            for _, row in _objects(path):
                found |= dict.fromkeys(row)
            names = list(found)
        else:
            import pyarrow.parquet as pq

            names = pq.read_schema(path).names
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    names = [name for name in names if name]  # spreadsheets leave nameless columns at the right
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UserError(f"{path} has two columns `{twice[0]}`: rename one.")
    if not names:
        raise UserError(f"{path} has no rows.")
    return names


def named(wanted: str, names: Sequence[str], path: Path) -> str | None:
    """The column of `names` that is called `wanted`: exactly, or but for its case and the white space around it.

    Raises: UserError (two such columns in the file at `path`).
    """
    if not wanted or wanted in names:
        return wanted or None
    alike = [name for name in names if _bare(name) == _bare(wanted)]
    if len(alike) > 1:
        raise UserError(f"{path} has the columns {' and '.join(f'`{name}`' for name in alike)}, and none is called "
                        f"exactly `{wanted}`: rename one.")
    return alike[0] if alike else None


def _bare(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()


def read(path: Path, names: Sequence[str], lists: Collection[str] = ()) -> pa.Table:
    """The columns `names` as strings; a list in one of `lists` as a JSON array.

    Raises: UserError (unreadable, no rows, a cell is an object, or a list elsewhere).
    """
    return pa.concat_tables(pieces(path, names, lists))


def pieces(path: Path, names: Sequence[str], lists: Collection[str] = ()) -> Iterator[pa.Table]:
    """As `read`, some rows at a time."""
    wanted = {".csv": _csv_pieces, ".jsonl": _jsonl_pieces, ".parquet": _parquet_pieces}[f".{_kind(path)}"]
    count = 0
    try:
        for piece in wanted(path, names, lists):
            count += len(piece)
            if len(piece):
                yield pa.table({name: strings(_arrays(piece[name]) if name in lists else piece[name], name, path)
                                for name in names})
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    if not count:
        raise UserError(f"{path} has no rows.")


def look(path: Path, most: int) -> dict[str, list[str]]:
    """The first `most` values, without those that are blank, of each column that has one value per row.

    Raises: UserError (unreadable).
    """
    found: dict[str, list[str]] = {name: [] for name in columns(path)}
    wanting = set(found)
    try:
        for name, cells in _pieces(path):
            if name not in wanting:
                continue
            if cells is None:
                del found[name]
            else:
                found[name] += [cell.strip() for cell in cells if cell and cell.strip()]
            if cells is None or len(found[name]) >= most:
                wanting.remove(name)
                if not wanting:
                    break
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    return {name: values[:most] for name, values in found.items()}


def _pieces(path: Path) -> Iterator[tuple[str, list[str | None] | None]]:
    """Some cells of a column at a time, in order; None where they are not one value each."""
    if _kind(path) == "jsonl":
        for _, row in _objects(path):
            for name, value in row.items():
                yield name, None if isinstance(value, (list, dict)) else [_cell(value)]
        return
    if _kind(path) == "csv":
        from pyarrow import csv

        convert = csv.ConvertOptions(column_types=dict.fromkeys(_open_csv(path).schema.names, pa.string()))
        batches: Any = csv.open_csv(path, convert_options=convert, **_csv_options(path))
    else:
        import pyarrow.parquet as pq

        batches = pq.ParquetFile(path).iter_batches(4096)
    for batch in batches:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            try:
                yield name, strings(pa.chunked_array([column]), name, path).to_pylist()
            except UserError:
                yield name, None


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
    hint = " Put cells that hold the delimiter into double quotes." if "columns, got" in str(error) else ""
    return UserError(f"{path} cannot be read as {path.suffix.lstrip('.')}: {str(error).rstrip('.')}.{hint}")


def strings(column: pa.ChunkedArray, name: str, path: Path) -> pa.ChunkedArray:
    """The column `name` of the file at `path`, null where it is empty. Raises: UserError (it holds no single values).
    """
    try:
        column = _numbers(column) if pa.types.is_floating(column.type) else column.cast(pa.string())
    except pa.ArrowException:
        raise UserError(f"{path}: column `{name}` holds {column.type}. It must have one text, number or path per row; "
                        "what is an image or a sound goes into a file of its own.") from None
    return pc.if_else(pc.equal(column, ""), None, column)


def _arrays(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Lists as JSON arrays, each different value written once; other columns, and lists of lists, as they are."""
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)) or column.type.value_type.num_fields:
        return column
    made = []
    for chunk in column.chunks:
        cells = _once(chunk.flatten())
        ends = np.cumsum(np.append(0, pc.fill_null(pc.list_value_length(chunk), 0).to_numpy()))
        joined = pc.binary_join(pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), cells), ", ")
        made.append(pc.if_else(chunk.is_valid(), pc.binary_join_element_wise("[", joined, "]", ""), None))
    return pa.chunked_array(made, pa.string())


def _once(values: pa.Array) -> pa.Array:
    """As JSON, `null` where there is none."""
    once = values.dictionary_encode()
    cells = pa.array([_json(value) for value in once.dictionary.to_pylist()], pa.string())
    return pc.fill_null(cells.take(once.indices), "null")


def _json(value: Any) -> str:
    """A JSON value; null for NaN, which pandas and others write for an empty cell."""
    return "null" if value != value else json.dumps(value, ensure_ascii=False, default=str)


def objects(columns: Mapping[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    """Several columns of strings as one of JSON objects {name: cell or null}, each different cell written once."""
    pieces: list[Any] = []
    for name, column in columns.items():
        pieces += [f"{', ' if pieces else '{'}{_json(name)}: ", _once(column.combine_chunks())]
    return pa.chunked_array([pc.binary_join_element_wise(*pieces, "}", "")])


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Floats as strings; whole ones as integers, since that they were before a missing value made floats of them."""
    double = pc.if_else(pc.is_nan(column), None, column).cast(pa.float64())
    whole = pc.and_(pc.equal(double, pc.floor(double)), pc.less(pc.abs(double), EXACT))
    return pc.coalesce(pc.if_else(whole, double, None).cast(pa.int64()).cast(pa.string()),
                       pc.if_else(pc.is_valid(double), column.cast(pa.string()), None))


def _csv_options(path: Path) -> dict[str, Any]:
    from pyarrow import csv

    return {"read_options": csv.ReadOptions(block_size=1 << 24, use_threads=False),
            "parse_options": csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True)}


def _delimiter(path: Path) -> str:
    with path.open("rb") as file:
        header = file.readline().decode()  # raises on UTF-16, which Arrow would take for one odd column
    return max("\t,;", key=header.count) if path.suffix.lower() == ".csv" else "\t"


def _check_quotes(path: Path) -> None:
    """Raises: UserError (a quoted cell is never closed, or goes on behind a quote that some later line opens with).

    Arrow makes one long cell of it and of all lines in between, and the rows on them are gone.
    """
    end = f"{_delimiter(path)}\r\n"
    cell = rf'[^"{end}][^{end}]*+'
    quoted = rf'"[^"]*+(?:""[^"]*+)*+"(?=[{end}]|\Z)'
    sloppy = rf'"[^"\r\n]*+"[^{end}]*+'  # more behind the closing quote: harmless on one line
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        good = re.compile(rf"(?:{cell}|{quoted}|{sloppy}|[{end}])*+".encode()).match(text)
        stop = good.end() if good else 0
        if stop < len(text):
            line = text[:stop].count(b"\n") + 1
            raise UserError(f"{path}, line {line}: a cell begins with a double quote that is not closed, so that the "
                            "lines below would become a part of it. Put the whole cell into double quotes, and write "
                            "each one inside it twice.")


def _open_csv(path: Path) -> Any:
    from pyarrow import csv

    return csv.open_csv(path, **_csv_options(path))


def _parquet_pieces(path: Path, names: Sequence[str], lists: Collection[str]) -> Iterator[pa.Table]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, buffer_size=1 << 20) as file:
        if any(pa.types.is_nested(file.schema_arrow.field(name).type) for name in lists):
            for group in range(file.num_row_groups):  # Arrow cannot read lists by batches where a file has dictionaries
                yield file.read_row_group(group, columns=list(names), use_threads=False)
            return
        for batch in file.iter_batches(ROWS, columns=list(names), use_threads=False):
            yield pa.Table.from_batches([batch])


def _csv_pieces(path: Path, names: Sequence[str], lists: Collection[str]) -> Iterator[pa.Table]:
    from pyarrow import csv

    convert = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), include_columns=list(names))
    for batch in csv.open_csv(path, convert_options=convert, **_csv_options(path)):
        yield pa.Table.from_batches([batch])


def _jsonl_pieces(path: Path, names: Sequence[str], lists: Collection[str]) -> Iterator[pa.Table]:
    cells: dict[str, list[str | None]] = {name: [] for name in names}
    for count, (number, row) in enumerate(_objects(path), 1):
        for name in names:
            value = row.get(name)
            if isinstance(value, list) and name in lists and not any(isinstance(one, (list, dict)) for one in value):
                value = f"[{', '.join(_json(one) for one in value)}]"
            if isinstance(value, (list, dict)):
                raise UserError(f"{path}, line {number}: `{name}` is a {type(value).__name__}, not one value.")
            cells[name].append(_cell(value))
        if count % ROWS == 0:
            yield _of_strings(cells)
            cells = {name: [] for name in names}
    yield _of_strings(cells)


def _of_strings(cells: Mapping[str, list[str | None]]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string()) for name, values in cells.items()})


def _cell(value: Any) -> str | None:
    if value is None or value != value:  # NaN, which pandas and others write for an empty cell
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        value = int(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else json.dumps(value)


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number from 1, object) of each line that is not blank."""
    with path.open(encoding="utf-8-sig") as file:
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
