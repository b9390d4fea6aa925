"""What strategies cost: FLOPs and parameters as they were counted, seconds as they were measured."""

from __future__ import annotations

from trivium.comparison.latency import STAGE
from trivium.drawing import numbers
from trivium.machine.measured import Latency, Measured
from trivium.report.inputs import Inputs


def seconds(inputs: Inputs) -> dict[str, float]:
    """Measured training seconds per strategy and seed; those of the recipe that it starts from are added."""
    found = {}
    for strategy in inputs.order:
        own = numbers.mean(inputs.measured.get(f"train@{strategy}", Measured()).seeds)
        if own is not None:
            trained = inputs.training.get(strategy)
            found[strategy] = own + (_recipe(inputs, trained.start) if trained else 0.0)
    return found


def _recipe(inputs: Inputs, recipe: str) -> float:
    """Seconds that a recipe took per seed, all streams together. What is the same for all seeds counts in full."""
    units, spent = inputs.recipes[recipe], inputs.measured.get(f"pretrain@{recipe}", Measured()).units
    seeds = len({unit.seed for unit in units} - {None}) or 1
    return sum(time / (1 if unit.seed is None else seeds) for unit, time in zip(units, spent, strict=False))


def answered(inputs: Inputs) -> dict[str, Latency]:
    """What was measured of each exported model; empty where the stage `latency` is off, or ran elsewhere."""
    return inputs.measured.get(STAGE, Measured()).latency


def latency(inputs: Inputs) -> dict[str, float]:
    """Measured milliseconds of one answer of the trained model, median, per strategy."""
    found = {s: inputs.measured.get(f"evaluate@{s}", Measured()).inference for s in inputs.order}
    return {s: 1000 * inference.latency_p50_seconds for s, inference in found.items() if inference}
