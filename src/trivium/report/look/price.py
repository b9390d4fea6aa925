"""What a run will take on this machine: from the budget, and from how fast one real training step is here."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trivium.drawing import numbers
from trivium.machine.measured import PLACE, Measured
from trivium.report.parts import Cell, Figure, Table

STEPS = 3  # that are timed, after one that is not
CHANGES = ("budget.epochs", "seeds", "loop.workers", "evaluate.analysis_rows", "compare.latency")


@dataclass(frozen=True)
class Price:
    """seconds: of all training;  speed: FLOPs a second;  flops: of one strategy at one seed, on average.  memory: what
    training takes of it, a sentence.
    """

    seconds: float
    speed: float
    flops: float
    strategies: int
    seeds: int
    workers: int
    memory: str = ""

    @property
    def said(self) -> str:
        return (f"Training will take about {numbers.seconds(self.seconds)} on this machine: {self.strategies} "
                f"strategies x {self.seeds} seeds x {numbers.flops(self.flops)} each, at {numbers.flops(self.speed)} a "
                f"second and {self.workers} at a time. Evaluation, and loading of libraries (some seconds a stage), "
                f"come on top. {self.memory}").rstrip()


def estimate(store: Any, fusion: Mapping[str, Any], flops: list[float], strategies: int, batch: int, workers: int,
             ) -> Price:
    """store: of the recipe that the budget is of (`data.store.Store`);  flops: the budget of each seed."""
    from trivium import models
    from trivium.training import budget

    parts = {s: models.encoder(store.encoders[s], store.specs[s], 0) for s in store.streams}
    network = models.multimodal(parts, store.task, fusion, 0)

    def loss(samples: int) -> Any:
        example = budget.example(store.specs, store.task, samples)
        return network(example.inputs, example.present).square().sum()

    per_sample = budget.counted(lambda: loss(budget.PROBE), module=network)
    started = 0.0
    for step in range(STEPS + 1):
        if step == 1:
            started = time.perf_counter()
        loss(batch).backward()
    speed = per_sample * batch * STEPS / (time.perf_counter() - started)
    mean = sum(flops) / len(flops)
    return Price(strategies * sum(flops) / speed / workers, speed, mean, strategies, len(flops), workers)


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
