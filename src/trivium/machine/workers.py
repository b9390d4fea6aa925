"""Work that is spread over processes, in order and in bounded memory. There is this one pool."""

from __future__ import annotations

import gc
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import util
from typing import Any, Protocol

from trivium.settings.errors import UserError

Work = Callable[[Any], Any]
Alone = Callable[[Any, int], Any]


class Killed(UserError):
    """A worker was, and with it went what it worked on."""


class Map(Protocol):
    """Starts `work` on the `tasks` at once and gives (task, work(task)) in their order.

    ahead: tasks that are handed out before their results are taken, by default two per worker
    idle: called twice a second while a result is waited for
    alone: what to do here with a task whose worker died, and the exit code of one that did (negative: the signal),
        instead of a stop; the others go on in new workers
    The first failure of any task is raised at once. Raises: Killed.
    """

    def __call__(self, work: Work, tasks: Iterable[Any], *, ahead: int = 0, idle: Callable[[], object] | None = None,
                 alone: Alone | None = None) -> Iterator[tuple[Any, Any]]: ...


def one_thread() -> None:
    """As many processes as cores; and the sums of a matrix product do not depend on the machine."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)


@contextmanager
def processes(workers: int | None = None, gpus: int = 0, *, clean: bool = False,
              begin: Callable[[], None] | None = one_thread,
              smaller: str = "the tensors smaller (`processor` under `encoder`)") -> Iterator[Map]:
    """A pool of `workers` processes, by default one per core; each sees one of `gpus` GPUs, in turn.

    They end with this process, whatever ends it, and are killed when the block fails: what they would still do is for
    nobody.

    clean: whether they start without what this process has loaded and its threads, with which a fork can hang
    begin: called in each of them first;  smaller: what one can make smaller where memory runs out
    """
    workers = workers or cores()
    context = multiprocessing.get_context(_start_method(clean, gpus))
    _scratch()
    executor = _executor(workers, context, gpus, begin)

    def submit(work: Work, task: Any) -> Future[Any]:
        """A pool that broke behind our back fails when the result is asked for, not here."""
        try:
            return executor.submit(work, task)
        except BrokenProcessPool as error:
            failed: Future[Any] = Future()
            failed.set_exception(error)
            return failed

    def run(work: Work, tasks: Iterable[Any], *, ahead: int = 0, idle: Callable[[], object] | None = None,
            alone: Alone | None = None) -> Iterator[tuple[Any, Any]]:
        rest = iter(tasks)
        waiting = deque((task, submit(work, task)) for task in islice(rest, ahead or 2 * workers))

        def ended() -> int:
            """The exit code of the worker that died; the others were ended for that by SIGTERM."""
            workers = list((executor._processes or {}).values())
            executor.shutdown(cancel_futures=True)  # waits for all of them
            return next((one.exitcode for one in workers if one.exitcode not in (0, None, -signal.SIGTERM)), 0)

        def renew() -> None:
            nonlocal executor, waiting
            executor = _executor(workers, context, gpus, begin)
            waiting = deque((task, future if _finished(future) else submit(work, task)) for task, future in waiting)

        def results() -> Iterator[tuple[Any, Any]]:
            while waiting:
                _wait([future for _, future in waiting], idle, alone is not None)
                task, future = waiting.popleft()
                try:
                    result = future.result()
                except BrokenProcessPool:
                    if alone is None:
                        raise
                    result = alone(task, ended())
                    renew()
                waiting.extend((task, submit(work, task)) for task in islice(rest, 1))
                yield task, result

        return results()

    try:
        yield run
    except BaseException as error:
        for process in list((executor._processes or {}).values()):
            process.kill()
        if isinstance(error, BrokenProcessPool):
            raise Killed("A worker process was killed, most likely because the machine ran out of memory. Close "
                         f"other programs, or make {smaller} in params.yaml.") from None
        raise
    finally:
        executor.shutdown(cancel_futures=True)


def forks(gpus: int) -> bool:
    """Whether a worker begins at once, with all that this process has loaded."""
    return _start_method(False, gpus) == "fork"


def _scratch() -> None:
    """The folder of multiprocessing's sockets, whose removal at the end is no failure: the disk may be gone by then."""
    mine: Any = multiprocessing.current_process()
    if mine._config.get("tempdir") is None:
        mine._config["tempdir"] = folder = tempfile.mkdtemp(prefix="trivium-")
        util.Finalize(None, shutil.rmtree, (folder, True), exitpriority=-100)


def _start_method(clean: bool, gpus: int) -> str:
    known = multiprocessing.get_all_start_methods()
    wanted = "forkserver" if clean else "spawn" if gpus or sys.platform == "darwin" else "fork"  # no fork with CUDA
    return wanted if wanted in known else "spawn"


def _wait(futures: list[Future[Any]], idle: Callable[[], object] | None, alone: bool) -> None:
    """Until the first of `futures` is there. Raises what any of them raised; alone: but for a worker that died."""
    while not futures[0].done():
        done, _ = wait([one for one in futures if not one.done()], 0.5 if idle else None, FIRST_COMPLETED)
        if idle:
            idle()
        for one in done - {futures[0]}:
            if not (alone and isinstance(one.exception(), BrokenProcessPool)):
                one.result()


def _finished(future: Future[Any]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _executor(workers: int, context: Any, gpus: int, begin: Callable[[], None] | None) -> ProcessPoolExecutor:
    """An executor whose `workers` all start with the first task.

    By default a worker starts when a task finds none idle; before Python 3.13, one that starts while another dies is
    waited for without end.
    """
    executor = ProcessPoolExecutor(workers, context, _start, (_turns(context, workers, gpus), begin))
    executor._safe_to_dynamically_spawn_children = False  # type: ignore[attr-defined]
    return executor


def _start(turn: Any, begin: Callable[[], None] | None) -> None:
    """Make this process a worker: the parent answers Ctrl-C, SIGTERM ends it at once, and so does the parent's end."""
    if turn is not None:
        index, visible = turn.get(), os.environ.get("CUDA_VISIBLE_DEVICES")
        os.environ["CUDA_VISIBLE_DEVICES"] = visible.split(",")[index] if visible else str(index)
    start()
    if begin is not None:
        begin()


def start() -> None:
    """What a process that works for another one does first."""
    gc.freeze()  # what a fork took over is not collected: it may wait for threads that are not here
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not what a fork took over, which would be one failed task
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _turns(context: Any, workers: int, gpus: int) -> Any:
    """A queue from which each of `workers` takes the GPU that it will see; None where there are no GPUs."""
    turn: Any = context.Queue() if gpus else None
    for index in range(workers if gpus else 0):
        turn.put(index % gpus)
    return turn


def _end_with_parent() -> None:
    """A killed parent cannot stop its workers: they see it and go."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
