"""What a file's content is known by: SHA-256, as `sha256sum` prints it. A disk that turns a bit tells nobody."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from trivium.machine import files

MARK = b"\nsha256:"  # before the digest at the end of a sealed file
SEALED = re.compile(rb"\nsha256:[0-9a-f]{64}\Z")
LENGTH = len(MARK) + 64
PIECE = 1 << 20


def of(path: str | Path) -> str:
    """64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_folder(folder: Path, but: str = "") -> dict[str, str]:
    """Path, relative to `folder` -> digest, of every file in it that is neither half-written nor called `but`."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part")
    return {path.relative_to(folder).as_posix(): of(path) for path in found if path.name != but}


def damaged(folder: Path, known: Mapping[str, str]) -> str:
    """The first of the files `known` that is not there, or has another content; "" where all are as they were."""
    return next((name for name, digest in known.items()
                 if not (folder / name).is_file() or of(folder / name) != digest), "")


def write(path: Path, content: bytes) -> None:
    """A sealed file, which is there whole or not at all."""
    with files.whole(path) as scratch:
        scratch.write_bytes(content)
        seal(scratch)


def read(path: Path) -> bytes | None:
    """What was written; None where there is no such file, or it is damaged."""
    return path.read_bytes()[:-LENGTH] if path.exists() and sealed(path) else None


def seal(path: Path) -> None:
    """Put the digest of the file at its end, where readers of a zip archive, which torch writes, see a comment."""
    with path.open("r+b") as file:
        file.seek(max(0, file.seek(0, 2) - 22))
        if file.read(4) == b"PK\5\6":  # the end of a zip archive without a comment, whose length comes last
            file.seek(-2, 2)
            file.write(LENGTH.to_bytes(2, "little"))
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0, 2)
        file.write(MARK + digest.encode())


def sealed(path: Path) -> bool:
    """Whether the file is as `seal` left it. Raises: FileNotFoundError."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if size < LENGTH:
            return False
        file.seek(size - LENGTH)
        if not SEALED.match(mark := file.read()):
            return False
        file.seek(0)
        found, left = hashlib.sha256(), size - LENGTH
        while left and (piece := file.read(min(PIECE, left))):
            found.update(piece)
            left -= len(piece)
    return mark == MARK + found.hexdigest().encode()
