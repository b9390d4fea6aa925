"""Disks that are full, read-only, closed, broken or gone, at a write of each stage: one sentence, nothing half-written,
finished units kept, and the same bytes when the stage runs again.

Each stage writes so many times; the writes that fail are spread evenly over all of them, with one sort of disk after
another.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.faults import Kind, Tally
from benchmarks.faults.forked import Forks
from benchmarks.faults.shim import Fault, Seen, Shim

FULL = 40  # writes that fail in each stage
NEVER = 1 << 60
UNITS = Path(".cache/units")

# How a disk fails: errno, and what goes with it; and what a person is told.
DISKS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"error": errno.ENOSPC}, "No space is left on the disk"),
    ({"error": errno.EROFS, "removals": True}, "The disk is read-only"),
    ({"error": errno.EACCES, "paths": True, "removals": True}, "This user may not write there"),
    ({"error": errno.EIO, "forever": False}, "input/output error"),
    ({"error": errno.EDQUOT}, "Your quota on this disk is used up"),
    ({"error": errno.ESTALE, "removals": True, "reads": True}, "The disk is not there any more"),
    ({"error": errno.ENOSPC, "forever": False}, "No space is left on the disk"),
    ({"error": errno.ENOTCONN, "removals": True, "reads": True}, "The disk is not there any more"),
    ({"error": errno.EIO}, "input/output error"),
    ({"error": errno.ENODEV, "forever": False}, "The disk is not there any more"),
)


@dataclass(frozen=True)
class Stage:
    """words: as after `python -m pipeline.`.  outs: what it leaves.  kept: outs that are there when it begins."""

    words: tuple[str, ...]
    outs: tuple[str, ...]
    kept: bool = False

    @property
    def name(self) -> str:
        return "@".join(self.words)


STAGES = (
    Stage(("ingest",), ("data/raw",), kept=True),
    Stage(("validate",), ("data/valid", "reports/validation.json")),
    Stage(("align",), ("data/aligned",)),
    Stage(("split",), ("data/splits", "reports/leaks.json")),
    Stage(("preprocess",), ("data/features", "data/reads")),
    Stage(("budget",), ("models/budget.json", "data/code")),
    Stage(("pretrain", "supervised"), ("models/pretrain/supervised",)),
    Stage(("train", "supervised_lpft"), ("models/supervised_lpft",)),
    Stage(("evaluate", "supervised_lpft"), ("reports/evaluate/supervised_lpft",)),
    Stage(("latency",), ("reports/latency.json",)),
    Stage(("compare",), ("reports/plots", "reports/figures", "reports/explained", "reports/summary",
                         "reports/comparison.json")),
    Stage(("export",), ("export",)),
)


def campaign(repetitions: int, folder: Path, seed: int) -> dict[str, Kind]:
    """repetitions: writes that fail in each stage. Raises: shim.NoCompiler."""
    from benchmarks.faults.project import made

    home = folder / "shim"
    home.mkdir()
    shim, project = Shim(home), made(folder / "project")
    found = {}
    with Forks(shim.environment | environment(project)) as forks:
        for stage in STAGES:
            trials = Trials(shim, forks, project, home, stage)
            tally = Tally(f"write fails in {stage.words[0]}",
                          f"a disk that is full, read-only, closed, broken or gone, at one of {trials.count} writes")
            for where, lost in trials.run(repetitions, seed):
                tally.add(lost, where)
            found[tally.name] = tally.kind()
    return found


def environment(project: Path) -> dict[str, str]:
    (project / ".cache/tmp").mkdir(parents=True, exist_ok=True)
    return {"TMPDIR": str(project / ".cache/tmp"), "TRIVIUM_MLFLOW": ""}


class Trials:
    """Faults at the writes of one stage of a project that has run once. count: of these writes."""

    def __init__(self, shim: Shim, forks: Forks, project: Path, home: Path, stage: Stage) -> None:
        self.shim, self.forks, self.project, self.stage = shim, forks, project, stage
        self.said = home / f"{stage.words[0]}.log"
        self.before = files(project, stage.outs)
        self.begin()
        code, seen, words = self.once(Fault(errno.EIO, NEVER))
        if code or files(project, stage.outs) != self.before:
            raise RuntimeError(f"{stage.name} does not give the same bytes when nothing fails:\n{words}")
        self.count = seen.count

    def begin(self) -> None:
        """As DVC leaves it to the stage; and nothing of it is known from an earlier run."""
        for out in self.stage.outs if not self.stage.kept else ():
            remove(self.project / out)
        if self.stage.words[0] in ("pretrain", "train"):
            remove(self.project / UNITS)

    def once(self, fault: Fault | None) -> tuple[int, Seen, str]:
        if fault:
            self.shim.arm(self.project, fault)
        code = self.forks.run(self.project, list(self.stage.words), self.said)
        return code, self.shim.disarm(), self.said.read_text(encoding="utf-8", errors="replace")

    def run(self, times: int, seed: int) -> Iterator[tuple[str, str]]:
        """(which trial, what was lost)"""
        for k in range(times):
            disk, sentence = DISKS[(k + seed) % len(DISKS)]
            paths = disk.get("paths", False)
            count = self.count // 2 if paths else self.count
            fault = Fault(nth=1 + round((count - 1) * k / max(1, times - 1)), **disk)
            self.begin()
            code, seen, words = self.once(fault)
            lost = self.judged(code, seen, words, sentence)
            left = units(self.project)
            again, _, more = self.once(None)
            lost = lost or self.judged_again(again, more, left)
            yield f"{errno.errorcode[fault.error]} at {seen.what or 'no write'} {fault.nth} ({seen.where})", lost

    def judged(self, code: int, seen: Seen, words: str, sentence: str) -> str:
        """What is wrong behind the fault; "" where nothing is."""
        there = files(self.project, self.stage.outs)
        if code == 0:
            return "" if there == self.before else "it ended well, with other bytes"
        if not seen.failed:
            return f"it failed without a fault:\n{words}"
        if "Traceback" in words:
            return f"a traceback:\n{words}"
        if code != 1:
            return f"exit code {code}:\n{words}"
        if sentence not in words:
            return f"another sentence:\n{words}"
        half = sorted(name for name, content in there.items() if self.before.get(name) != content)
        for out in self.stage.outs:
            missing = [name for name in self.before if within(name, out) and name not in there]
            if missing and len(missing) < sum(within(name, out) for name in self.before):
                half += missing
        return f"half-written: {half[:5]}" if half else ""

    def judged_again(self, code: int, words: str, left: Mapping[str, int]) -> str:
        if code:
            return f"the next run fails:\n{words}"
        if files(self.project, self.stage.outs) != self.before:
            return "the next run gives other bytes"
        now = units(self.project)
        if trained := [name for name, when in left.items() if now.get(name) != when]:
            return f"{len(trained)} finished units were trained again"
        places = {(self.project / out).parent for out in self.stage.outs} | {self.project / "reports/measured"}
        parts = sorted(path.name for place in places for path in place.glob("*.part"))
        return f"left over: {parts[:5]}" if parts else ""


def within(name: str, out: str) -> bool:
    return name == out or name.startswith(f"{out}/")


def units(project: Path) -> dict[str, int]:
    """When each finished unit was finished."""
    return {path.parent.name: path.stat().st_mtime_ns for path in (project / UNITS).glob("*/record.json")}


def files(project: Path, outs: tuple[str, ...]) -> dict[str, str]:
    """Digest of every file of the outs, by path."""
    found = {}
    for out in outs:
        top = project / out
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file():
                found[str(path.relative_to(project))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
