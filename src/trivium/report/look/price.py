"""What a run will take on this machine, stage by stage, and which settings change it: what a forecast is made of, and
its words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from trivium.drawing import numbers
from trivium.machine.measured import PLACE, Measured
from trivium.report.parts import Cell, Figure, Table

KINDS = {  # of stages, in the order in which they run
    "pretrain": "recipes", "train": "strategies", "evaluate": "evaluation", "latency": "timing of answers",
    "compare": "comparison and report", "export": "export"}
MOST = 8  # savings that a terminal shows


@dataclass(frozen=True)
class Part:
    """A stage. start: seconds to load its libraries.  work: seconds of one core for all of its `units`, of which
    `beside` go on at a time.  memory: bytes of all its processes.  after: seconds of what it then does alone.
    clock: what it took when it last ran, if its data and settings are still the same.
    """

    stage: str
    start: float
    work: float
    units: int = 1
    beside: int = 1
    memory: int = 0
    after: float = 0.0
    clock: float | None = None

    @property
    def seconds(self) -> float:
        """By the clock of a machine that does nothing else."""
        if self.clock is not None:
            return self.clock
        return self.start + self.work / self.units * math.ceil(self.units / self.beside) + self.after

    @property
    def computing(self) -> float:
        """Of all cores together."""
        return self.start + self.work + self.after

    @property
    def kind(self) -> str:
        return KINDS.get(self.stage.partition("@")[0], "the data")


@dataclass(frozen=True)
class Saving:
    """What another setting would save: a share of the time and seconds, below 0 where it takes longer; and of the
    memory of the largest stage, and bytes.
    """

    words: str
    share: float
    seconds: float
    memory_share: float = 0.0
    memory: int = 0

    @property
    def said(self) -> str:
        """Empty where it saves next to nothing."""
        memory = f"{numbers.memory(self.memory)} of memory" if self.memory_share >= 0.05 else ""
        if self.share >= 0.01:
            time = f"{numbers.percent(self.share, 0)} of the time, {numbers.seconds(self.seconds)}"
            return f"{time}; {memory}" if memory else time
        longer = f", and takes {numbers.seconds(-self.seconds)} longer" if self.share <= -0.01 else ""
        return memory and memory + longer


@dataclass(frozen=True)
class Price:
    """Of a whole run. there: bytes of memory that the machine has for it."""

    parts: tuple[Part, ...]
    there: int
    savings: tuple[Saving, ...] = ()

    @property
    def seconds(self) -> float:
        return sum(part.seconds for part in self.parts)

    @property
    def computing(self) -> float:
        return sum(part.computing for part in self.parts)

    @property
    def largest(self) -> Part:
        """In memory."""
        return max(self.parts, key=lambda part: part.memory)

    @property
    def kinds(self) -> dict[str, float]:
        """Seconds of each kind of stage, in their order."""
        found: dict[str, float] = {}
        for part in self.parts:
            found[part.kind] = found.get(part.kind, 0.0) + part.seconds
        return found

    @property
    def said(self) -> str:
        """A paragraph."""
        each = ", ".join(f"{kind} {numbers.seconds(seconds)}" for kind, seconds in self.kinds.items())
        loaded = [part for part in self.parts if part.start]
        loading = sum(part.start for part in loaded)
        done = sum(part.seconds for part in self.parts if part.clock is not None)
        ready = f" {numbers.seconds(done)} of it are done already." if done else ""
        return (f"A whole run will take about {numbers.seconds(self.seconds)} on this machine, if it does nothing "
                f"else: {each}. That is {numbers.seconds(self.computing)} of computing, of which "
                f"{numbers.seconds(loading)} go to loading libraries for {numbers.plural(len(loaded), 'stage')}."
                f"{ready} {self._memory()}")

    def _memory(self) -> str:
        one = self.largest
        said = (f"The most memory is for `{one.stage}`: about {numbers.memory(one.memory)}"
                + (f", {one.beside} at a time" if one.beside > 1 else "") + f". {numbers.memory(self.there)} are there")
        if one.memory <= self.there:
            return f"{said}."
        lower = "`evaluate.batch`" if one.stage.startswith("evaluate") else "`loop.batch`"
        return (f"Warning: {said[:1].lower()}{said[1:]}, so that it may be killed. In params.yaml, lower "
                f"{'`loop.workers`, then ' if one.beside > 1 else ''}{lower}, or choose smaller encoders.")

    @property
    def lines(self) -> list[str]:
        """For a terminal."""
        width = max((len(one.words) for one in self.savings[:MOST]), default=0)
        less = [f"  {one.words:<{width}}  {one.said}" for one in self.savings[:MOST]]
        return [self.said, *(["", "What would save time or memory:", *less] if less else [])]

    @property
    def figures(self) -> list[Figure]:
        """For a page."""
        rows = [[Cell(part.stage, head=True), _number(numbers.seconds(part.seconds)),
                 _number(numbers.seconds(part.computing)), _number(numbers.memory(part.memory or None)),
                 Cell("forecast" if part.clock is None else "measured")] for part in self.parts]
        found = [Figure(Table("What each stage will take", ["stage", "time", "computing", "memory", ""], rows),
                        "Time is by the clock of a machine that does nothing else.", "Stage by stage", wide=True)]
        less = [[Cell(one.words.replace("`", ""), head=True), Cell(one.said)] for one in self.savings]
        saved = Table("What would save time or memory", ["setting", "saves"], less)
        return [*found, *([Figure(saved, "Each alone.", "Settings", wide=True)] if less else [])]


def _number(text: str) -> Cell:
    return Cell(text, classes="number")


def last(root: Path) -> Figure | None:
    """What stages took when they last ran here, the longest first; None where none is known."""
    found = {path.stem: Measured.found(path) for path in sorted((root / PLACE).glob("*.json")) if "." not in path.stem}
    known = {name: one for name, one in found.items() if one and one.seconds}
    if not known:
        return None
    rows = [[Cell(name, head=True), Cell(numbers.seconds(one.seconds), classes="number"),
             Cell(numbers.memory(one.peak_memory_bytes), classes="number")]
            for name, one in sorted(known.items(), key=lambda each: -(each[1].seconds or 0))[:12]]
    total = sum(one.seconds or 0 for one in known.values())
    return Figure(Table("What stages took", ["stage", "time", "memory"], rows),
                  f"In all {numbers.seconds(total)}, with the data and the settings of that time.", "The last run here",
                  wide=True)
