"""Work that is spread over processes, in order and in bounded memory."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import Any

from trivium.settings.errors import UserError

Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[tuple[Any, Any]]]


@contextmanager
def processes(workers: int | None = None, gpus: int = 0) -> Iterator[Map]:
    """A pool of `workers` processes, by default one per core; each sees one of `gpus` GPUs, in turn.

    Yields `run(work, tasks)`, which starts at once, gives (task, work(task)) in the order of `tasks` and reads only a
    little ahead.
    Raises: UserError when a worker is killed.
    """
    workers = workers or cores()
    fork = "fork" in multiprocessing.get_all_start_methods() and not gpus  # CUDA does not survive a fork
    context = multiprocessing.get_context("fork" if fork else "spawn")
    executor = pool(workers, context, _start, turns(context, workers, gpus))

    def run(work: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        rest = iter(tasks)
        waiting = deque((task, executor.submit(work, task)) for task in islice(rest, 2 * workers))

        def results() -> Iterator[tuple[Any, Any]]:
            while waiting:
                task, future = waiting.popleft()
                waiting.extend((task, executor.submit(work, task)) for task in islice(rest, 1))
                yield task, future.result()

        return results()

    try:
        yield run
    except BrokenProcessPool:
        raise killed("the tensors smaller (`processor` under `encoder`)") from None
    finally:
        executor.shutdown(cancel_futures=True)


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pool(workers: int, context: Any, start: Callable[..., None], *arguments: Any) -> ProcessPoolExecutor:
    """An executor whose `workers` all start with the first task, each by `start(*arguments)`.

    By default a worker starts when a task finds none idle; before Python 3.13, one that starts while another dies is
    waited for without end.
    """
    executor = ProcessPoolExecutor(workers, context, start, arguments)
    executor._safe_to_dynamically_spawn_children = False  # type: ignore[attr-defined]
    return executor


def killed(what: str) -> UserError:
    """What to say when a worker is gone; `what` may be made smaller."""
    return UserError("A worker process was killed, most likely because the machine ran out of memory. Close other "
                     f"programs, or make {what} in params.yaml.")


def _start(turn: Any) -> None:
    from threadpoolctl import threadpool_limits

    see_one_gpu(turn)
    obey()
    threadpool_limits(1)  # as many processes as cores; and the sums of a matrix product do not depend on the machine


def obey() -> None:
    """Make this process a worker: the parent answers Ctrl-C, SIGTERM ends it at once, and so does the parent's end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not what a fork took over, which would be one failed task
    threading.Thread(target=_end_with_parent, daemon=True).start()


def turns(context: Any, workers: int, gpus: int) -> Any:
    """A queue from which each of `workers` takes the GPU that it will see; None where there are no GPUs."""
    turn: Any = context.Queue() if gpus else None
    for index in range(workers if gpus else 0):
        turn.put(index % gpus)
    return turn


def see_one_gpu(turn: Any) -> None:
    """From here on this process sees one GPU, of those that its parent sees: the next of `turns`."""
    if turn is not None:
        index, visible = turn.get(), os.environ.get("CUDA_VISIBLE_DEVICES")
        os.environ["CUDA_VISIBLE_DEVICES"] = visible.split(",")[index] if visible else str(index)


def _end_with_parent() -> None:
    """A killed parent cannot stop its workers: they see it and go."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
