"""Files of finished work on their way back from a node that does not see this disk: inside what Ray carries, or, where
`TRIVIUM_OUTS` names a place that all nodes reach (`s3://bucket/trivium`, a mounted folder, whatever fsspec reads),
through a folder of their own there, which goes when they have arrived.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from trivium.settings.errors import UserError

PLACE = "TRIVIUM_OUTS"
MARK = "ray-"  # how names of folders there begin


@dataclass(frozen=True)
class Left:
    """Files, by their paths in the folder of the work: their contents, or where they are, each by its path there."""

    files: tuple[tuple[str, bytes], ...] = ()
    folder: str = ""
    names: tuple[str, ...] = ()


def place() -> str:
    """Where files of finished work go; "" where Ray carries them. Raises: UserError (nothing can be written there)."""
    if not (wanted := os.environ.get(PLACE, "").rstrip("/")):
        return ""
    with _reached(wanted):
        system, path = _system(wanted)
        _folder(system, path)
        with system.open(f"{path}/{MARK}look", "wb") as file:
            file.write(b"")
        system.rm(f"{path}/{MARK}look")
    return wanted


def leave(folder: Path, at: str) -> Left:
    """On a node. at: see `place`. Raises: UserError (nothing can be written there)."""
    found = [(path.relative_to(folder).as_posix(), path) for path in sorted(folder.rglob("*")) if path.is_file()]
    if not at:
        return Left(files=tuple((name, path.read_bytes()) for name, path in found))
    own = f"{at}/{MARK}{uuid4().hex}"
    with _reached(at):
        system, there = _system(own)
        for name, path in found:
            _folder(system, f"{there}/{name}".rpartition("/")[0])
            system.put_file(str(path), f"{there}/{name}")
    return Left(folder=own, names=tuple(name for name, _ in found))


def take(left: Left, folder: Path) -> None:
    """Put the files into `folder`, here; what was left away goes. Raises: UserError (it cannot be read there)."""
    for name, content in left.files:
        _room(folder / name).write_bytes(content)
    if left.folder:
        with _reached(left.folder):
            system, there = _system(left.folder)
            for name in left.names:
                system.get_file(f"{there}/{name}", str(_room(folder / name)))
        with suppress(Exception):  # each kind of place has its own; what stays there harms nothing
            system.rm(there, recursive=True)


def _room(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _folder(system: Any, path: str) -> None:
    if not getattr(system, "async_impl", False):  # object stores have none, and theirs would make a bucket
        system.makedirs(path, exist_ok=True)


def _system(address: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    open_at: Callable[[str], tuple[Any, str]] = url_to_fs
    system, path = open_at(address)
    return system, path.rstrip("/")


@contextmanager
def _reached(address: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # each kind of place has its own
        missing = re.search(r"install `?([a-z][\w.-]*\w)", str(error), re.I) if isinstance(error, ImportError) else None
        how = (f"it needs the package {missing[1]}: `pip install {missing[1]}`" if missing
               else " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__)
        raise UserError(f"{PLACE} names {address}, through which files are to come back from the cluster, and that "
                        f"does not work: {how}. Mend that, or unset {PLACE}: then Ray carries them.") from None
