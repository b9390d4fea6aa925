"""Zip archives: their directory, and members that are stored or deflated (APPNOTE.TXT of PKWARE, 4.3 to 4.5).

`zipfile` is not used: it holds the directory as objects, 0.5 KB a member, in every process.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trivium.modalities.media import index
from trivium.modalities.media.index import Entry

if TYPE_CHECKING:
    from trivium.modalities.media.archive import File

END, END_64, LOCATOR, CENTRAL, LOCAL = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2", b"PK\3\4"
TAIL = 22 + 65535  # the end of the directory, with the longest comment
DIRECTORY = struct.Struct("<4s6H3L5H2L")
ENTRY = DIRECTORY.size + 3 * 65535  # bytes of the largest entry of the directory
PIECE = 1 << 20  # bytes of the directory that are read at a time
SLACK = 1 << 10  # bytes for the name in front of a member, so that it is read at once
FULL = 0xFFFFFFFF  # a number that stands in an extra field, for it has 64 bits
DAMAGED = "is damaged, or the archive is"


def members(file: File) -> Iterator[tuple[str, Entry]]:
    """Raises: ValueError (no zip)."""
    count, at, until, shift = _directory(file)
    window, here = b"", 0
    for _ in range(count):
        if len(window) - here < ENTRY and at < until:
            more = file.read(at, min(PIECE, until - at))
            window, here, at = window[here:] + more, 0, at + len(more)
        if len(window) - here < DIRECTORY.size or window[here : here + 4] != CENTRAL:
            raise ValueError("its directory is damaged")
        (_, _, _, flags, method, _, _, check, packed, size, n, e, c, _, _, attributes,
         offset) = DIRECTORY.unpack_from(window, here)
        start = here + DIRECTORY.size
        name = window[start : start + n].decode("utf-8" if flags & 0x800 else "cp437", "surrogateescape")
        extra = window[start + n : start + n + e]
        here = start + n + e + c
        size, packed, offset = _long(extra, size, packed, offset)
        yield name, Entry(offset + shift, size, packed, check, _how(name, flags, method, attributes >> 16))


def content(file: File, entry: Entry) -> bytes:
    """Raises: ValueError (it is damaged)."""
    whole = file.read(entry.offset, 30 + SLACK + entry.packed)
    if len(whole) < 30 or whole[:4] != LOCAL:
        raise ValueError(DAMAGED)
    start = 30 + sum(struct.unpack_from("<HH", whole, 26))
    if start > 30 + SLACK:
        whole += file.read(entry.offset + len(whole), start + entry.packed - len(whole))
    found = whole[start : start + entry.packed]
    if entry.how == index.DEFLATED:
        try:
            found = zlib.decompressobj(-15).decompress(found, entry.size + 1)  # no more than it claims
        except zlib.error:
            raise ValueError(DAMAGED) from None
    if len(found) != entry.size or zlib.crc32(found) != entry.check:
        raise ValueError(DAMAGED)
    return found


def _directory(file: File) -> tuple[int, int, int, int]:
    """Its entries, where it begins and ends, and how much further all is than the archive says: what stands before it
    (a program that unpacks it) does not count.
    """
    first = max(0, file.size - TAIL)
    tail = file.read(first, TAIL)
    end = tail.rfind(END)
    if end < 0 or end + 22 > len(tail):
        raise ValueError("it is no zip, or breaks off")
    count, length, offset = struct.unpack_from("<HLL", tail, end + 10)
    until = first + end
    if until >= 76 and file.read(until - 20, 4) == LOCATOR:
        until -= 76
        record = file.read(until, 56)
        if record[:4] != END_64:
            raise ValueError("its directory is damaged")
        count, length, offset = struct.unpack_from("<QQQ", record, 32)
    start = until - length
    if start < 0 or start < offset:
        raise ValueError("its directory is damaged")
    return count, start, until, start - offset


def _long(extra: bytes, *short: int) -> list[int]:
    """size, packed, offset: those that are `FULL` stand in the extra field 1, in this order."""
    found, at = list(short), 0
    if FULL not in short:
        return found
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            wanted = [place for place, value in enumerate(short) if value == FULL]
            values = extra[at + 4 : at + 4 + min(length, 8 * len(wanted))]
            for place, value in zip(wanted, struct.iter_unpack("<Q", values[: len(values) // 8 * 8]), strict=False):
                found[place] = value[0]
        at += 4 + length
    return found


def _how(name: str, flags: int, method: int, mode: int) -> int:
    if stat.S_ISLNK(mode):
        return index.LINK
    if name.endswith("/"):
        return index.OTHER
    if flags & 1:
        return index.LOCKED
    return method if method in (index.STORED, index.DEFLATED) else index.UNKNOWN
