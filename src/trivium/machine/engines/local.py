"""The processes of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.sharedctypes import RawArray
from typing import Any

from trivium.machine import device as devices
from trivium.machine.engines import Needs, Show, Task, Work, attempts
from trivium.machine.workers import processes

_told: Any = None  # shared array, two numbers a task: what it last reported; set in each worker


class Local:
    def device(self, wanted: str) -> str:
        return devices.kind(wanted)

    def run(self, work: Work, tasks: Sequence[Task], needs: Needs, show: Show) -> list[Any]:
        """Each task works in its folder itself. A single worker is this process."""
        global _told
        device = devices.kind(needs.device)
        workers = devices.workers(needs.workers, device)
        if needs.workers == "auto":
            workers = max(1, workers // needs.cores)
        count = min(workers, max(1, len(tasks)))
        shared: Any = RawArray("q", 2 * len(tasks))  # without a lock, which a killed worker would keep
        if count == 1:
            _told = shared
            return [_work(work, one, partial(show, shared)) for one in enumerate(tasks)]
        with processes(count, devices.gpus(device), begin=partial(_share, shared), smaller=needs.smaller) as beside:
            found = []
            for _, result in beside(partial(_work, work), enumerate(tasks), ahead=len(tasks),
                                    idle=partial(show, shared)):
                show(shared)
                found.append(result)
            return found


def _share(shared: Any) -> None:
    global _told
    _told = shared


def _work(work: Work, numbered: tuple[int, Task], shown: Callable[[], None] | None = None) -> Any:
    (index, task), last = numbered, time.monotonic()

    def report(samples: int, every: int) -> None:
        nonlocal last
        _told[2 * index : 2 * index + 2] = [samples, every]
        if time.monotonic() - last > 1:
            last = time.monotonic()
            if shown is not None:
                shown()

    if not task.folder.exists():  # else it goes on there
        attempts.begin(task.folder, task.folder)
    return work(task.argument, task.folder, report)
