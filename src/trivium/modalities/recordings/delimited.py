"""Recordings in text: a point in each line, between commas, semicolons, tabs or white space, with names or without."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from trivium.modalities import media
from trivium.modalities.recordings import Recording, Times, arrays, clock, refuse_many

NUMBER = re.compile(r"^\s*[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d+)?\s*$|^\s*$|^\s*nan\s*$", re.IGNORECASE)
LARGE, BLOCK = 1 << 24, 1 << 22  # bytes of a file that is read in pieces, and of a piece


def read(place: Path | io.BytesIO, head: bytes) -> Recording:
    """Raises: ValueError."""
    from pyarrow import csv

    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf8"
    try:
        lines = [line for line in head.decode(encoding, "replace").lstrip("\ufeff").splitlines() if line.strip()]
    except UnicodeError:
        lines = []
    if not lines:
        raise ValueError("the file is empty")
    delimiter = max("\t;,|", key=lines[0].count)
    content: Path | io.BytesIO = place
    if not lines[0].count(delimiter) and len(lines[0].split()) > 1:
        content, delimiter = _spaced(place), " "
    cells = lines[0].split() if delimiter == " " else lines[0].split(delimiter)
    bare = all(NUMBER.match(cell.strip('"')) for cell in cells)
    comma = delimiter in ";\t" and any(re.search(r"\d,\d", line) for line in lines[1:]) and not any(
        re.search(r"\d\.\d", line) for line in lines[1:])
    names = [str(k + 1) for k in range(len(cells))] if bare else None
    options = {"null_values": arrays.MISSING, "strings_can_be_null": True, "timestamp_parsers": ["never"],
               "decimal_point": "," if comma else "."}
    parse = csv.ParseOptions(delimiter=delimiter)
    if encoding == "utf8" and media.size(content) > LARGE:
        try:
            return _in_pieces(content, names, parse, options)
        except (pa.ArrowException, ValueError, KeyError):
            pass  # there is something else than numbers in it: as a whole, it can be told what
    try:
        table = csv.read_csv(_opened(content), csv.ReadOptions(
            use_threads=False, column_names=names, encoding=encoding), parse, csv.ConvertOptions(**options))
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read as a table of text: {str(error).splitlines()[0]}") from None
    return arrays.of_table(table)


def _in_pieces(content: Path | io.BytesIO, names: list[str] | None, parse: Any, options: dict[str, Any]) -> Recording:
    """Of numbers alone, besides the time: what is no number yet takes no room.

    Raises: pa.ArrowException, ValueError (there is something else; too many numbers).
    """
    from pyarrow import csv

    lines = _lines(_opened(content)) - (names is None)
    read = csv.ReadOptions(use_threads=False, column_names=names, block_size=BLOCK)
    with csv.open_csv(_opened(content), read, parse, csv.ConvertOptions(**options)) as file:
        first = file.schema
    timed = clock.column([name for name in first.names if name])
    kinds = {name: pa.float64() for name in first.names}
    if timed is not None:
        kind = first.field(timed).type
        kinds[timed] = kind if pa.types.is_integer(kind) or pa.types.is_floating(kind) else pa.string()
    channels = [name for name in first.names if name and name != timed]
    refuse_many(lines * len(channels))
    values, times, dates, count = np.empty((len(channels), lines)), np.arange(lines) / 1.0, list[pa.Array](), 0
    with csv.open_csv(_opened(content), read, parse, csv.ConvertOptions(**options, column_types=kinds)) as file:
        for batch in file:
            here = slice(count, count := count + len(batch))
            for row, name in zip(values, channels, strict=True):
                row[here] = batch[name].to_numpy(zero_copy_only=False)
            if timed is not None and kinds[timed] == pa.string():
                dates.append(clock.told(timed, batch[timed]))
            elif timed is not None:
                times[here] = clock.seconds(timed, batch[timed])
    times, since = clock.read(timed or "", pa.chunked_array(dates)) if dates else (times[:count], None)
    return Recording(Times(times), np.ascontiguousarray(values[:, :count]), tuple(channels), since, timed is not None)


def _lines(content: str | io.BytesIO) -> int:
    count, last = 0, b""
    with content if isinstance(content, io.BytesIO) else open(content, "rb") as file:
        while piece := file.read(BLOCK):
            count, last = count + piece.count(b"\n"), piece[-1:]
    return count + (last != b"\n")


def _opened(content: Path | io.BytesIO) -> str | io.BytesIO:
    return str(content) if isinstance(content, Path) else io.BytesIO(content.getvalue())


def _spaced(place: Path | io.BytesIO) -> io.BytesIO:
    text = place.read_bytes() if isinstance(place, Path) else place.getvalue()
    return io.BytesIO(b"\n".join(b" ".join(line.split()) for line in text.splitlines() if line.strip()))
