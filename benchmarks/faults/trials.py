"""One trial: begin a stage, do something to it at a random moment, look at what is left, and let it run again."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults import Tally, project
from benchmarks.faults.forks import Cold, Running, Warm, gone
from benchmarks.faults.project import Stage
from trivium.machine.progress import Progress

LIMIT = 5.0  # seconds in which a process that is asked to end has ended
TIMES = 4  # that a stage is disturbed before it may end
LONGEST = 900.0  # seconds that a stage may take
CODES = {signal.SIGINT: (130, -2), signal.SIGTERM: (143, -15)}  # what a shell makes of both is the same


@dataclass
class Place:
    """A project whose stages are disturbed, one after another. seconds: that an undisturbed stage takes, by its name"""

    warm: Warm
    folder: Path
    seconds: dict[str, float] = field(default_factory=dict)
    count: int = 0

    @property
    def root(self) -> Path:
        return self.folder / "project"

    @property
    def log(self) -> Path:
        return self.folder / "said"

    def fresh(self) -> None:
        """The finished project, as if nothing had happened."""
        shutil.rmtree(self.root, ignore_errors=True)
        project.copy(self.root)

    def start(self, stage: Stage, cold: bool) -> Running:
        self.count += 1
        if cold:
            return Cold(["python", "-m", *stage.words], self.root, self.log, {"TRIVIUM_TRIAL": str(self.count)})
        return self.warm.start(stage.words, self.root, self.log, str(self.count))

    def again(self, stage: Stage, cold: bool = False) -> str:
        """Run it undisturbed; what is wrong with what it makes, in words; "" where nothing is."""
        started = time.monotonic()
        code = self.start(stage, cold).wait(LONGEST)
        self.seconds[f"{stage.name} {cold}"] = time.monotonic() - started
        if code:
            return f"the next run ended with {code}: {self.said()}"
        if code is None:
            return "the next run does not end"
        wanted, found = stage.made(project.reference()), stage.made(self.root)
        if other := sorted(path for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path)):
            return f"the next run makes other bytes: {', '.join(other[:3])}"
        return ""

    def said(self) -> str:
        return " / ".join(self.log.read_text("utf-8", "replace").strip().splitlines()[-3:])[-500:]


Act = Callable[[Running], tuple[Tally, str] | None]  # does it; gives what counts it, and what is wrong with how the
# stage ended, in words; None where it came too late


def disturbed(place: Place, stage: Stage, draw: random.Random, cold: bool, act: Act) -> list[tuple[Tally, str]]:
    """`TIMES` trials of a stage, or fewer where it ended before anything could be done to it: it is disturbed, begun
    again and disturbed again, and what it makes when nobody does so any more is held against the undisturbed run.
    """
    if f"{stage.name} {cold}" not in place.seconds:
        stage.forget(place.root)
        if lost := place.again(stage, cold):
            raise RuntimeError(f"{stage.name}, which nobody disturbed: {lost}")
    stage.forget(place.root)
    if stage.name == "compare":
        forget_runs(place.root)
    found = []
    for _ in range(TIMES):
        running = place.start(stage, cold)
        time.sleep(draw.uniform(0.0, place.seconds[f"{stage.name} {cold}"]))
        if (done := act(running)) is None:
            stage.forget(place.root, cache=False)
        else:
            found.append(done)
    if again := place.again(stage):
        place.fresh()
    return [(tally, "; ".join(filter(None, (lost, again)))) for tally, lost in found]


def run(repetitions: int, folder: Path, draw: random.Random, cold: float, act: Callable[[Place], Act]) -> None:
    """So many trials over all stages. cold: share of stages that begin with their imports"""
    done = 0
    with Warm() as warm, Progress("trials", repetitions, "trial") as progress:
        place = Place(warm, folder)
        place.fresh()
        while done < repetitions:
            for stage in draw.sample(project.stages(), len(project.stages())):
                if done == repetitions:
                    break
                imports = draw.random() < cold
                found = disturbed(place, stage, draw, imports, act(place))[:repetitions - done]
                for tally, lost in found:
                    tally.add(lost, f"{stage.name}, {'cold' if imports else 'warm'}")
                done += len(found)
                progress.add(len(found))


def forget_runs(root: Path) -> None:
    """MLflow's store, which `compare` and `sync` write."""
    for name in ("mlflow.db", "artifacts"):
        path = root / "mlruns" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def running_runs(root: Path) -> int:
    """Runs that MLflow shows as RUNNING."""
    path = root / "mlruns/mlflow.db"
    if not path.exists():
        return 0
    with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(sqlite3.connect(path)) as connection:
        query = "SELECT COUNT(*) FROM runs WHERE status = 'RUNNING' AND lifecycle_stage = 'active'"
        return int(connection.execute(query).fetchone()[0])
    return 0  # no table yet


def ended(place: Place, number: signal.Signals, group: bool, running: Running) -> str | None:
    """Send a signal, to its whole group or to the process alone, and say what is wrong with how it ends; None where it
    had ended.
    """
    if running.wait(0.0) is not None:
        return None
    begun = time.monotonic()
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if group else os.kill)(running.pid, number)
    code = running.wait(4 * LIMIT)
    took = time.monotonic() - begun
    if code is None:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(LIMIT)
        return f"not out after {took:.0f} s"
    wrong = []
    if code == 0 and took < 0.2:
        return None  # it had done all of its work
    if code not in CODES[number]:
        wrong.append(f"exit code {code}: {place.said()}")
    if took > LIMIT:
        wrong.append(f"out after {took:.1f} s")
    if "Traceback" in place.log.read_text("utf-8", "replace"):
        wrong.append(f"a traceback: {place.said()}")
    if left := gone(running.pid, str(place.count), 3.0):
        wrong.append(f"{len(left)} processes left")
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    if runs := running_runs(place.root):
        wrong.append(f"{runs} runs left RUNNING in MLflow")
    if found := list(project.scraps(place.root)):
        wrong.append(f"half-written: {', '.join(found[:3])}")
    return "; ".join(wrong)
