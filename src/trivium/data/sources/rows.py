"""CSV, TSV, JSONL and Parquet files as columns of strings; empty cells are null."""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.data.sources import delimited, jsonl
from trivium.machine import files
from trivium.settings.errors import UserError

MOST = 20_000  # columns
KINDS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


def columns(path: Path) -> list[str]:
    """Names of the columns that have one. Raises: UserError (no such file, unknown ending, unreadable, no rows, a name
    twice)."""
    _check(path)
    try:
        if _kind(path) == "csv":
            names = delimited.names(path)
        elif _kind(path) == "jsonl":
            found: dict[str, None] = {}
            for _, row in jsonl.objects(path):
                found |= dict.fromkeys(row)
            names = list(found)
        else:
            import pyarrow.parquet as pq

            names = pq.read_schema(path).names
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None
    names = [name for name in names if name]  # spreadsheets leave nameless columns at the right
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UserError(f"{path} has two columns `{twice[0]}`: rename one.")
    if not names:
        raise UserError(f"{path} has no rows.")
    if len(names) > MOST:
        raise UserError(f"{path} has {len(names):,} columns, and {MOST:,} are read at most. Does it have a column per "
                        "sample? Turn it, so that it has a row per sample.")
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
    """The columns `names` as strings; a list in one of `lists` as a JSON array. Other lists and objects: see `jsonl`.

    Raises: UserError (unreadable, no rows, a column of Parquet that holds no single values).
    """
    return pa.concat_tables(pieces(path, names, lists))


def pieces(path: Path, names: Sequence[str], lists: Collection[str] = (), odd: set[tuple[int, str]] | None = None,
           ) -> Iterator[pa.Table]:
    """As `read`, some rows at a time. odd: see `jsonl.pieces`"""
    wanted = {"csv": lambda: delimited.pieces(path, names), "jsonl": lambda: jsonl.pieces(path, names, lists, odd),
              "parquet": lambda: _parquet_pieces(path, names, lists)}[_kind(path)]
    count = 0
    try:
        for piece in wanted():
            count += len(piece)
            if len(piece):
                yield pa.table({name: strings(_arrays(piece[name]) if name in lists else piece[name], name, path)
                                for name in names})
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None
    if not count:
        raise UserError(f"{path} has no rows.")


def look(path: Path, most: int) -> dict[str, list[str]]:
    """The first `most` values, without those that are blank, of each column that has one value in most of its rows.

    Raises: UserError (unreadable).
    """
    found: dict[str, list[str]] = {name: [] for name in columns(path)}
    wanting, others = set(found), Counter[str]()
    try:
        for name, cells in _pieces(path):
            if name not in wanting:
                continue
            others[name] += cells is None
            found[name] += [cell.strip() for cell in cells or () if cell and cell.strip()]
            if max(others[name], len(found[name])) >= most:
                wanting.remove(name)
                if not wanting:
                    break
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None
    return {name: values[:most] for name, values in found.items()
            if not others[name] or len(values) > others[name]}


def _pieces(path: Path) -> Iterator[tuple[str, list[str | None] | None]]:
    """Some cells of a column at a time, in order; None where they are not one value each."""
    if _kind(path) == "jsonl":
        for _, row in jsonl.objects(path):
            for name, value in row.items():
                yield name, None if isinstance(value, (list, dict)) else [jsonl.cell(value)]
        return
    if _kind(path) == "csv":
        batches = delimited.cells(path)
    else:
        import pyarrow.parquet as pq

        batches = pq.ParquetFile(path, pre_buffer=False).iter_batches(4096)
    for batch in batches:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            try:
                yield name, strings(pa.chunked_array([column]), name, path).to_pylist()
            except UserError:
                yield name, None


def _check(path: Path) -> None:
    if why := files.special(path):
        raise UserError(f"{path} is {why}, and not a table: name a file.")
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


def unreadable(path: Path, error: Exception) -> UserError:
    if isinstance(error, UnicodeDecodeError) or "UTF8" in str(error):
        return UserError(f"{path} is no text in UTF-8, UTF-16 or Windows-1252: save it in UTF-8 ({error}).")
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
    cells = pa.array([jsonl.plain(value) for value in once.dictionary.to_pylist()], pa.string())
    return pc.fill_null(cells.take(once.indices), "null")


def objects(columns: Mapping[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    """Several columns of strings as one of JSON objects {name: cell or null}, each different cell written once."""
    pieces: list[Any] = []
    for name, column in columns.items():
        pieces += [f"{', ' if pieces else '{'}{jsonl.plain(name)}: ", _once(column.combine_chunks())]
    return pa.chunked_array([pc.binary_join_element_wise(*pieces, "}", "")])


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Floats as strings; whole ones as integers, since that they were before a missing value made floats of them."""
    double = pc.if_else(pc.is_nan(column), None, column).cast(pa.float64())
    whole = pc.and_(pc.equal(double, pc.floor(double)), pc.less(pc.abs(double), jsonl.EXACT))
    return pc.coalesce(pc.if_else(whole, double, None).cast(pa.int64()).cast(pa.string()),
                       pc.if_else(pc.is_valid(double), column.cast(pa.string()), None))


def _parquet_pieces(path: Path, names: Sequence[str], lists: Collection[str]) -> Iterator[pa.Table]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
        if any(pa.types.is_nested(file.schema_arrow.field(name).type) for name in lists):
            for group in range(file.num_row_groups):  # Arrow cannot read lists by batches where a file has dictionaries
                yield file.read_row_group(group, columns=list(names), use_threads=False)
            return
        for batch in file.iter_batches(jsonl.ROWS, columns=list(names), use_threads=False):
            yield pa.Table.from_batches([batch])


