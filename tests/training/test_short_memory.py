"""Units for which memory runs out: they are tried once more with nothing beside them, and stop none of the others."""

import os
import resource
from pathlib import Path

import numpy as np
import pytest
import torch

from tests import records
from trivium.settings.errors import UserError
from trivium.training import jobs
from trivium.training.records import Seed
from trivium.training.settings import Loop

UNITS = [(name, name, f"key-{name}") for name in ("small", "large", "other")]


def loop(workers: int) -> Loop:
    return Loop(batch=4, weight_decay=0.0, warmup=0.1, clip=1.0, evaluations=1, augment=False, device="cpu",
                workers=workers)


def finish(unit: str, folder: Path) -> Seed:
    with (folder.parent / "tries").open("a") as file:
        file.write(f"{unit}\n")
    (folder / "made").write_text(unit)
    return records.seed(0)


def always_killed(unit: str, folder: Path, report: jobs.Report) -> Seed:
    if unit == "large":
        os.kill(os.getpid(), 9)  # as the kernel does it
    return finish(unit, folder)


def killed_once(unit: str, folder: Path, report: jobs.Report) -> Seed:
    if unit == "large" and not (folder / "begun").exists():
        (folder / "begun").touch()
        os.kill(os.getpid(), 9)
    return finish(unit, folder)


def limited(unit: str, folder: Path, report: jobs.Report) -> Seed:
    """The large one asks for more than this process may have, in torch; the other one in NumPy."""
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, resource.RLIM_INFINITY))
    if unit == "large":
        torch.empty(16 << 30, dtype=torch.uint8)
    if unit == "other":
        np.empty(16 << 30, dtype=np.uint8)
    return finish(unit, folder)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_unit_that_is_killed_for_memory_stops_no_other(
        workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as told:
        jobs.run("pretrain", always_killed, UNITS, loop(workers))
    assert str(told.value) == (
        "1 of 3 could not be finished (large): a worker process was killed, most likely because the machine ran out of "
        "memory, also with nothing else beside it. The others, 2, are finished and kept. Make `loop.workers` or "
        "`loop.batch` smaller in params.yaml, close other programs or take a machine with more memory; then run it "
        "again.")
    kept = sorted(path.parent.name for path in Path(".cache/units").glob("*/record.json"))
    assert kept == ["key-other", "key-small"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_unit_that_is_killed_once_is_finished_alone(
        workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = jobs.run("pretrain", killed_once, UNITS, loop(workers))
    assert {name: (folder / "made").read_text() for name, (folder, _) in done.items()} == {
        "small": "small", "large": "large", "other": "other"}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_unit_that_is_refused_memory_stops_no_other(
        workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^2 of 3 could not be finished \(large, other\): memory ran out"):
        jobs.run("pretrain", limited, UNITS, loop(workers))
    assert [path.parent.name for path in Path(".cache/units").glob("*/record.json")] == ["key-small"]
