"""Files of text that are not in UTF-8: a copy that is, which whoever reads them takes instead.

The encoding is told by the mark at the beginning (UTF-16), or by zeros between the letters; what else is no UTF-8 is
taken for Windows-1252, in which most programs on Windows write, and that is said.
"""

from __future__ import annotations

import atexit
import codecs
import functools
import shutil
import sys
import tempfile
from pathlib import Path

PIECE = 1 << 22  # bytes that are read at a time
MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
NAMES = {"utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "cp1252": "Windows-1252"}


def utf8(path: Path) -> Path:
    """`path` itself, or a copy of it in UTF-8, which goes when this process ends."""
    state = path.stat()
    return _copied(str(path), state.st_size, state.st_mtime_ns)


@functools.lru_cache(100)
def _copied(name: str, size: int, changed: int) -> Path:
    path = Path(name)
    encoding = _told(path)
    if not encoding:
        return path
    note = f"note: {path} is not in UTF-8; it is read as {NAMES[encoding]}."
    if encoding == "cp1252":
        note += " If its accents come out wrong, save it in UTF-8."
    print(note, file=sys.stderr, flush=True)
    copy = Path(_scratch()) / f"{abs(hash((name, size, changed))):x}{path.suffix}"
    with path.open(encoding=encoding, newline="") as file, copy.open("w", encoding="utf-8", newline="") as out:
        while piece := file.read(PIECE):
            out.write(piece)
    return copy


@functools.cache
def _scratch() -> str:
    folder = tempfile.mkdtemp(prefix="trivium-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _told(path: Path) -> str:
    """The encoding; "" of UTF-8, and of what is no text."""
    with path.open("rb") as file:
        start = file.read(4096)
    if mark := next((name for mark, name in MARKS.items() if start.startswith(mark)), ""):
        return mark
    if start[1::2].count(0) > len(start) // 4 or start[::2].count(0) > len(start) // 4:
        return "utf-16-le" if start[1::2].count(0) else "utf-16-be"
    return "cp1252" if 0 not in start and not _reads(path, "utf-8") and _reads(path, "cp1252") else ""


def _reads(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                decoder.decode(piece)
            decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True
