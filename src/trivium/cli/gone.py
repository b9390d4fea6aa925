"""How many of the files that a table names are there: told before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa

from trivium import modalities as kinds
from trivium.data.sources import not_one
from trivium.data.sources.spelled import located
from trivium.importing.written import MEDIA, NAME
from trivium.machine import files
from trivium.modalities import media
from trivium.modalities.media import regions
from trivium.settings.errors import UserError

LOOK = 2000  # files of a stream that are looked for


def notes(path: Path, streams: Mapping[str, tuple[str, str]], table: pa.Table) -> list[str]:
    """Of each stream of which some files are not there. streams: name -> modality and column;  table: of these columns.
    Files on servers, and those that an import itself has written, are not looked for.
    """
    said, source = [], "SOURCE" if path.name == NAME else path
    for name, (modality, column) in streams.items():
        if kinds.is_written(modality):
            continue
        cells = [cell.strip() for cell in table[column].drop_null().unique().to_pylist()
                 if not cell.startswith(not_one.MARK)]  # of which somebody else complains
        every = [value for value in cells if value and media.on_disk(value)
                 and not (path.name == NAME and value.startswith(f"{MEDIA}/"))]
        given = every[:LOOK]
        lost = list(_lost(given, path.parent))
        if lost:
            first = f"the first {len(given):,}" if len(given) < len(every) else f"{len(given):,}"
            mend = ("Leave one in each cell, or give each a column of its own." if files.several(lost[0]) > 1 else
                    f"If they lie in another folder, name it: `trivium import {source} --media FOLDER`.")
            said.append(f"{len(given) - len(lost):,} of {first} files of {name} were found. `{lost[0]}` was not: "
                        f"{_why(lost[0], path.parent)}. {mend} Rows without their "
                        "file go to quarantine.")
    return said


def _why(value: str, folder: Path) -> str:
    if what := files.special(folder / value):
        return f"this is {what}, not a file"
    return files.absent(value).removeprefix("there is no such file: ")


def _lost(values: Iterable[str], folder: Path) -> Iterable[str]:
    for value in values:
        plain = regions.split(value)[0]
        try:
            if not media.exists(located(plain, folder), folder):
                yield value
        except (OSError, ValueError, UserError):
            yield value
