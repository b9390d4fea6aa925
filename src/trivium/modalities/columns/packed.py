"""Several cells of a row as one string, so that a table is a stream like any other: a JSON object of texts.

    {"area":"61.2","kind":null,"year":"1999"}

Every column is named in every row, in the same order; a cell that is empty is null, and a row whose cells are all empty
is null itself. Made and read by Arrow, a column at a time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

ROW = r'^\{"(?:[^"\\]|\\.)*":(?:null|"(?:[^"\\]|\\.)*")(?:,"(?:[^"\\]|\\.)*":(?:null|"(?:[^"\\]|\\.)*"))*\}$'
CHUNK = 1 << 16  # rows that are read at a time
MOST = (1 << 31) - 1  # bytes of a row that Arrow reads


def pack(columns: Mapping[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    """One string per row. columns: texts, by the names that they shall have."""
    parts, empty = [], None
    for name, column in columns.items():
        text = pc.utf8_trim_whitespace(pc.replace_substring_regex(column, r"[\x00-\x1f]+", " "))
        text = pc.if_else(pc.equal(text, ""), None, text)
        blank = pc.is_null(text)
        empty = blank if empty is None else pc.and_(empty, blank)
        quoted = pc.replace_substring(pc.replace_substring(text, "\\", "\\\\"), '"', '\\"')
        key = json.dumps(name, ensure_ascii=False)
        cell = pc.fill_null(pc.binary_join_element_wise("", quoted, "", '"'), "null")
        parts.append(pc.binary_join_element_wise(f"{key}:", cell, ""))
    joined = pc.binary_join_element_wise("{", pc.binary_join_element_wise(*parts, ","), "}", "")
    packed = pc.if_else(empty, None, joined)
    return packed if isinstance(packed, pa.ChunkedArray) else pa.chunked_array([packed])


def names(value: str) -> list[str]:
    """The columns that a packed row has, in order."""
    return list(json.loads(value))


def unpack(values: pa.Array | pa.ChunkedArray, names: Sequence[str]) -> dict[str, pa.ChunkedArray]:
    """The texts of each of the columns `names`, null where a cell or the whole row is. Other columns are left out.

    Raises: ValueError (a row that is no JSON object).
    """
    rows = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values], pa.string())
    parts: dict[str, list[pa.Array]] = {name: [] for name in names}
    for start in range(0, len(rows), CHUNK):
        part = rows.slice(start, CHUNK).combine_chunks()
        there = part.drop_null()
        place = pc.if_else(part.is_valid(), pc.cumulative_sum(part.is_valid().cast(pa.int64())), None)
        found = _read(there, names)
        for name in names:
            parts[name].append(found[name].take(pc.subtract(place, 1)))
    return {name: pa.chunked_array(part, pa.string()) for name, part in parts.items()}


def _read(rows: pa.Array, names: Sequence[str]) -> dict[str, pa.Array]:
    """rows: none is null."""
    from pyarrow import json as reader

    schema = pa.schema([(name, pa.string()) for name in names])
    if not len(rows):
        return {name: pa.array([], pa.string()) for name in names}
    lines = pa.LargeListArray.from_arrays(pa.array([0, len(rows)], pa.int64()), rows)
    buffer = pc.binary_join(lines, "\n")[0].as_buffer()
    options = reader.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    try:
        table = reader.read_json(pa.BufferReader(buffer), parse_options=options,
                                 read_options=reader.ReadOptions(use_threads=False,
                                                                 block_size=min(MOST, buffer.size + 1)))
        if len(table) == len(rows):
            return {name: table[name].combine_chunks() for name in names}
    except pa.ArrowException:
        pass
    objects = [_object(row) for row in rows.to_pylist()]  # written by hand: numbers without quotes, line breaks
    return {name: pa.array([_text(one.get(name)) for one in objects], pa.string()) for name in names}


def _object(row: str) -> dict[str, Any]:
    try:
        found = json.loads(row)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a JSON object of cells ({error})") from None
    if not isinstance(found, dict):
        raise ValueError(f"not a JSON object of cells but {type(found).__name__}")
    return found


def _text(value: Any) -> str | None:
    if value is None or value != value:
        return None
    return (str(value).lower() if isinstance(value, bool) else str(value)).strip() or None


def errors(values: pa.Array | pa.ChunkedArray) -> list[str | None]:
    """Why each row cannot be read; None where it can, or is null."""
    odd = pc.invert(pc.fill_null(pc.match_substring_regex(values, ROW), True)).to_numpy(zero_copy_only=False)
    found: list[str | None] = [None] * len(values)
    for row in odd.nonzero()[0].tolist():
        try:
            _object(values[row].as_py())
        except ValueError as error:
            found[row] = str(error)
    return found
