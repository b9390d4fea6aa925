"""The processes of this machine. A task for which memory ran out is tried once more with none beside it; one for which
there is too little even then stops none of the others, and is told in the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.sharedctypes import RawArray
from typing import Any

from trivium.machine import device as devices
from trivium.machine.engines import Needs, Show, Task, Work, attempts
from trivium.machine.workers import Killed, forks, processes
from trivium.settings.errors import UserError
from trivium.settings.failures import of_memory

_told: Any = None  # shared array, two numbers a task: what it last reported; set in each worker
Numbered = tuple[int, Task]


@dataclass(frozen=True)
class Short:
    """In place of a result: memory ran out. killed: whether the system ended the process."""

    killed: bool


class Local:
    def device(self, wanted: str) -> str:
        return devices.kind(wanted)

    def run(self, work: Work, tasks: Sequence[Task], needs: Needs, show: Show) -> list[Any]:
        """Each task works in its folder itself. A single worker is a process of its own, too, where that costs nothing:
        the kernel may end it without the stage. Raises: UserError (tasks for which memory ran out; the rest is done).
        """
        global _told
        device = devices.kind(needs.device)
        workers = devices.workers(needs.workers, device)
        if needs.workers == "auto":
            workers = max(1, workers // needs.cores)
        count = min(workers, max(1, len(tasks)))
        shared: Any = RawArray("q", 2 * len(tasks))  # without a lock, which a killed worker would keep
        do, shown, numbered = partial(_work, work), partial(show, shared), list(enumerate(tasks))
        if count == 1 and not forks(devices.gpus(device)):
            _told = shared
            return _whole(tasks, [do(one, shown) for one in numbered], needs)
        pool = partial(processes, gpus=devices.gpus(device), begin=partial(_share, shared), smaller=needs.smaller)

        def alone(one: Numbered, _: int = 0) -> Any:
            try:
                with pool(1) as single:
                    return next(iter(single(do, [one], idle=shown)))[1]
            except Killed:
                return Short(killed=True)

        found = []
        with pool(count) as beside:
            for _, result in beside(do, numbered, ahead=len(tasks), idle=shown, alone=alone):
                shown()
                found.append(result)
        if count > 1:
            found = [alone(one) if isinstance(result, Short) and not result.killed else result
                     for one, result in zip(numbered, found, strict=True)]
        return _whole(tasks, found, needs)


def _whole(tasks: Sequence[Task], found: list[Any], needs: Needs) -> list[Any]:
    """Raises: UserError (some are not)."""
    short = [task.name for task, result in zip(tasks, found, strict=True) if isinstance(result, Short)]
    if not short:
        return found
    killed = any(isinstance(result, Short) and result.killed for result in found)
    how = ("a worker process was killed, most likely because the machine ran out of memory" if killed else
           "memory ran out")
    rest = "" if len(short) == len(tasks) else f" The others, {len(tasks) - len(short)}, are finished and kept."
    names = ", ".join(filter(None, short))
    raise UserError(f"{len(short)} of {len(tasks)} could not be finished ({names}): {how}, also with nothing else "
                    f"beside it.{rest} Make {needs.smaller} in params.yaml, close other programs or "
                    "take a machine with more memory; then run it again.")


def _share(shared: Any) -> None:
    global _told
    _told = shared


def _work(work: Work, numbered: Numbered, shown: Callable[[], None] | None = None) -> Any:
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
    try:
        return work(task.argument, task.folder, report)
    except Exception as error:
        if not of_memory(error):
            raise
        return Short(killed=False)
