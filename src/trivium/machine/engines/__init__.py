"""Who does independent pieces of work: the processes of this machine, or a Ray cluster.

`RAY_ADDRESS` chooses, and nothing else: where a model was trained is no part of what it is. Whoever hands out work
knows no engine by name; ray is imported when a cluster is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

ADDRESS = "RAY_ADDRESS"

Report = Callable[[int, int], None]  # (samples done, of how many in all): how far a piece of work is
Work = Callable[[Any, Path, Report], Any]  # work(argument, folder, report) -> what can be pickled
Show = Callable[[Sequence[int]], None]  # is given two numbers a piece of work: what it last reported


@dataclass(frozen=True)
class Task:
    """argument: of the work.  folder: where its files are when it is done, relative to the working directory.
    name: for people.
    """

    argument: Any
    folder: Path
    name: str = ""


@dataclass(frozen=True)
class Needs:
    """What the tasks need, each the same.

    workers: tasks side by side, `loop.workers`.  device: `loop.device`.  cores: processes that a task is.
    inputs: files and folders that they read; relative ones are sent to nodes that do not see this disk, absolute ones
    have to be there.  smaller: what one can make smaller where memory runs out.
    """

    workers: Literal["auto"] | int
    device: str
    inputs: Sequence[Path] = ()
    cores: int = 1
    smaller: str = "the tensors smaller (`processor` under `encoder`)"


class Engine(Protocol):
    def device(self, wanted: str) -> str:
        """`cpu` or `cuda`: where the tasks run, of what `loop.device` says. Raises: UserError (no GPU there)."""
        ...

    def run(self, work: Work, tasks: Sequence[Task], needs: Needs, show: Show) -> list[Any]:
        """What `work` gave for each task, in their order. What an attempt at a task left that was killed is in its
        folder when it begins again. The first failure of any task is raised at once. `show` is called now and then.
        """
        ...


@dataclass
class Elsewhere:
    """What the tasks of this process took on other machines: bytes of the largest process, and whether there were any.
    """

    peak_memory_bytes: int = 0
    there: bool = False


elsewhere = Elsewhere()


def chosen() -> Engine:
    """Raises: UserError (a cluster that is not there, or that this machine cannot work with)."""
    if address := os.environ.get(ADDRESS, ""):
        from trivium.machine.engines import cluster

        return cluster.at(address)
    from trivium.machine.engines.local import Local

    return Local()
