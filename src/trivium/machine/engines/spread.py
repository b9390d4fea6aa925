"""A long list of small tasks on a cluster, as `workers.processes` has them here: in order, in bounded memory.

Some go together, since a task on a node costs more than a small one takes; and so many of these at a time that their
results fit into memory here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from trivium.machine import workers
from trivium.machine.engines import ADDRESS, Engine, Needs, Report, Task, chosen
from trivium.machine.workers import Map

TOGETHER = 4  # tasks that a node gets at a time
WINDOW = 64  # of these, until their results are taken
HOME = Path(".cache/spread")

Files = Callable[[Any], Iterable[Path]]  # task -> files that it reads


def far() -> bool:
    """Whether there is a cluster: who is connected to it has threads, with which a fork can hang."""
    return bool(os.environ.get(ADDRESS))


def spread(run: Map, files: Files) -> Map:
    """`run` itself, or what does the same on the cluster that `RAY_ADDRESS` names. files: see `Needs.inputs`."""
    return _Spread(chosen(), files) if far() else run


class _Spread:
    def __init__(self, engine: Engine, files: Files) -> None:
        self.engine, self.files = engine, files

    def __call__(self, work: workers.Work, tasks: Iterable[Any], *, ahead: int = 0,
                 idle: Callable[[], object] | None = None, alone: workers.Alone | None = None,
                 ) -> Iterator[tuple[Any, Any]]:
        """As `workers.Map`, of which no node needs `ahead`, `idle` or `alone`."""
        rest = iter(tasks)
        while window := list(islice(rest, WINDOW * TOGETHER)):
            groups = [window[k : k + TOGETHER] for k in range(0, len(window), TOGETHER)]
            inputs = sorted({file for task in window for file in self.files(task)})
            try:
                found = self.engine.run(_each, [Task((work, group), HOME / str(k)) for k, group in enumerate(groups)],
                                        Needs("auto", "cpu", inputs), lambda told: None)
            finally:
                shutil.rmtree(HOME, ignore_errors=True)
            for group, results in zip(groups, found, strict=True):
                yield from zip(group, results, strict=True)


def _each(several: tuple[workers.Work, Sequence[Any]], folder: Path, report: Report) -> list[Any]:
    """Runs on a node."""
    workers.one_thread()
    work, tasks = several
    return [work(task) for task in tasks]
