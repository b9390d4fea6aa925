"""An archive whose members are read where they lie: nothing is unpacked, and no link in it is followed.

An archive is looked through once, for an index (see `index`). Reading names an offset and a length and keeps no
position, so threads share an open archive, and a forked process goes on with it.
"""

from __future__ import annotations

import functools
import os
import threading
from pathlib import Path
from typing import Protocol

from trivium.machine.files import absent, special
from trivium.modalities.media import index, remote, tars, zips
from trivium.modalities.media.index import Index
from trivium.modalities.media.place import Place

MOST = 1 << 30  # bytes of one member: what says that it holds more is taken for a decompression bomb
OPEN = 32  # archives that a process keeps open
KINDS = {"zip": zips, "tar": tars}


class File(Protocol):
    """state: what changes when the content does.  piece: bytes to read at a time where one looks through it."""

    size: int
    state: str
    piece: int

    def read(self, offset: int, count: int) -> bytes:
        """`count` bytes, fewer at the end."""
        ...


class Archive:
    """kind: `zip` or `tar`. Raises: ValueError (it is none)."""

    def __init__(self, file: File, kind: str, far: bool) -> None:
        self.file, self.kind = file, KINDS[kind]
        self.index: Index = index.kept(f"{kind} {file.state}", functools.partial(self.kind.members, file), always=far)

    def has(self, member: str) -> bool:
        return self.index.find(member) is not None

    def content(self, member: str) -> bytes:
        """Raises: ValueError (why it cannot be read)."""
        entry = self.index.find(member)
        if entry is None:
            broken = ", which breaks off or is damaged" if self.index.broken else ""
            raise ValueError(f"there is no such file in the archive{broken}")
        if why := index.REFUSED.get(entry.how):
            raise ValueError(why)
        if max(entry.size, entry.packed) > MOST:
            raise ValueError(f"holds {entry.size:,} bytes, and {MOST:,} are read at most")
        return self.kind.content(self.file, entry)


def opened(there: Place, root: str | Path) -> Archive:
    """Of the archive that `there` names; opened before, if it has not changed. Raises: ValueError (why it cannot be
    read), UserError (see `remote`).
    """
    if there.remote:
        path, state = there.outer, ""
    else:
        path = os.path.join(root, there.outer)
        try:
            about = os.stat(path)
        except (OSError, ValueError):
            raise ValueError(f"the archive cannot be read: {absent(there.outer)}") from None
        if what := special(path):
            raise ValueError(f"the archive cannot be read: this is {what}, not a file")
        state = f"{about.st_size} {about.st_mtime_ns}"
    with _lock(os.getpid()):
        found = _opened(path, there.kind, there.remote, state)
    if isinstance(found, str):
        raise ValueError(found)
    return found


@functools.lru_cache(1)
def _lock(process: int) -> threading.Lock:
    """Of this process: a fork may have copied one that somebody held."""
    return threading.Lock()


@functools.lru_cache(OPEN)
def _opened(path: str, kind: str, far: bool, state: str) -> Archive | str:
    """Or why it cannot be read: a million rows may name a damaged archive."""
    try:
        return Archive(remote.Far(path) if far else Near(path), kind, far)
    except OSError as error:
        return f"the archive cannot be read: {error.strerror or error}"
    except ValueError as error:
        return f"the archive cannot be read: {error}"


class Near:
    """A file on a disk. It is closed with its last user, which may be another thread than the one that drops it."""

    piece = 1 << 16

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY)
        about = os.fstat(self._file)
        self.size = about.st_size
        self.state = f"{os.path.abspath(path)} {about.st_ino} {about.st_size} {about.st_mtime_ns}"

    def read(self, offset: int, count: int) -> bytes:
        parts = []
        while count > 0 and (part := os.pread(self._file, count, offset)):
            parts.append(part)
            offset, count = offset + len(part), count - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)
