"""WebDataset: tar shards, in which the files of a sample follow each other and share a name up to its first dot.

Shards are read as streams. Their pictures and sounds stay where they are; those of a compressed shard, in which nothing
can be found by its place, are written as files.
"""

from __future__ import annotations

import glob
import itertools
import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trivium.importing import folders, splits
from trivium.importing.asked import Asked, Cell, Inline, Member, Row, Rows
from trivium.importing.trees import PACKED, decoded, is_tar, names, parts
from trivium.modalities.media import place
from trivium.settings.errors import UserError

WORDS = "tar shards (WebDataset)"
RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
IMAGE = ("png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff")
AUDIO = ("wav", "flac", "mp3", "ogg", "opus", "aiff")
TEXT = {"cls": "label", "label": "label", "class": "label", "txt": "text", "text": "text", "caption": "text",
        "transcript": "text"}
MOST = 1 << 26  # bytes of a text or a JSON object


def knows(asked: Asked) -> bool:
    path = asked.path
    if path.is_dir():
        found = [name for name in itertools.islice(names(path), 10_000)
                 if not name.lower().endswith((".json", ".md", ".txt"))]
        return bool(found) and all(is_tar(name) for name in found)
    return is_tar(path.name) and (not path.is_file() or not folders.in_classes(asked))


def rows(asked: Asked) -> Rows:
    """Raises: UserError (no such shard, one that is cut off)."""
    files = shards(asked.source)
    sides = splits.some(str(file) for file in files)
    unknown, refused = Counter[str](), 0
    for file in files:
        side = {"split": splits.of(file.name) or splits.of(file.parent.name)} if sides else {}
        for key, members in itertools.groupby(_members(file), lambda one: parts(one[0])[0]):
            if not place.plain(key) or key.startswith("/"):
                refused += 1
                continue
            row: Row = {"id": f"{file.name.partition('.')[0]}/{key}" if len(files) > 1 else key}
            for name, content in members:
                _add(row, parts(name)[1], Member(file, "tar", name) if content is None else content, unknown)
            yield row | side
    if unknown:
        asked.note("not read: files that end in " + ", ".join(f".{end} ({count:,})" for end, count in
                                                              unknown.most_common()) + ".")
    if refused:
        asked.note(f"samples whose names lead out of their shard, not read: {refused:,}.")


def shards(source: str) -> list[Path]:
    """The files that a path or a pattern names, in order. Raises: UserError."""
    if found := RANGE.search(source):
        first, last = found.groups()
        return [path for number in range(int(first), int(last) + 1) for path in
                shards(f"{source[:found.start()]}{number:0{len(first)}d}{source[found.end():]}")]
    path = Path(source)
    if path.is_dir():
        return [path / name for name in names(path) if is_tar(name)]
    if path.is_file():
        return [path]
    if matching := sorted(glob.glob(source)):
        return [Path(one) for one in matching]
    raise UserError(f"There is no shard {source} (seen from {Path.cwd()}): check the numbers in braces and the path.")


def _members(file: Path) -> Iterator[tuple[str, Inline | str | None]]:
    """Name, and what is needed of the content: None of a medium that stays where it is."""
    packed = file.name.lower().endswith(PACKED)
    try:
        with tarfile.open(file, "r|*") as shard:
            for one in shard:
                end = parts(one.name)[1].rpartition(".")[2]
                if not one.isreg():
                    continue
                if end in TEXT or end == "json":
                    yield one.name, decoded(_content(shard, one, file))
                elif packed and end in (*IMAGE, *AUDIO):
                    yield one.name, Inline(_content(shard, one, file), one.name)
                else:
                    yield one.name, None
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UserError(f"{file} is cut off or damaged ({error}): fetch or write this shard again.") from None


def _content(shard: tarfile.TarFile, one: tarfile.TarInfo, file: Path) -> bytes:
    content = shard.extractfile(one) if one.size <= MOST else None
    if content is None:
        raise UserError(f"{file}: {one.name} claims {one.size:,} bytes, and {MOST:,} are read at most.")
    return content.read()


def _add(row: Row, end: str, cell: Member | Inline | str, unknown: Counter[str]) -> None:
    prefix, _, kind = end.rpartition(".")
    if kind == "json" and isinstance(cell, str):
        _object(row, cell, unknown)
        return
    usual = "image" if kind in IMAGE else "audio" if kind in AUDIO else TEXT.get(kind, "")
    if not usual:
        unknown[end or "nothing"] += 1
        return
    name = prefix.replace(".", "_") or usual
    row[name if name not in row else f"{name}_{kind}"] = cell


def _object(row: Row, text: str, unknown: Counter[str]) -> None:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        unknown["json, and hold none"] += 1
        return
    if isinstance(found, dict):
        plain: dict[str, Cell] = {str(name): value for name, value in found.items() if not isinstance(value, dict)}
        for name, value in plain.items():
            row[name if name not in row else f"json_{name}"] = value
