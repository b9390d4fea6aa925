"""Disks that are full, read-only, closed, broken or gone, at a write of each stage: one sentence, nothing half-written,
finished units kept, and the same bytes when the stage runs again.

The writes that fail are spread evenly over all that a stage makes, with one sort of disk after another.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.faults import Kind, Tally, project
from benchmarks.faults.forks import Warm
from benchmarks.faults.project import Stage
from benchmarks.faults.shim import Fault, Seen, Shim

FULL = 40  # writes that fail in each stage
NEVER = 1 << 60
LONGEST = 900.0  # seconds that a stage may take
UNITS = Path(".cache/units")
STAGES = ("ingest", "validate", "align", "split", "preprocess", "budget", "pretrain@supervised", "train@ensemble",
          "train@end_to_end", "evaluate@ensemble", "latency", "compare", "export")

UNSAID = "The disk did not take what was written"  # some libraries do not say why, and the disk may be well again

# How a disk fails, and what a person is told of it.
GONE = {"removals": True, "reads": True}
DISKS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"error": errno.ENOSPC}, "No space is left on the disk"),
    ({"error": errno.EROFS, "removals": True}, "The disk is read-only"),
    ({"error": errno.EACCES, "paths": True, "removals": True}, "This user may not write there"),
    ({"error": errno.EIO, "forever": False}, "input/output error"),
    ({"error": errno.EDQUOT}, "Your quota on this disk is used up"),
    ({"error": errno.ESTALE} | GONE, "The disk is not there any more"),
    ({"error": errno.ENOSPC, "forever": False}, "No space is left on the disk"),
    ({"error": errno.ENOTCONN} | GONE, "The disk is not there any more"),
    ({"error": errno.EIO}, "input/output error"),
    ({"error": errno.ENODEV} | GONE, "The disk is not there any more"),
)


def campaign(repetitions: int, folder: Path, seed: int) -> dict[str, Kind]:
    """repetitions: writes that fail in each stage. Raises: shim.NoCompiler."""
    found = {}
    with Place(folder) as place:
        for stage in place.stages(STAGES):
            trials = Trials(place, stage)
            tally = Tally(f"write fails in {stage.name}",
                          f"a disk that is full, read-only, closed, broken or gone, at one of {trials.count} writes")
            for where, lost in trials.run(repetitions, seed):
                tally.add(lost, where)
            found[tally.name] = tally.kind()
    return found


class Place:
    """A project on a disk that can be made to fail, and a warm process for its stages. A context manager."""

    def __init__(self, folder: Path) -> None:
        self.shim, self.said = Shim(folder), folder / "said"
        self.root = project.copy(folder / "project")
        self.before = dict(os.environ)

    def __enter__(self) -> Place:
        scratch = self.root / ".cache/tmp"  # which is on most people's only disk
        scratch.mkdir(parents=True, exist_ok=True)
        os.environ |= self.shim.environment | {"TMPDIR": str(scratch)}
        self.warm = Warm().__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.warm.__exit__()
        os.environ.clear()
        os.environ.update(self.before)

    @staticmethod
    def stages(names: tuple[str, ...]) -> list[Stage]:
        return [stage for stage in project.stages() if stage.name in names]

    def run(self, stage: Stage, fault: Fault | None) -> tuple[int | None, Seen, str]:
        """The exit code, what the disk did, and what was said."""
        if fault:
            self.shim.arm(self.root, fault)
        code = self.warm.start(stage.words, self.root, self.said).wait(LONGEST)
        return code, self.shim.disarm(), self.said.read_text(encoding="utf-8", errors="replace")


class Trials:
    """Faults at the writes of one stage. count: of these writes;  named: of those that take a path."""

    def __init__(self, place: Place, stage: Stage) -> None:
        self.place, self.stage = place, stage
        self.right = stage.made(place.root)
        stage.forget(place.root)
        code, seen, words = place.run(stage, Fault(errno.EIO, NEVER))
        if code or stage.made(place.root) != self.right:
            raise RuntimeError(f"{stage.name} does not give the same bytes when nothing fails:\n{words}")
        self.count, self.named = seen.count, seen.named

    def run(self, times: int, seed: int) -> Iterator[tuple[str, str]]:
        """(which trial, what was lost)"""
        for k in range(times):
            disk, sentence = DISKS[(k + seed) % len(DISKS)]
            count = self.named if disk.get("paths") else self.count
            fault = Fault(nth=1 + (count - 1) * k // max(1, times - 1), **disk)
            self.stage.forget(self.place.root)
            code, seen, words = self.place.run(self.stage, fault)
            lost = self.judged(code, seen, words, sentence)
            left = units(self.place.root)
            again, _, more = self.place.run(self.stage, None)
            lost = lost or self.judged_again(again, more, left)
            yield f"{errno.errorcode[fault.error]} at {seen.what or 'no write'} {fault.nth} ({seen.where})", lost

    def judged(self, code: int | None, seen: Seen, words: str, sentence: str) -> str:
        """What is wrong behind the fault; "" where nothing is."""
        there = self.stage.made(self.place.root)
        if code == 0:
            return "" if there == self.right else "it ended well, with other bytes"
        if not seen.failed:
            return f"it failed without a fault:\n{words}"
        if "Traceback" in words:
            return f"a traceback:\n{words}"
        if code != 1:
            return f"exit code {code}:\n{words}"
        if sentence not in words and UNSAID not in words:
            return f"another sentence:\n{words}"
        half = [name for name, content in there.items() if self.right.get(name) != content]
        for out in self.stage.outs:
            whole = {name for name in self.right if within(name, out)}
            if 0 < len(whole & set(there)) < len(whole):
                half += sorted(whole - set(there))
        return f"half-written: {half[:5]}" if half else ""

    def judged_again(self, code: int | None, words: str, left: Mapping[str, int]) -> str:
        if code:
            return f"the next run ends with {code}:\n{words}"
        if self.stage.made(self.place.root) != self.right:
            return "the next run gives other bytes"
        now = units(self.place.root)
        if trained := [name for name, when in left.items() if now.get(name) != when]:
            return f"{len(trained)} finished units were trained again"
        scraps = list(project.scraps(self.place.root))
        return f"left over: {scraps[:5]}" if scraps else ""


def within(name: str, out: str) -> bool:
    return name == out or name.startswith(f"{out}/")


def units(root: Path) -> dict[str, int]:
    """When each finished unit was finished."""
    return {path.parent.name: path.stat().st_mtime_ns for path in (root / UNITS).glob("*/record.json")}
