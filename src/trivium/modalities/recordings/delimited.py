"""Recordings in text: a point in each line, between commas, semicolons, tabs or white space, with names or without."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pyarrow as pa

from trivium.modalities.recordings import Recording, arrays

NUMBER = re.compile(r"^\s*[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d+)?\s*$|^\s*$|^\s*nan\s*$", re.IGNORECASE)


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
    try:
        table = csv.read_csv(
            str(content) if isinstance(content, Path) else io.BytesIO(content.getvalue()),
            csv.ReadOptions(use_threads=False, column_names=names, encoding=encoding),
            csv.ParseOptions(delimiter=delimiter),
            csv.ConvertOptions(null_values=arrays.MISSING, strings_can_be_null=True, timestamp_parsers=["never"],
                               decimal_point="," if comma else "."))
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read as a table of text: {str(error).splitlines()[0]}") from None
    return arrays.of_table(table)


def _spaced(place: Path | io.BytesIO) -> io.BytesIO:
    text = place.read_bytes() if isinstance(place, Path) else place.getvalue()
    return io.BytesIO(b"\n".join(b" ".join(line.split()) for line in text.splitlines() if line.strip()))
