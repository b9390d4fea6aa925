"""Files for nodes that do not see this machine's disk: sent once to each node, and kept there by their content.

On a node, below `TRIVIUM_NODE` (default `~/.cache/trivium/node`): `blobs/DIGEST`, and `projects/KEY`, folders of hard
links to them that look like the working directory that the files come from.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from trivium.machine import files
from trivium.machine.cache import link

PIECE = 64 << 20  # bytes that are sent at a time
MOST = 20  # projects that a node keeps: those that were asked for last

Files = Mapping[str, str]  # path, relative to the working directory -> digest of the content
Fetch = Callable[[str], Iterator[bytes]]  # digest -> the pieces of that file


def listed(inputs: Sequence[Path]) -> dict[str, str]:
    """Every file of the `inputs` that is to be sent."""
    found = dict[str, str]()
    for place in inputs:
        if place.is_absolute():
            continue
        inside = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
        for file in inside if place.exists() else ():
            state = file.stat()
            found[file.as_posix()] = _digest(str(file.absolute()), state.st_size, state.st_mtime_ns)
    return found


@lru_cache(100_000)
def _digest(path: str, size: int, changed: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pieces(path: str) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            yield piece


def home() -> Path:
    return Path(os.environ.get("TRIVIUM_NODE", "~/.cache/trivium/node")).expanduser()


def project(wanted: Files, known: frozenset[str], fetch: Fetch) -> Path | list[str]:
    """On a node: a folder with the `wanted` files; or the digests of those that are neither here nor `known`, which can
    be fetched.
    """
    blobs = home() / "blobs"
    made = home() / "projects" / hashlib.sha256(json.dumps(sorted(wanted.items())).encode()).hexdigest()[:24]
    with _alone():
        if made.exists():
            os.utime(made)
            return made
        missing = sorted({digest for digest in wanted.values() if not (blobs / digest).exists()})
        if lacking := [digest for digest in missing if digest not in known]:
            return lacking
        for digest in missing:
            with files.whole(blobs / digest) as scratch, scratch.open("wb") as file:
                file.writelines(fetch(digest))
        part = made.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for path, digest in wanted.items():
            (part / path).parent.mkdir(parents=True, exist_ok=True)
            link(blobs / digest, part / path)
        part.rename(made)
        _prune(made)
    return made


def _prune(made: Path) -> None:
    every = sorted(made.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in every[MOST:]:
        shutil.rmtree(old, ignore_errors=True)
    for blob in (home() / "blobs").iterdir() if len(every) > MOST else ():
        if blob.stat().st_nlink == 1:
            blob.unlink()


@contextmanager
def _alone() -> Iterator[None]:
    """One process of a node at a time: the others find what it has fetched."""
    home().mkdir(parents=True, exist_ok=True)
    with (home() / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
