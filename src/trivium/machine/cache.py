"""Folders kept by what they were made from, outside the outs, which DVC empties before a stage runs.

Files are hard links where the disk allows it: DVC moves an out into its own cache and links it back, so that a kept
folder takes no room of its own.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trivium.machine import digests, files

MOST = 20  # folders that nobody asked for lately and that stay all the same
WHOLE = "whole"  # the file that says that a folder was finished, and what is in it: path -> digest


class Cache:
    """A folder of folders, each under a key that stands for everything it depends on."""

    def __init__(self, home: Path, most: int = MOST) -> None:
        self.home, self.most, self._asked = home, most, set[str]()

    def take(self, key: str, out: Path) -> bool:
        """Put the files kept under `key` into the new folder `out`; false where there are none, or they are damaged."""
        kept = self.home / key
        self._asked.add(key)
        if not (kept / WHOLE).exists():
            return False
        known = files.read_json_or(kept / WHOLE, None)
        if not isinstance(known, dict) or digests.damaged(kept, known):
            print(f"{kept} is damaged: a file in it is not what was written. It is made again.", flush=True)
            return False
        os.utime(kept)  # asked for just now
        for file in sorted(path for path in kept.rglob("*") if path.is_file() and path.name != WHOLE):
            target = out / file.relative_to(kept)
            target.parent.mkdir(parents=True, exist_ok=True)
            link(file, target)
        return True

    @contextmanager
    def making(self, key: str) -> Iterator[Path]:
        """A folder to fill; what is in it when the block ends is kept under `key`."""
        folder = self.home / key
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        yield folder
        files.all_on_disk(folder)
        files.write(folder / WHOLE, json.dumps(digests.of_folder(folder)))

    def keep(self) -> None:
        """Drop the oldest folders that were not asked for, down to `most`."""
        spare = [path for path in self.home.iterdir() if path.is_dir() and path.name not in self._asked] \
            if self.home.exists() else []
        spare.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in spare[self.most:]:
            shutil.rmtree(path, ignore_errors=True)


def link(file: Path, target: Path) -> None:
    """A hard link, or a copy where links cannot be made. What was at `target` goes: it may be a link itself."""
    target.unlink(missing_ok=True)
    try:
        os.link(file, target)
    except OSError:
        shutil.copy(file, target)
