"""Files that are there whole or not at all, whatever kills the process that writes them, or the power goes; and how
small ones are read.
"""

from __future__ import annotations

import json
import os
import re
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from trivium.settings.errors import UserError

DRIVE = re.compile(r"(^|/)[A-Za-z]:[/\\]")
SEPARATOR = re.compile(r"[;|,]")
AT_ONCE = 16  # files that wait for the disk together: it writes them in one go


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """A scratch file in the folder of `path` (made where it is missing), which takes the place of `path` when the
    block ends and vanishes when it fails. Each process has its own, and each thread of it.

    A link is replaced, not followed: what it leads to may be DVC's cache.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    if final.is_dir() and not final.is_symlink():
        raise UserError(f"{final} is a folder, and should be a file: take it away.")
    scratch = final.with_name(f".{final.name}.{os.getpid()}.{threading.get_native_id()}.part")
    try:
        yield scratch
        on_disk(scratch)  # else a power cut may leave the new name with nothing behind it
        scratch.replace(final)
        on_disk(final.parent)  # else it may leave the old name
    finally:
        with suppress(OSError):  # of a disk that cannot be written to any more: what is wrong has been said
            scratch.unlink(missing_ok=True)


def on_disk(path: Path) -> None:
    """Wait until the disk has the content of a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        if not path.is_dir():  # some file systems of networks know no such thing of a folder
            raise
    finally:
        os.close(handle)


def all_on_disk(folder: Path) -> None:
    """The same of everything in `folder`."""
    every = [folder, *folder.rglob("*")]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(on_disk, (path for path in every if path.is_dir() or path.is_file())))


def scratch(path: Path) -> bool:
    """Whether it is what `whole` writes into: beside a finished file, the rest of a process that was killed."""
    return path.name.startswith(".") and path.suffix == ".part"


@contextmanager
def weights(path: Path) -> Iterator[Path]:
    """As `whole`, for what safetensors writes. It has a scratch file of its own, which stays where it is killed: what
    others have left goes first, since one process at a time writes into a folder of weights.
    """
    for left in path.parent.glob(".tmp??????"):
        left.unlink()
    with whole(path) as scratch:
        yield scratch


def sweep(folder: Path) -> None:
    """Remove what processes that have ended left there of `whole`: on a disk that let nothing be removed, or killed."""
    for path in folder.glob(".*.part"):
        owner = path.stem.rpartition(".")[2]
        if owner.isdecimal() and not _alive(int(owner)):
            with suppress(OSError):
                path.unlink()


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True


def write(path: str | Path, content: str | bytes) -> None:
    """Text in UTF-8, line ends as they are."""
    with whole(path) as scratch:
        scratch.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def special(path: str | Path) -> str:
    """What is at `path` where it is something else than a file, such as `a folder`; "" of a file, and of nothing. It is
    not opened: a pipe would wait for somebody who writes, and a device has no end.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # nothing; too long, a NUL
        return ""
    if stat.S_ISREG(mode):
        return ""
    kinds = {stat.S_ISDIR: "a folder", stat.S_ISFIFO: "a pipe", stat.S_ISSOCK: "a socket"}
    return next((words for kind, words in kinds.items() if kind(mode)), "a device")


def text(path: str | Path) -> str:
    """The content of a small file in UTF-8. Raises: FileNotFoundError, UserError (it is a pipe, a folder, ...)."""
    if what := special(path):
        raise UserError(f"{path} is {what}, and should be a file: take it away and put the file there.")
    return Path(path).read_text(encoding="utf-8")


def absent(path: str | Path) -> str:
    """Why there is no file at `path`, as far as its name tells; for the reason of a row that names it."""
    name = str(path)
    if (count := several(name)) > 1:
        return f"there is no such file: these look like {count} files, and a cell has room for one"
    if DRIVE.search(name):
        return "there is no such file: this is a place on a drive of Windows, not one that is seen from the table"
    return "there is no such file"


def several(name: str) -> int:
    """How many files a cell looks to name: parts with an ending each and a separator between; or, with white space or a
    colon between, parts of one and the same ending.
    """
    parts = [part.strip("\"'[] ") for part in SEPARATOR.split(name)]
    if len(parts) > 1 and all(re.search(r"\.\w+$", part) for part in parts):
        return len(parts)
    end = re.escape(Path(name.strip("\"'] ")).suffix)
    return len(re.split(rf"(?<={end})[\s:]+(?=\S)", name)) if end else 1


def read_json_or(path: str | Path, default: Any) -> Any:
    """The content of a JSON file; `default` where there is none, or it is empty or broken, or a value of another sort
    than a default that is a dict or a list. For what can be made again
    and is no reason to stop; other files are read by `trivium.data.tables.read_json`, which says what is wrong.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError, ValueError):  # ValueError: not JSON, or not UTF-8
        return default
    return default if isinstance(default, dict | list) and not isinstance(found, type(default)) else found
