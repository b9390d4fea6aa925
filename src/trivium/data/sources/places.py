"""Where the files are that a manifest names, seen from its folder, and what they hold."""

from __future__ import annotations

import functools
import os
import unicodedata
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from trivium.machine.progress import track
from trivium.modalities import media
from trivium.modalities.media import place
from trivium.settings.errors import UserError

OUTS = ("data/raw", "data/valid", "data/aligned", "data/splits", "data/features", "data/reads", "models",
        "reports", "mlruns", ".dvc", ".git", ".cache", ".venv")  # what stages and tools empty and fill
BATCH = 10_000  # files that are handed out to threads at a time
NEAR, FAR = 8, 32  # threads: what is far away is waited for


def relative(value: str, folder: Path) -> str:
    """A value of the manifest as seen from `folder`: a path, which may have been written on Windows or be a `file://`
    address; or an archive's path and a member. Other addresses, and what cannot be understood, stay as they are.
    """
    try:
        there = place.parse(value)
    except ValueError:
        return value
    if there.remote:
        return str(there)
    return str(replace(there, outer=_relative(there.outer, folder)))


def _relative(value: str, folder: Path) -> str:
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
    if media.is_path(name):
        return next((one for one in _spellings(name) if _there(folder / one)), name)
    try:
        there = place.parse(name)
    except ValueError:
        return name
    if there.kind and not there.remote:
        there = replace(there, outer=located(there.outer, folder))
    if there.kind:
        members = (str(replace(there, member=one)) for one in _spellings(there.member))
        return next((one for one in members if media.exists(one, folder)), str(there))
    return name


def moved(value: str, folder: Path, home: Path) -> str:
    """A value as seen from `folder` as it is seen from `home`."""
    name = located(value, folder)
    try:
        there = place.parse(name)
    except ValueError:
        return name
    outer = there.outer if there.remote else os.path.relpath(folder / there.outer, home).replace(os.sep, "/")
    return str(replace(there, outer=outer))


def home(value: str) -> str:
    """The folder of a value's file, or of the archive that it is in; the value itself where that is not on a disk."""
    path = media.on_disk(value)
    return os.path.dirname(path.replace("\\", "/")) if path else value


def on_disk(value: str, folder: Path) -> str:
    """The path, as seen from `folder`, of a value's file or of the archive that it is in; "" of none."""
    path = media.on_disk(value)
    return path and _relative(path, folder)


def _spellings(name: str) -> Iterator[str]:
    for plain in (name, unquote(name)):
        yield from (plain, unicodedata.normalize("NFC", plain), unicodedata.normalize("NFD", plain))


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, a NUL
        return False


@functools.cache
def _places(folder: str) -> tuple[str, str]:
    """Where `folder` is, and where it really is."""
    return os.path.abspath(folder), os.path.realpath(folder)


def refuse_outs(path: Path, values: Iterable[str], root: Path = Path()) -> None:
    """Raises: UserError (the manifest at `path`, or one of `values`, is in a folder under `root` that stages empty)."""
    folders = {"": path.name}
    for name in values:
        folders.setdefault(os.path.dirname(on_disk(name, path.parent)), name)
    outs = {out: (root / out).resolve() for out in OUTS}
    for folder, name in folders.items():
        there = (path.parent / folder).resolve()
        found = next((out for out, where in outs.items() if there.is_relative_to(where)), None)
        if found:
            raise UserError(f"{path}: `{name}` is in {root / found}, which the pipeline empties and fills by itself: "
                            "your only copy would be lost. Move your data elsewhere, such as data/mine, and name it "
                            "there.")


def hashed(names: list[str], folder: Path, stream: str) -> Iterable[str | None]:
    """The digest of each file, seen from `folder`; None where it cannot be read. stream: for the line on progress.

    Raises: UserError (a server that does not answer).
    """
    far = any(not media.is_path(name) and place.scheme(name) not in place.ARCHIVES for name in names)
    with ThreadPoolExecutor(FAR if far else NEAR) as threads:
        found = (digest for first in range(0, len(names), BATCH)
                 for digest in threads.map(lambda name: _digest(name, folder), names[first : first + BATCH]))
        try:
            return list(track(found, f"reading {stream}", len(names), "file"))
        except UserError:
            threads.shutdown(cancel_futures=True)  # the others would wait for the same server
            raise


def _digest(name: str, folder: Path) -> str | None:
    try:
        return media.digest(name, folder)
    except (OSError, ValueError):  # ValueError: a NUL in the name, or what no archive has
        return None
