"""What the stages of a `dvc repro` really took: the processor time and the memory of each, with all its processes.

Every process below it is looked at four times a second: those of a fork server are waited for by nobody, so that the
system's own sums leave them out.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field

import psutil


@dataclass
class Taken:
    """Of a stage. bytes: the most that all its processes had at a time; what they share counts once, on Linux."""

    seconds: dict[tuple[int, float], float] = field(default_factory=dict)  # by process
    bytes: int = 0

    @property
    def computing(self) -> float:
        return sum(self.seconds.values())


def watch(process: psutil.Process) -> dict[str, Taken]:
    """By stage, and "dvc" itself, until the process ends."""
    found: dict[str, Taken] = {}
    looked = 0
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        with suppress(psutil.Error):
            _look(process, found, looked % 4 == 0)
        looked += 1
        time.sleep(0.25)
    return found


def _look(process: psutil.Process, found: dict[str, Taken], sized: bool) -> None:
    _add(found.setdefault("dvc", Taken()), process)
    for child in process.children():
        for stage in [child, *child.children(recursive=True)]:
            with suppress(psutil.Error):
                if (words := stage.cmdline())[1:2] == ["-m"] and words[2].startswith("pipeline."):
                    key = "@".join([words[2].removeprefix("pipeline."), *words[3:]])
                    taken = found.setdefault(key, Taken())
                    whole = [stage, *stage.children(recursive=True)]
                    for one in whole:
                        _add(taken, one)
                    if sized:
                        taken.bytes = max(taken.bytes, sum(map(_bytes, whole)))
                    break


def _add(taken: Taken, process: psutil.Process) -> None:
    with suppress(psutil.Error):
        used = process.cpu_times()
        taken.seconds[process.pid, process.create_time()] = used.user + used.system


def _bytes(process: psutil.Process) -> int:
    with suppress(psutil.Error, OSError):
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    return 0
