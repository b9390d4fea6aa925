"""Pieces of work for the tests of engines, where processes of other nodes can import them."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from trivium.machine import files
from trivium.machine.engines import Report
from trivium.settings.errors import UserError


@dataclass(frozen=True)
class Chain:
    """`steps` digests of each other, `pause` seconds apart; each attempt adds a line to `log`: pid and first step."""

    name: str
    steps: int
    pause: float
    log: Path


def chain(about: Chain, folder: Path, report: Report) -> str:
    """Goes on from `state`, where an attempt has left it."""
    kept = folder / "state"
    done, value = kept.read_text().split() if kept.exists() else ("0", about.name)
    with about.log.open("a") as log:
        log.write(f"{about.name} {os.getpid()} {done}\n")
    for step in range(int(done), about.steps):
        value = hashlib.sha256(value.encode()).hexdigest()
        files.write(kept, f"{step + 1} {value}")
        report(step + 1, about.steps)
        time.sleep(about.pause)
    (folder / "deep").mkdir(exist_ok=True)
    (folder / "deep/made").write_text(value)
    return value


def expected(about: Chain) -> str:
    value = about.name
    for _ in range(about.steps):
        value = hashlib.sha256(value.encode()).hexdigest()
    return value


def read(path: str, folder: Path, report: Report) -> str:
    """What is in the file `path` of the working directory; and where that is."""
    print(f"reading {path}")
    (folder / "copy").write_text(Path(path).read_text())
    return os.getcwd()


def refuse(words: str, *_: object) -> None:
    raise UserError(words)


def fail(*_: object) -> None:
    raise ZeroDivisionError("a mistake of ours")


def die(*_: object) -> None:
    os._exit(9)


def sleep(*_: object) -> None:
    print(f"pid {os.getpid()}")
    time.sleep(600)
