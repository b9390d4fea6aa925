"""Tar archives without compression: every header is read once, for the index; then members are read by their offset."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from trivium.modalities.media import index
from trivium.modalities.media.index import Entry

if TYPE_CHECKING:
    from trivium.modalities.media.archive import File



def members(file: File) -> Iterator[tuple[str, Entry]]:
    """Raises: ValueError (no tar, or a compressed one)."""
    try:
        tar = tarfile.TarFile(fileobj=io.BufferedReader(_Raw(file), file.piece), mode="r")
    except tarfile.TarError:
        raise ValueError("it is no tar, or a compressed one, in which nothing can be found by its place: "
                         "decompress it") from None
    broken = False
    try:
        while (one := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]  # it keeps all
            yield one.name, Entry(one.offset_data, one.size, one.size, 0, _how(one))
        broken = any(file.read(tar.offset, 512))  # an archive ends in zeros
    except tarfile.TarError:
        broken = True
    if broken:
        yield "", Entry(0, 0, 0, 0, index.BROKEN)


def content(file: File, entry: Entry) -> bytes:
    """Raises: ValueError (the archive breaks off)."""
    found = file.read(entry.offset, entry.size)
    if len(found) != entry.size:
        raise ValueError("breaks off: the archive is truncated")
    return found


def _how(one: tarfile.TarInfo) -> int:
    if one.issym() or one.islnk():
        return index.LINK
    return index.STORED if one.isreg() and not one.issparse() else index.OTHER


class _Raw(io.RawIOBase):
    """A `File` as `tarfile` wants it."""

    def __init__(self, file: File) -> None:
        self.file, self.at = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.file.size}[whence]
        return self.at

    def tell(self) -> int:
        return self.at

    def readinto(self, buffer: Any) -> int:
        found = self.file.read(self.at, min(len(buffer), max(0, self.file.size - self.at)))
        buffer[: len(found)] = found
        self.at += len(found)
        return len(found)
