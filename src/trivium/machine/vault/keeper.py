"""A small process beside a stage: it keeps finished and half-finished units of training, encrypted, every few seconds;
and when the stage ends, whatever ends it, it keeps the last ones and removes the private folder.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
from contextlib import suppress
from pathlib import Path

from trivium.machine import files
from trivium.machine.vault import sealed
from trivium.machine.vault.keys import Key
from trivium.settings.errors import UserError

EVERY = 5.0  # seconds: the most that a kill costs
PATIENCE = 3.0  # seconds that workers of a stage that was killed have to end
MOST = 200  # units that are kept, the latest ones
DONE = "record.json"  # the file that says that a unit is finished


class Units:
    """inner: where units are in the clear;  home: where they are kept."""

    def __init__(self, inner: Path, home: Path, key: Key) -> None:
        self.inner, self.home, self.key = inner, home, key
        self._known = set[Path]()

    def fetch(self, mark: str) -> None:
        """Decrypt a unit, where it is kept and not here yet. One that cannot be read goes: it is made again."""
        kept, here = self.home / mark, self.inner / mark
        if here.exists() or not kept.is_dir():
            return
        try:
            for path in _files(kept):
                target = here / path.relative_to(kept)
                target.parent.mkdir(parents=True, exist_ok=True)
                sealed.unseal(path, target, self.key, _name(mark, path.relative_to(kept)))
                _same_time(path, target)
            os.utime(kept)  # asked for just now
        except UserError as error:
            print(f"note: {error} What it belongs to is trained again.", flush=True)
            shutil.rmtree(here, ignore_errors=True)
            shutil.rmtree(kept, ignore_errors=True)

    def keep(self) -> None:
        """Encrypt what is new. A unit counts as finished once all its files are kept."""
        finished = {path.parent for path in self.inner.glob(f"*/{DONE}")}
        found = [path for path in _files(self.inner) if path.name != DONE and not files.scratch(path)]
        for path in found + [folder / DONE for folder in sorted(finished)]:
            with suppress(FileNotFoundError, RuntimeError):  # it is being replaced: the next time
                self._keep(path)
        for path in [path for path in self._known if not path.exists()]:
            (self.home / path.relative_to(self.inner)).unlink(missing_ok=True)
            self._known.remove(path)

    def _keep(self, path: Path) -> None:
        mark, inside = path.relative_to(self.inner).parts[0], Path(*path.relative_to(self.inner).parts[1:])
        self._known.add(path)
        kept = self.home / mark / inside
        if not kept.exists() or kept.stat().st_mtime_ns != path.stat().st_mtime_ns:
            with files.whole(kept) as scratch:
                sealed.seal(path, scratch, self.key, _name(mark, inside))
                _same_time(path, scratch)

    def prune(self) -> None:
        kept = sorted(self.home.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in kept[MOST:]:
            shutil.rmtree(path, ignore_errors=True)


class Keeper:
    """The process. `base`: what it removes at the end."""

    def __init__(self, units: Units, base: Path) -> None:
        ours, self._open = os.pipe()
        stage = os.getpid()
        if (child := os.fork()) == 0:
            os.close(self._open)
            _watch(units, base, ours, stage)
        os.close(ours)
        self._child = child

    def end(self) -> None:
        """Wait until all is kept and the folder is gone."""
        with suppress(OSError):  # somebody killed it
            os.write(self._open, b"end")
        os.close(self._open)
        with suppress(ChildProcessError):
            os.waitpid(self._child, 0)


def _watch(units: Units, base: Path, ours: int, stage: int) -> None:
    try:
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(one, signal.SIG_IGN)  # the stage answers, and tells
        while os.getppid() == stage and not select.select([ours], [], [], 0.0)[0]:
            with suppress(OSError):  # a full disk: what is not kept is trained again
                units.keep()
            for _ in range(int(EVERY / 0.25)):
                if os.getppid() != stage or select.select([ours], [], [], 0.25)[0]:
                    break
        select.select([ours], [], [], PATIENCE)  # a stage that was killed may have workers
        with suppress(OSError):
            units.keep()
            units.prune()
    finally:
        shutil.rmtree(base, ignore_errors=True)
        os._exit(0)


def _same_time(path: Path, copy: Path) -> None:
    """That `copy` is of this state of `path`."""
    state = path.stat()
    os.utime(copy, ns=(state.st_mtime_ns, state.st_mtime_ns))


def _name(mark: str, inside: Path) -> str:
    return f"units/{mark}/{inside.as_posix()}"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
