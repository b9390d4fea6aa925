"""Media of new rows, decoded in other processes: a file that hangs or crashes its decoder costs its row a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import Any

from trivium.machine import limited
from trivium.machine.workers import Map, cores, processes

CHUNK = 8  # values of a task: each worker gets some of what is decoded together


class Lost(str):
    """In place of a result: why there is none."""


class Away:
    """Workers, which start with the first value, and end with `stack`."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._lost: list[tuple[Any, Lost]] = []  # nothing is waited for twice

    @cached_property
    def _run(self) -> Map:
        return self._stack.enter_context(processes(cores(), clean=True, begin=None))

    def each(self, work: limited.Work, about: tuple, values: list[Any]) -> list[Any]:
        known = {k: why for k, value in enumerate(values) for other, why in self._lost if value == other}
        rest = [k for k in range(len(values)) if k not in known]
        tasks = [(*about, [values[k] for k in rest[at: at + CHUNK]]) for at in range(0, len(rest), CHUNK)]
        made = limited.each(self._run, work, tasks, Lost, len(tasks))
        found = known | dict(zip(rest, (one for _, results in made for one in results), strict=True))
        self._lost += [(values[k], found[k]) for k in rest if isinstance(found[k], Lost)]
        return [found[k] for k in range(len(values))]


_away: ContextVar[Away | None] = ContextVar("away", default=None)


@contextmanager
def decoding() -> Iterator[None]:
    """Within the block, `each` works in other processes; a block in another one has the same."""
    if _away.get():
        yield
        return
    with ExitStack() as stack:
        token = _away.set(Away(stack))
        try:
            yield
        finally:
            _away.reset(token)


def each(work: Callable[[Any], list[Any]], about: tuple, values: list[Any]) -> list[Any]:
    """work((*about, [value])) of each of the `values`, in order, without the list around it; `Lost` where that ends its
    process. Outside of `decoding` all is done here.
    """
    away = _away.get()
    return away.each(work, about, values) if away and values else work((*about, values))
