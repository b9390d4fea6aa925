"""CSV and TSV files, read by Arrow; what it would read wrong is refused."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from trivium.data.sources.encoded import utf8
from trivium.settings.errors import UserError

MOST = 1 << 20  # bytes of a header
SEPARATORS = "\t,;|"  # the one that the header has most often; of equals the first


def _options(path: Path) -> dict[str, Any]:
    from pyarrow import csv

    return {"read_options": csv.ReadOptions(block_size=1 << 24, use_threads=False),
            "parse_options": csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True)}


def _delimiter(path: Path) -> str:
    with utf8(path).open("rb") as file:
        header = file.readline(MOST).decode(errors="replace")
    return max(SEPARATORS, key=header.count) if path.suffix.lower() == ".csv" else "\t"


def check_quotes(path: Path) -> None:
    """Raises: UserError (a quoted cell is never closed, or goes on behind a quote that some later line opens with).

    Arrow makes one long cell of it and of all lines in between, and the rows on them are gone.
    """
    end = f"{_delimiter(path)}\r\n"
    cell = rf'[^"{end}][^{end}]*+'
    quoted = rf'"[^"]*+(?:""[^"]*+)*+"(?=[{end}]|\Z)'
    sloppy = rf'"[^"\r\n]*+"[^{end}]*+'  # more behind the closing quote: harmless on one line
    with utf8(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        good = re.compile(rf"(?:{cell}|{quoted}|{sloppy}|[{end}])*+".encode()).match(text)
        stop = good.end() if good else 0
        if stop < len(text):
            line = text[:stop].count(b"\n") + 1
            raise UserError(f"{path}, line {line}: a cell begins with a double quote that is not closed, so that the "
                            "lines below would become a part of it. Put the whole cell into double quotes, and write "
                            "each one inside it twice.")


def opened(path: Path) -> Any:
    from pyarrow import csv

    return csv.open_csv(utf8(path), **_options(path))


def names(path: Path) -> list[str]:
    """Of all columns."""
    check_quotes(path)
    return list(opened(path).schema.names)


def cells(path: Path) -> Any:
    """Batches of all columns, as strings."""
    from pyarrow import csv

    convert = csv.ConvertOptions(column_types=dict.fromkeys(opened(path).schema.names, pa.string()))
    return csv.open_csv(utf8(path), convert_options=convert, **_options(path))


def pieces(path: Path, names: Sequence[str]) -> Iterator[pa.Table]:
    from pyarrow import csv

    convert = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), include_columns=list(names))
    for batch in csv.open_csv(utf8(path), convert_options=convert, **_options(path)):
        yield pa.Table.from_batches([batch])
