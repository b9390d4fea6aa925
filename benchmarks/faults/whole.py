"""`dvc repro` itself, killed or interrupted while it runs a stage: all of it, or DVC alone. Then `trivium repair` and
`dvc repro`, as `make repro` calls them, and all outs and dvc.lock must be those of the undisturbed run.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import time
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from benchmarks.faults import Kind, Tally, project
from benchmarks.faults.forks import Cold, gone
from benchmarks.faults.trials import LIMIT, LONGEST, running_runs
from trivium.machine.progress import track

FULL = 40
WHAT = "{} while `dvc repro` runs: no process is left, and after `make repro` all outs and dvc.lock have the same bytes"


@dataclass(frozen=True)
class Way:
    name: str
    number: signal.Signals
    group: bool
    words: str


WAYS = (Way("kill: dvc repro", signal.SIGKILL, True, "all processes are killed"),
        Way("interrupt: dvc repro", signal.SIGINT, True, "Ctrl-C"),
        Way("kill: DVC alone", signal.SIGKILL, False, "DVC's own process is killed"),
        Way("interrupt: dvc repro, SIGTERM", signal.SIGTERM, True, "SIGTERM to all"))


def campaign(repetitions: int, folder: Path, seed: int) -> dict[str, Kind]:
    draw = random.Random(seed)
    tallies = {way.name: Tally(way.name, WHAT.format(way.words)) for way in WAYS}
    root = folder / "project"
    project.copy(root, cache=True)
    _finish(root, folder)
    before = (root / "dvc.lock").read_bytes()
    for trial, way in enumerate(track(list(islice(cycle(WAYS), repetitions)), "dvc repro", repetitions, "trial")):
        how: str | None = None
        while how is None:  # where the stage had ended, it is no trial
            stage = draw.choice(project.stages())
            how = _tried(root, folder, stage, way, draw)
            lost = _finish(root, folder) or _other(root, before) or how
        tallies[way.name].add(lost or "", f"trial {trial}, {stage.name}")
        if lost:
            shutil.rmtree(root)
            project.copy(root, cache=True)
            _finish(root, folder)
    return {tally.name: tally.kind() for tally in tallies.values() if tally.tried}


def _tried(root: Path, folder: Path, stage: project.Stage, way: Way, draw: random.Random) -> str | None:
    """What is wrong with how it ended, in words; None where it had ended before."""
    stage.forget(root)
    running = Cold(["dvc", "repro", "--single-item", "--force", stage.name], root, folder / "said", {})
    until = time.monotonic() + LONGEST
    while "Running stage" not in (folder / "said").read_text("utf-8", "replace") and running.wait(0.05) is None:
        if time.monotonic() > until:
            break
    time.sleep(draw.uniform(0.0, 8.0))
    if running.wait(0.0) is not None:
        return None
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if way.group else os.kill)(running.pid, way.number)
    begun = time.monotonic()
    running.wait(4 * LIMIT)
    left = gone(running.pid, "", 2 * LIMIT)
    took = time.monotonic() - begun
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if left:
        return f"{len(left)} processes are left"
    if way.number != signal.SIGKILL and took > 2 * LIMIT:  # of which half may be DVC's own
        return f"out after {took:.1f} s"
    if way.number != signal.SIGKILL and (runs := running_runs(root)):
        return f"{runs} runs left RUNNING in MLflow"
    return ""


def _finish(root: Path, folder: Path) -> str:
    """As `make repro`."""
    for words in (["python", "-m", "trivium.cli", "repair"], ["dvc", "repro"]):
        if code := Cold(words, root, folder / "said", {}).wait(LONGEST):
            said = " / ".join((folder / "said").read_text("utf-8", "replace").strip().splitlines()[-3:])
            return f"`{' '.join(words[-2:])}` ended with {code}: {said[-400:]}"
    return ""


def _other(root: Path, lock: bytes) -> str:
    wrong = [stage.name for stage in project.stages() if stage.made(root) != stage.made(project.reference())]
    if (root / "dvc.lock").read_bytes() != lock:
        wrong.append("dvc.lock")
    return f"other bytes: {', '.join(wrong)}" if wrong else ""
