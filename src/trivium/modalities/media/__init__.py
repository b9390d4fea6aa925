"""How every file of a picture or a sound is opened, wherever it lies: on a disk, in a zip or tar, at an address.

A value is a path, `zip://ARCHIVE::MEMBER`, `tar://ARCHIVE::MEMBER` or an address that fsspec knows (`s3://...`); see
`place`. What is no file on this disk is read whole, into memory; nothing is unpacked.
"""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

from trivium.machine.files import special
from trivium.modalities.media import archive, place, remote

PIECE = 1 << 18  # bytes that are hashed at a time


def opened(value: str, root: str | Path) -> Path | io.BytesIO:
    """What decoders open. root: of relative paths.

    Raises: ValueError (why there is no such content); UserError (a server that does not answer, a package that is
    missing: what no row is to blame for).
    """
    there = place.parse(value)
    if there.kind or there.remote:
        return io.BytesIO(read(value, root))
    path = Path(root, there.outer)
    if what := special(path):
        raise ValueError(f"this is {what}, not a file")
    return path


def size(file: Path | io.BytesIO) -> int:
    """Bytes of what `opened` gave."""
    return file.stat().st_size if isinstance(file, Path) else file.getbuffer().nbytes


def read(value: str, root: str | Path) -> bytes:
    """The content of a value that is no path. Raises: as `opened`."""
    there = place.parse(value)
    if not there.kind:
        return _kept(remote.whole, there.outer)
    return _kept(archive.opened(there, root).content, there.member)


def is_path(value: str) -> bool:
    """Whether it is a file on a disk by itself; or nothing that can be understood."""
    try:
        there = place.parse(value)
    except ValueError:
        return False
    return not there.kind and not there.remote


def on_disk(value: str) -> str:
    """The path of the file, or of the archive that it is in; "" where it is elsewhere, or cannot be understood."""
    try:
        there = place.parse(value)
    except ValueError:
        return ""
    return "" if there.remote else there.outer


def digest(value: str, root: str | Path) -> str:
    """Of the content, as `trivium.data.tables.digest` has it. Raises: OSError (of a path), else as `opened`."""
    file = opened(value, root)
    if isinstance(file, io.BytesIO):
        return hashlib.blake2b(file.getbuffer(), digest_size=16).hexdigest()
    found = hashlib.blake2b(digest_size=16)
    with file.open("rb", 0) as content:
        while piece := content.read(PIECE):  # `hashlib.file_digest` makes room first: longer than a small file takes
            found.update(piece)
    return found.hexdigest()


def exists(value: str, root: str | Path) -> bool:
    """Whether there is such a file. Raises: UserError."""
    try:
        there = place.parse(value)
        if there.kind:
            return archive.opened(there, root).has(there.member)
        return remote.exists(there.outer) if there.remote else (Path(root) / there.outer).is_file()
    except (OSError, ValueError):  # too long, a NUL, no archive
        return False


@functools.lru_cache(1)
def _kept(reads: Callable[[str], bytes], name: str) -> bytes:
    """The last content: a recording may serve several rows, and is asked for its length and its sound."""
    return reads(name)
