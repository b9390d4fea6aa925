"""Work that is spread over processes, in order and in bounded memory."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from trivium.errors import UserError

Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[tuple[Any, Any]]]


@contextmanager
def processes(workers: int | None = None) -> Iterator[Map]:
    """A pool of `workers` processes, by default one per core.

    Yields `run(work, tasks)`, which gives (task, work(task)) in the order of `tasks` and reads only a little ahead.
    Raises: UserError when a worker is killed.
    """
    import multiprocessing

    if workers is None:
        workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context(method), _start, (os.getpid(),))

    def run(work: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        waiting: deque[tuple[Any, Future]] = deque()
        for task in tasks:
            waiting.append((task, pool.submit(work, task)))
            if len(waiting) > 2 * workers:
                task, future = waiting.popleft()
                yield task, future.result()
        while waiting:
            task, future = waiting.popleft()
            yield task, future.result()

    try:
        yield run
    except BrokenProcessPool:
        raise UserError("A worker process was killed, most likely because the machine ran out of memory. Close other "
                        "programs, or make the tensors smaller under `preprocess` in params.yaml.") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _start(parent: int) -> None:
    from threadpoolctl import threadpool_limits

    threading.Thread(target=_watch, args=(parent,), daemon=True).start()

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent answers Ctrl-C
    threadpool_limits(1)  # as many processes as cores; and the sums of a matrix product do not depend on the machine


def _watch(parent: int) -> None:
    """A killed parent cannot stop its workers: they see it and go."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
