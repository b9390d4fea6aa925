"""Work that may never end, or end its process, as a decoder written in C can: it costs one value, and nothing else.

A task is a tuple whose last entry is a list of values; its work gives a list with a result for each.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from trivium.machine.workers import Map, processes

Work = Callable[[Any], list[Any]]

# Seconds for one value. The slowest honest picture that was measured, a JPEG 2000 of 134 megapixels, computes for 30;
# a film with few key frames, or a machine a tenth as fast, takes longer. What else a machine does costs no computing
# time, so that a load of 8 does not matter. By the clock there is room for such a load on top of it, and for a disk far
# away that gives some gigabytes at 1 MB a second.
COMPUTING, WAITING = 600.0, 3600.0
CRASHED = "crashes its decoder: the file is damaged"
SLOW = {signal.SIGPROF: "takes longer than {:g} s of computing to decode", signal.SIGALRM: "takes longer than {:g} s "
        "to decode"}


def each(run: Map, work: Work, tasks: Iterable[Any], lost: Callable[[str], Any], ahead: int = 0,
         ) -> Iterator[tuple[Any, list[Any]]]:
    """Each task with its results, in order, as `run` makes them. A value that takes too long ends its process, and is
    tried once more alone: the machine may have slept.

    lost: the result of a value with which its process ended, from why, in words
    """
    limits = COMPUTING, WAITING
    return run(partial(_limited, work, limits), tasks, ahead=ahead, alone=partial(_one_by_one, work, lost, limits))


def _limited(work: Work, limits: tuple[float, float], task: Any) -> list[Any]:
    """Runs in a worker. What the kernel does at the limit ends it also where C code does not come back to Python."""
    timers = (signal.ITIMER_PROF, signal.ITIMER_REAL)
    for number in SLOW:
        signal.signal(number, signal.SIG_DFL)
    results: list[Any] = []
    try:
        for value in task[-1]:
            for timer, seconds in zip(timers, limits, strict=True):
                signal.setitimer(timer, seconds)
            results += work((*task[:-1], [value]))
    finally:
        for timer in timers:
            signal.setitimer(timer, 0)
    return results


def _one_by_one(work: Work, lost: Callable[[str], Any], limits: tuple[float, float], task: Any, _: int) -> list[Any]:
    """The same results where some value of the task ends its process."""
    said = {int(number): words.format(seconds) for (number, words), seconds in zip(SLOW.items(), limits, strict=True)}

    def alone(_: Any, code: int) -> list[Any]:
        return [lost(said.get(-code, CRASHED))]

    values = [(*task[:-1], [value]) for value in task[-1]]
    with processes(1, clean=True, begin=None) as run:
        return [result for _, results in run(partial(_limited, work, limits), values, ahead=1, alone=alone)
                for result in results]
