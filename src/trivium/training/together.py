"""One unit in several processes: each does all of it, in step with the others, and trains on its part of each batch
(see `micro`). The first one's files and record count; the others work in folders that are thrown away.

They meet in a file and talk over the loopback interface, through Accelerate: gloo on a CPU.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from trivium.machine import workers
from trivium.settings.errors import UserError

LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"
ATTEMPTS = 3  # to meet
PATIENCE = timedelta(minutes=5)  # with a process that others wait for
KILLED = ("A process that trains a model together with others was killed, most likely because the machine ran out of "
          "memory. Close other programs, or make `loop.processes` or `loop.batch` smaller in params.yaml.")
Work = Callable[[Any, Path, Callable[[int, int], None]], Any]


def run(work: Work, unit: Any, folder: Path, report: Callable[[int, int], None], processes: int, device: str) -> Any:
    """What `work(unit, folder, report)` gives. Raises: UserError (a process was killed; not on a CPU)."""
    if processes == 1:
        return work(unit, folder, report)
    if device != "cpu":
        raise UserError(f"params.yaml: `loop.processes: {processes}` trains a model on several CPU cores, and here is "
                        "a GPU: set it to 1 (`loop.micro_batches` may stay), or set `loop.device: cpu`.")
    for _ in range(ATTEMPTS - 1):
        try:
            return _attempt(work, unit, folder, report, processes)
        except Missed:
            pass  # nothing was trained yet: they meet anew
    try:
        return _attempt(work, unit, folder, report, processes)
    except Missed:
        raise UserError(KILLED) from None


def _attempt(work: Work, unit: Any, folder: Path, report: Callable[[int, int], None], processes: int) -> Any:
    """Raises: Missed, UserError."""
    context = multiprocessing.get_context("spawn")  # clean: this process may have threads
    with tempfile.TemporaryDirectory(prefix="trivium-") as home:
        meeting, others = Path(home) / "meeting", []
        for rank in range(1, processes):
            own = Path(home) / f"process_{rank}"
            shutil.copytree(folder, own)  # to go on from the same checkpoint
            others.append(context.Process(target=_other, args=(work, unit, own, rank, processes, meeting)))
        try:
            for one in others:
                one.start()
            with _met(0, processes, meeting, others):
                return work(unit, folder, report)
        except RuntimeError as error:
            if _of_gloo(error):
                raise UserError(KILLED) from None
            raise
        finally:
            for one in others:
                one.kill()  # it has nothing to add any more
                one.join()


def _other(work: Work, unit: Any, folder: Path, rank: int, processes: int, meeting: Path) -> None:
    workers.start()
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115  what there is to say, the first process says
    try:
        with _met(rank, processes, meeting):
            work(unit, folder, lambda done, every: None)
    except BaseException:  # the first process says what is wrong: it meets the same, or misses this one
        os._exit(1)


class Missed(Exception):
    """The processes did not meet."""


@contextmanager
def _met(rank: int, processes: int, meeting: Path, others: Sequence[BaseProcess] = ()) -> Iterator[None]:
    """In the block, an Accelerator is one of `processes`. others: those that the first one has started, which it looks
    after until all are here. Raises: Missed (one of them ended, or did not come in time).
    """
    import torch.distributed as distributed
    from accelerate.state import AcceleratorState, GradientState, PartialState

    told = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes),
            "LOCAL_WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "OMP_NUM_THREADS": "1",
            "GLOO_SOCKET_IFNAME": LOOPBACK}
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    states = (AcceleratorState, GradientState, PartialState)
    for state in states:
        state._shared_state.clear()
    try:
        _all_here(rank, processes, meeting, others)
        try:
            distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=processes,
                                           timeout=PATIENCE)
        except RuntimeError as error:
            raise Missed from error
        try:
            yield
        finally:
            distributed.destroy_process_group()
    finally:
        for state in states:
            state._shared_state.clear()
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _all_here(rank: int, processes: int, meeting: Path, others: Sequence[BaseProcess]) -> None:
    """Wait until each process has put its file beside `meeting`. A dead one, for which torch would wait, is seen at
    once. Raises: Missed.
    """
    places = [meeting.with_name(f"here_{k}") for k in range(processes)]
    places[rank].touch()
    until = time.monotonic() + PATIENCE.total_seconds()
    while not all(place.exists() for place in places):
        if time.monotonic() > until or any(one.exitcode is not None for one in others):
            raise Missed
        time.sleep(0.02)


def _of_gloo(error: RuntimeError) -> bool:
    return type(error).__name__.startswith("Dist") or "gloo" in str(error).lower()
