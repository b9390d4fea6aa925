"""The cells of a table that name files: on this disk, at an address, or in base64 in the cell itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from urllib.parse import urlsplit

from trivium.data.sources import not_one
from trivium.data.sources.places import outside
from trivium.data.sources.spelled import located
from trivium.importing import fetched, inline
from trivium.importing.asked import Asked, Inline, Row, Rows, seen
from trivium.machine.files import several
from trivium.modalities import media
from trivium.modalities.media import place
from trivium.modalities.videos import ENDINGS as VIDEO
from trivium.settings import told
from trivium.settings.errors import UserError

LOOK = 50  # rows that tell what a column holds
LONGEST = 1000  # signs of a path
AHEAD = 256  # rows whose addresses are fetched together
LOOKED = 100  # files that are fetched for a look
MEDIA = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff",
         ".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aiff", ".aif", *VIDEO,
         ".npy", ".npz", ".arrow", ".feather", ".hea", ".dat", ".csv", ".tsv", ".parquet")
WORDS = {"image", "img", "picture", "photo", "audio", "sound", "wav", "recording", "clip", "video", "thumbnail",
         "media"}
WEB = re.compile(r"https?://", re.IGNORECASE)
CODED, FETCHED, FILE = "base64", "address", "path"


def sorts(rows: Sequence[Row], folder: Path, beside: Path | None) -> dict[str, str]:
    """Column -> `base64`, `address` or `path`, of those that most of these rows say it of."""
    values: dict[str, list[str]] = {}
    for row in rows:
        for name, cell in row.items():
            if isinstance(cell, str) and cell.strip():
                values.setdefault(name, []).append(cell.strip())
    found = {name: _sort(name, cells, [folder, *([beside] if beside else [])]) for name, cells in values.items()}
    return {name: sort for name, sort in found.items() if sort}


def _sort(name: str, cells: Sequence[str], folders: Sequence[Path]) -> str:
    def most(flags: Sequence[bool]) -> bool:
        return 2 * sum(flags) > len(cells)

    if most([inline.is_coded(cell) for cell in cells]):
        return CODED
    suffixes = [Path(urlsplit(cell).path if WEB.match(cell) else cell).suffix.lower() if len(cell) < LONGEST else ""
                for cell in cells]
    if most([bool(WEB.match(cell)) for cell in cells]):
        words = set(re.split(r"[^a-z]+", name.casefold()))
        return FETCHED if words & WORDS or most([suffix in MEDIA for suffix in suffixes]) else ""
    if most([suffix in MEDIA for suffix in suffixes]):
        return FILE
    short = [cell for cell in cells if len(cell) < LONGEST and "\n" not in cell]
    return FILE if any(_there(cell, folder) for folder in folders for cell in short) else ""


def resolved(rows: Rows, folder: Path, asked: Asked) -> Rows:
    """`rows` of a table in `folder`, with their files in place. Raises: UserError (none of many addresses answers)."""
    first = list(islice(rows, LOOK))
    found = sorts(first, folder, asked.media)
    far = [name for name, sort in found.items() if sort == FETCHED]
    every = chain(first, rows)
    if not found:
        yield from every
        return
    get = fetched.Fetched(asked) if far else None
    while piece := list(islice(every, AHEAD)):
        got: Mapping[str, Path | str] = {}
        if get:
            wanted = dict.fromkeys(cell.strip() for row in piece for name in far
                                   if isinstance(cell := row.get(name), str) and WEB.match(cell.strip()))
            few = list(wanted)[: max(0, LOOKED - get.count)] if asked.look else list(wanted)
            got = get.all(few)
            get.spared += len(wanted) - len(few)
        for row in piece:
            for name, sort in found.items():
                cell = row.get(name)
                if not isinstance(cell, str) or not cell.strip():
                    continue
                row[name] = _cell(cell.strip(), sort, got, folder, asked)
            yield row
    if get:
        get.close()


def _cell(cell: str, sort: str, got: Mapping[str, Path | str], folder: Path, asked: Asked) -> object:
    if sort == CODED:
        content = inline.decoded(cell)
        return cell[:LONGEST] if content is None else Inline(content)
    if WEB.match(cell):
        path = got.get(cell, cell)
        if isinstance(path, Path):
            return Inline(path.read_bytes(), urlsplit(cell).path)
        return cell if path == cell else not_one.unfetched(cell, path)
    return placed(cell, folder, asked)


def placed(cell: str, folder: Path, asked: Asked) -> str:
    """A path of a table in `folder` as one in `asked.into` names it: seen from the table, else from the folder of media
    that was given, or by its name alone there. Where there is no such file, seen from the table.
    """
    options = [(cell, folder)]
    if asked.media:
        last = Path(cell.replace("\\", "/")).name
        options += [(cell, asked.media), *([(last, asked.media)] if several(last) == several(cell) else [])]
    value, home = next((one for one in options if _there(*one)), options[0])
    if asked.foreign and _there(value, home) and (away := outside(home / "table", [value], project=False)):
        raise UserError(f"{told.masked(asked.source)} came from elsewhere, and names a file of this machine: `{cell}`, "
                        f"in {next(iter(away))}. Such files are not read. If that is meant, download the table, and "
                        "import it from here.")
    try:
        there = place.parse(located(value, home))
    except ValueError:
        return cell
    return cell if there.remote else str(replace(there, outer=seen(home / there.outer, asked.into)))


def _there(cell: str, folder: Path) -> bool:
    try:
        return media.exists(located(cell, folder), folder)
    except (OSError, ValueError, UserError):
        return False
