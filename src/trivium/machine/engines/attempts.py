"""Attempts at a piece of work, each in a folder of its own: a process that was given up may still write, and what it
writes is nobody's.

`FOLDER.<attempt>.part` beside the folder that the work is to leave, which is there whole or not at all.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

PART = ".part"


def new(folder: Path) -> Path:
    """A name for an attempt at `folder`."""
    return folder.with_name(f"{folder.name}.{uuid4().hex[:12]}{PART}")


def begin(attempt: Path, folder: Path) -> None:
    """Make the folder `attempt`, with copies of what the last one left: checkpoints, from which the work goes on."""
    attempt.mkdir(parents=True, exist_ok=True)
    left = [(when, path) for path in _others(folder) if path != attempt and (when := _last(path))]
    if not left:
        return
    _, newest = max(left)
    for file in sorted(newest.rglob("*")):
        target = attempt / file.relative_to(newest)
        if file.suffix != PART and file.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # whoever wrote it may be alive
                shutil.copy2(file, target)


def end(attempt: Path, folder: Path) -> None:
    """The `attempt` becomes `folder`; all others go."""
    if folder.exists():
        folder.rename(new(folder))
    attempt.rename(folder)
    for other in _others(folder):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


def _others(folder: Path) -> list[Path]:
    found = [path for path in folder.parent.glob(f"{folder.name}.*{PART}") if path.is_dir()]
    return [folder, *found] if folder.is_dir() else found


def _last(folder: Path) -> float:
    """When a file of it was last written; 0 of an empty one."""
    times = [0.0]
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            times.append(path.stat().st_mtime if path.is_file() and path.suffix != PART else 0.0)
    return max(times)
