"""SIGKILL at random moments of every stage: of all its processes at once, or of one of its workers."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from functools import partial
from pathlib import Path

from benchmarks.faults import Kind, Tally
from benchmarks.faults.forks import Running, gone, session
from benchmarks.faults.trials import LIMIT, LONGEST, Place, run

COLD = 0.1  # of the trials begin with imports, as DVC begins a stage
WORKERS = 0.15  # of the trials kill one worker
GROUP = ("all processes of a stage are killed at a random moment: the next run makes the same bytes, and none of them "
         "is left")
WORKER = ("one worker of a stage is killed: the stage does the work again, or says in a sentence what happened; the "
          "next run makes the same bytes")


def campaign(repetitions: int, folder: Path, seed: int) -> dict[str, Kind]:
    draw = random.Random(seed)
    stage, worker = Tally("kill: a stage", GROUP), Tally("kill: a worker", WORKER)

    def act(place: Place, running: Running) -> tuple[Tally, str] | None:
        alone = draw.random() < WORKERS
        lost = (_worker if alone else _group)(place, running)
        return None if lost is None else (worker if alone else stage, lost)

    run(repetitions, folder, draw, COLD, lambda place: partial(act, place))
    return {tally.name: tally.kind() for tally in (stage, worker)}


def _group(place: Place, running: Running) -> str | None:
    if running.wait(0.0) is not None:
        return None
    os.killpg(running.pid, signal.SIGKILL)
    code = running.wait(LIMIT)
    left = gone(running.pid, str(place.count), LIMIT)
    return f"it goes on (exit code {code}, {len(left)} processes)" if code is None or left else ""


def _worker(place: Place, running: Running) -> str | None:
    """One of the processes that the stage has started, as soon as there is one."""
    until = time.monotonic() + LIMIT
    while not (others := [pid for pid in session(running.pid) if pid != running.pid]):
        if running.wait(0.02) is not None or time.monotonic() > until:
            if running.wait(LONGEST) not in (None, 0):
                return f"undisturbed, it ends with {running.wait(0.0)}: {place.said()}"
            return None
    with contextlib.suppress(ProcessLookupError):
        os.kill(random.Random(place.count).choice(others), signal.SIGKILL)
    code = running.wait(LONGEST)
    if code is None:
        os.killpg(running.pid, signal.SIGKILL)
        return "it waits without end"
    if code not in (0, 1) or "Traceback" in (said := place.log.read_text("utf-8", "replace")):
        return f"exit code {code}: {place.said()}"
    if code == 1 and "was killed" not in said:
        return f"it does not say what happened: {place.said()}"
    return f"{len(left)} processes left" if (left := gone(running.pid, str(place.count), LIMIT)) else ""
