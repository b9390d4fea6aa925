"""Where the files are that a manifest names, seen from its folder, and what they hold."""

from __future__ import annotations

import functools
import hashlib
import os
import unicodedata
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

from trivium.machine.progress import track
from trivium.settings.errors import UserError

OUTS = ("data/raw", "data/valid", "data/aligned", "data/splits", "data/features", "data/reads", "models",
        "reports", "mlruns", ".dvc", ".git", ".cache", ".venv")  # what stages and tools empty and fill
BATCH = 10_000  # files that are handed out to threads at a time


def relative(value: str, folder: Path) -> str:
    """A path of the manifest, which may have been written on Windows or be a `file://` address, as seen from `folder`.
    """
    value = value.replace("\\", "/")
    if value.startswith("file://"):
        value = unquote(value.removeprefix("file://").removeprefix("localhost"))
    if not os.path.isabs(value):
        return value
    here, real = _places(str(folder))
    inside = value.startswith(f"{here}/")  # where a link leads to `folder`, `..` would not lead back over it
    return os.path.relpath(value, here if inside else real).replace(os.sep, "/")


def located(value: str, folder: Path) -> str:
    """As `relative`; where there is no such file, another spelling of its name under which there is one: accents as one
    sign or as two (Unicode NFC, NFD: file systems differ), and signs written as `%20`.
    """
    name = relative(value, folder)
    for plain in (name, unquote(name)):
        for spelling in (plain, unicodedata.normalize("NFC", plain), unicodedata.normalize("NFD", plain)):
            try:
                if (folder / spelling).exists():
                    return spelling
            except (OSError, ValueError):  # too long, a NUL
                continue
    return name


@functools.cache
def _places(folder: str) -> tuple[str, str]:
    """Where `folder` is, and where it really is."""
    return os.path.abspath(folder), os.path.realpath(folder)


def refuse_outs(path: Path, media: Iterable[str], root: Path = Path()) -> None:
    """Raises: UserError (the manifest at `path`, or one of `media`, is in a folder under `root` that stages empty)."""
    folders = {"": path.name}
    for name in media:
        folders.setdefault(os.path.dirname(relative(name, path.parent)), name)
    outs = {out: (root / out).resolve() for out in OUTS}
    for folder, name in folders.items():
        there = (path.parent / folder).resolve()
        found = next((out for out, place in outs.items() if there.is_relative_to(place)), None)
        if found:
            raise UserError(f"{path}: `{name}` is in {root / found}, which the pipeline empties and fills by itself: "
                            "your only copy would be lost. Move your data elsewhere, such as data/mine, and name it "
                            "there.")


def hashed(names: list[str], folder: Path, stream: str) -> Iterable[str | None]:
    """The digest of each file in `folder`; None where it cannot be read. stream: for the line on progress."""
    with ThreadPoolExecutor(8) as threads:
        found = (digest for first in range(0, len(names), BATCH)
                 for digest in threads.map(lambda name: _digest(folder / name), names[first : first + BATCH]))
        return list(track(found, f"reading {stream}", len(names), "file"))


def _digest(path: Path) -> str | None:
    """As tables.digest, of a file of any size."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
