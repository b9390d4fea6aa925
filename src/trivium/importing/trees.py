"""The files under a folder, or in an archive that is not unpacked, one by one in the order of their names."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from trivium.importing.asked import Asked, Member
from trivium.machine import files
from trivium.modalities import media
from trivium.modalities.media import place
from trivium.settings.errors import UserError

PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
MOST, RATIO = 1 << 30, 200  # bytes from which on a tar may hold so many times its size: more is a decompression bomb
PIECE = 1 << 20  # bytes that are unpacked at a time
SPARE = ("__MACOSX", "Thumbs.db", "desktop.ini")  # what systems leave behind


def names(path: Path, asked: Asked | None = None) -> Iterator[str]:
    """The files, named from the root with `/`. Hidden ones, and members of an archive that point outside, are left out;
    of the latter a note says so. Raises: UserError (an archive that cannot be read).
    """
    if path.is_dir():
        yield from _walk(path)
        return
    found, refused = _members(path), 0
    good = []
    for name in found:
        plain = place.plain(name)
        if not plain or name.startswith("/"):
            refused += 1
        elif not spare(plain):
            good.append(plain)
    if refused and asked:
        asked.note(f"files whose names lead out of {path}, not read: {refused:,}.")
    yield from sorted(good, key=lambda name: PurePosixPath(name).parts)


def cell(path: Path, name: str) -> Path | Member:
    return path / name if path.is_dir() else Member(path, kind(path), name)


def text(path: Path, name: str) -> str:
    """The content of a file of text. Raises: UserError."""
    try:
        content = (path / name).read_bytes() if path.is_dir() else \
            media.read(str(place.Place(path.name, kind(path), name)), path.parent)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {name} cannot be read ({error}).") from None
    return decoded(content)


def decoded(content: bytes) -> str:
    """Text in UTF-8, or what Windows wrote."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace").strip()
    try:
        return content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace").strip()


def kind(path: Path) -> str:
    return "zip" if path.suffix.lower() == ".zip" else "tar"


def is_tar(name: str) -> bool:
    return name.lower().endswith((".tar", *PACKED))


def parts(name: str) -> tuple[str, str]:
    """`a/b`, `seg.png` of `a/b.seg.png`."""
    folder, mark, base = name.rpartition("/")
    key, _, end = base.partition(".")
    return f"{folder}{mark}{key}", end.lower()


def unpacked(path: Path, into: Path) -> Path:
    """A compressed tar as one that is not, in the folder `into`: else nothing in it can be found by its place. Others
    as they are. Raises: UserError (it is cut off or damaged, or holds far more than it should).
    """
    opens = next((opens for ends, opens in ((PACKED[:2], gzip.open), (PACKED[2:4], bz2.open), (PACKED[4:], lzma.open))
                  if path.name.lower().endswith(ends)), None)
    if opens is None:
        return path
    plain = into / f"{path.name.rpartition('.')[0].removesuffix('.tar')}.tar"
    into.mkdir(parents=True, exist_ok=True)
    try:
        most = max(MOST, RATIO * path.stat().st_size)
        with opens(path, "rb") as packed, files.whole(plain) as scratch, scratch.open("wb") as content:
            while piece := packed.read(PIECE):
                content.write(piece)
                if content.tell() > most:
                    raise UserError(f"{path} holds more than {RATIO} times its size, which is taken for a "
                                    "decompression bomb: unpack it yourself if you trust it, and name the folder.")
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise UserError(f"{path} is cut off or damaged ({error}): fetch or write it again.") from None
    return plain


def _walk(path: Path) -> Iterator[str]:
    """Files alone: a pipe or a device would be waited for. Links are followed, but into no folder twice."""
    been = set[str]()
    for where, folders, found in os.walk(path, followlinks=True):
        real = os.path.realpath(where)
        folders[:] = [] if real in been else sorted(name for name in folders if not spare(name))
        if real in been:
            continue
        been.add(real)
        for name in sorted(found):
            if not spare(name) and os.path.isfile(os.path.join(where, name)):
                yield (Path(where) / name).relative_to(path).as_posix()


def spare(name: str) -> bool:
    """Whether it is hidden, or left behind by a system."""
    return any((part.startswith(".") and part != ".") or part in SPARE for part in name.split("/"))


def _members(path: Path) -> list[str]:
    try:
        if kind(path) == "zip":
            with zipfile.ZipFile(path) as archive:
                return [one.filename for one in archive.infolist() if not one.is_dir()]
        with tarfile.open(path, "r:") as archive:
            return [one.name for one in archive if one.isreg()]
    except (OSError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise UserError(f"{path} is cut off or damaged ({error}): fetch or write it again.") from None
