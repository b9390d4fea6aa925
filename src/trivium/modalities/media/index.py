"""Where the members of an archive are: 56 bytes each, found by a digest of the name.

The index of a large archive is kept in `.cache/archives` and mapped into memory, so that all processes share it and
none reads it whole. A name is not kept: 128 bits of a digest stand for it.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trivium.machine import files
from trivium.modalities.media import place

HOME = Path(".cache/archives")
MANY = 10_000  # members from which on an index is kept: a smaller one is made again faster than it is worth
KEPT = 50  # indexes, the latest ones
STORED, DEFLATED, LINK, OTHER, LOCKED, UNKNOWN, BROKEN = 0, 8, 256, 257, 258, 259, 260  # `how`; the first two as in zip
REFUSED = {LINK: "is a link inside the archive, which is not followed",
           OTHER: "is no file in the archive, but a folder, a device or a sparse file",
           LOCKED: "is encrypted in the archive",
           UNKNOWN: "is compressed by another method than deflate: pack the archive again"}


@dataclass(frozen=True)
class Entry:
    """offset: where it begins in the archive;  packed, size: bytes there, and of the content;  check: CRC-32 of a zip
    """

    offset: int
    size: int
    packed: int
    check: int
    how: int


Members = Callable[[], Iterable[tuple[str, Entry]]]  # name, where; a `BROKEN` one at the end of what breaks off


class Index:
    """columns: uint64 [7, members], by the digest of the name: its two halves, then the fields of `Entry`."""

    def __init__(self, columns: np.ndarray, broken: bool = False) -> None:
        self.columns, self.broken = columns, broken

    def find(self, name: str) -> Entry | None:
        """Of several members of one name the last, which takes the place of the others when they are unpacked."""
        first, second = _digest(name)
        at = int(np.searchsorted(self.columns[0], np.uint64(first), side="right")) - 1
        while at >= 0 and int(self.columns[0, at]) == first:
            if int(self.columns[1, at]) == second:
                return Entry(*(int(value) for value in self.columns[2:, at]))
            at -= 1
        return None


def kept(state: str, members: Members, always: bool) -> Index:
    """The index of an archive that `state` stands for. always: whether it is kept however small it is."""
    path = HOME / f"{hashlib.blake2b(state.encode(), digest_size=16).hexdigest()}.npy"
    try:
        return Index(np.load(path, mmap_mode="r"))
    except (OSError, ValueError, EOFError):  # there is none, or half of one
        made = built(members())
    if made.broken or (made.columns.shape[1] < MANY and not always):
        return made
    try:
        with files.whole(path) as scratch, scratch.open("wb") as file:
            np.save(file, made.columns)
        for old in sorted(HOME.glob("*.npy"), key=lambda one: one.stat().st_mtime, reverse=True)[KEPT:]:
            old.unlink(missing_ok=True)
        return Index(np.load(path, mmap_mode="r"))
    except OSError:  # no place to write: an exported model may answer from anywhere
        return made


def built(members: Iterable[tuple[str, Entry]]) -> Index:
    columns, broken = [array("Q") for _ in range(7)], False
    for name, entry in members:
        if entry.how == BROKEN:
            broken = True
        elif own := place.plain(name):  # no name leads out of the archive
            row = (*_digest(own), entry.offset, entry.size, entry.packed, entry.check, entry.how)
            for column, value in zip(columns, row, strict=True):
                column.append(value)
    found = np.stack([np.frombuffer(column, np.uint64) if column else np.zeros(0, np.uint64) for column in columns])
    return Index(found[:, np.lexsort((found[1], found[0]))], broken)  # stable: members of one name stay in order


def _digest(name: str) -> tuple[int, int]:
    found = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=16).digest()
    return int.from_bytes(found[:8], "little"), int.from_bytes(found[8:], "little")
