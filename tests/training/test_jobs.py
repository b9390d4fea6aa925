"""What the units of a stage cost, for reports/measured, how far they are, and how they end."""

import math
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests import damage, records
from tests.helpers import ROOT
from tests.machine.test_workers import alive
from trivium.machine import digests
from trivium.machine.measured import Measured
from trivium.machine.progress import Progress
from trivium.settings.errors import UserError
from trivium.training import code, jobs
from trivium.training.records import Lacking, Seed
from trivium.training.settings import Loop

LOOP = Loop(batch=4, weight_decay=0.0, warmup=0.1, clip=1.0, evaluations=1, augment=False, device="cpu", workers=2)
LEFT = Lacking(budget=1.0, needed=2.0)


def test_the_largest_process_on_a_gpu_counts() -> None:
    done = {"a": (Path("a"), jobs.Done(seconds=2.0, gpu_bytes=300, record=LEFT)),
            "b": (Path("b"), jobs.Done(seconds=1.5, gpu_bytes=700, record=LEFT))}
    assert jobs.measured(done, "seeds") == Measured(seeds=[2.0, 1.5], peak_gpu_memory_bytes=700)


def test_a_cpu_has_no_gpu_memory() -> None:
    done = {"a": (Path("a"), jobs.Done(seconds=2.0, gpu_bytes=None, record=LEFT))}
    assert jobs.measured(done, "units") == Measured(units=[2.0])


def test_units_that_have_not_begun_are_taken_to_be_as_long_as_the_others() -> None:
    progress = Progress("training", math.inf, "samples")
    for shared, far in ([0, 0, 0, 0, 0, 0], (0, math.inf)), ([5, 100, 0, 0, 20, 60], (25, 240)), (
            [100, 100, 140, 140, 60, 60], (300, 300)):
        jobs._show(progress, shared)
        assert (progress.done, progress.total) == far


def test_what_a_killed_process_had_half_written_is_not_copied(tmp_path: Path) -> None:
    unit = tmp_path / "unit"
    (unit / "image").mkdir(parents=True)
    (unit / "image/model.json").write_text("{}")
    (unit / "image/.model.json.4711.part").write_text("{")
    jobs.copy(unit, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").rglob("*")] == ["image", "model.json"]


STAGE = """
import os, sys, time
from pathlib import Path
from trivium import stage
from trivium.params import load
from trivium.settings.errors import UserError
from trivium.training import jobs

def work(unit, folder, report):
    os.write(1, b"%d\\n" % os.getpid())  # in one piece: two workers write
    if unit == sys.argv[2]:
        time.sleep(0.5)
        raise UserError("the second one failed")
    time.sleep(600)

def main(params):
    loop = params.loop.model_copy(update={"device": "cpu", "workers": 2})
    jobs.run("sleeping", work, [(name, name, f"key-{name}") for name in "abcd"], loop)

stage.load = lambda: load(sys.argv[1])
stage.run("sleeping", main)
"""


def stage(folder: Path, failing: str = "") -> tuple[subprocess.Popen[str], list[int]]:
    """Four units that sleep for ten minutes, two at a time, but for the one that fails; pids of its workers."""
    (folder / "stage.py").write_text(STAGE)
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen([sys.executable, "stage.py", str(ROOT / "params.yaml"), failing], cwd=folder,
                               env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, [int(process.stdout.readline()) for _ in range(2)]


def gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 20
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not any(map(alive, pids))


@pytest.mark.parametrize(("kind", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_units_end_with_their_stage(tmp_path: Path, kind: signal.Signals, code: int) -> None:
    process, pids = stage(tmp_path)
    process.send_signal(kind)
    assert process.wait(20) == code
    assert gone(pids)


def test_the_first_failure_is_told_at_once(tmp_path: Path) -> None:
    process, pids = stage(tmp_path, "b")
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1 and "sleeping stopped: the second one failed" in said and "Traceback" not in said
    assert gone(pids)


def test_workers_that_die_before_all_units_are_handed_out_are_told_in_words(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = ProcessPoolExecutor.submit

    def slowly(*arguments: Any) -> Any:
        time.sleep(0.5)
        return submit(*arguments)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ProcessPoolExecutor, "submit", slowly)
    with pytest.raises(UserError, match="6 of 6 could not be finished .a, b, c, d, e, f.: a worker process was killed"):
        jobs.run("dying", die, [(name, name, f"key-{name}") for name in "abcdef"], LOOP)


def die(*_: object) -> Lacking:
    os._exit(9)


def write_one(unit: str, folder: Path, report: jobs.Report) -> Seed:
    (folder / "made").write_text(unit)
    report(1, 1)
    return records.seed(3)


def fail(*_: object) -> Lacking:
    raise AssertionError("this unit was finished before")


def test_a_finished_unit_is_taken_by_its_key_whatever_its_name(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    one = LOOP.model_copy(update={"workers": 1})
    jobs.run("first", write_one, [("a", "x", "key-x")], one)
    done = jobs.run("second", fail, [("renamed", "x", "key-x")], one)
    assert "second: 1 of 1 were finished before" in capsys.readouterr().out
    folder, left = done["renamed"]
    assert (folder / "made").read_text() == "x" and left.record == records.seed(3)
    jobs.copy(folder, tmp_path / "out")
    assert (tmp_path / "out/made").read_text() == "x"


def test_a_key_stands_for_all_that_a_result_depends_on() -> None:
    about = {"seed": 0, "lr": 0.003}
    recipe, strategy = [code.RECIPE], [code.STRATEGY]
    assert jobs.key(recipe, about) == jobs.key(recipe, {"lr": 0.003, "seed": 0})
    assert len({jobs.key(recipe, about), jobs.key(strategy, about), jobs.key(recipe, about | {"seed": 1})}) == 3


@pytest.mark.parametrize("name", ["model/a", "record.json"])
@pytest.mark.parametrize("kind", damage.KINDS)
def test_a_finished_unit_that_is_damaged_is_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, kind: str,
) -> None:
    monkeypatch.setattr(jobs, "HOME", tmp_path)

    def work(unit: str, folder: Path, report: jobs.Report) -> Lacking:
        (folder / "model").mkdir(parents=True)
        (folder / "model/a").write_text(unit)
        return LEFT

    monkeypatch.setattr(jobs.engines, "chosen", lambda: Here())
    loop = LOOP.model_copy(update={"workers": 1})
    ((folder, _),) = jobs.run("x", work, [("a", "what it is", "key")], loop).values()
    whole = digests.of_folder(folder, "record.json")
    damage.do(folder / name, kind)
    jobs.run("x", work, [("a", "what it is", "key")], loop)
    assert digests.of_folder(folder, "record.json") == whole and jobs._finished(folder)
    said = capsys.readouterr().out
    assert (f"{folder / name} is damaged: its content is not what training wrote." in said) or (
        name == "record.json" and "were finished before" in said)  # a bit of the time that it took


class Here:
    """An engine that does the work in this process."""

    def run(self, work: Any, tasks: Any, needs: Any, show: Any) -> list[Any]:
        for one in tasks:
            one.folder.mkdir(parents=True, exist_ok=True)
            work(one.argument, one.folder, lambda done, every: None)
        return []


THREADS = """
import torch
from trivium.training import jobs
from trivium.training.records import Lacking
from trivium.training.settings import Loop

def much(*_):
    return str(torch.ones(3000, 3000).sin().sum())

def work(unit, folder, report):
    much()
    return Lacking(budget=1.0, needed=2.0)

torch.set_num_threads(4)
print(much.__name__, len(jobs.run("two", work, [("a", 0, "a"), ("b", 1, "b")], Loop(
    batch=4, weight_decay=0.0, warmup=0.1, clip=1.0, evaluations=1, augment=False, device="cpu", workers=2), (), much)))
"""


@pytest.mark.slow
def test_workers_do_not_wait_for_the_threads_of_who_measured_memory(tmp_path: Path) -> None:
    """A fork of a process in which several threads have computed waits for them, for ever."""
    done = subprocess.run([sys.executable, "-c", THREADS], cwd=tmp_path, env=os.environ | {"OMP_NUM_THREADS": "4"},
                          capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "much 2", done.stderr
