"""What strategies cost: FLOPs and parameters as they were counted, seconds as they were measured."""

from __future__ import annotations

from trivium.drawing import numbers
from trivium.report.inputs import Inputs


def seconds(inputs: Inputs) -> dict[str, float]:
    """Measured training seconds per strategy and seed; those of the recipe that it starts from are added."""
    found = {}
    for strategy in inputs.order:
        own = numbers.mean((inputs.measured.get(f"train@{strategy}") or {}).get("seeds") or [])
        if own is not None:
            found[strategy] = own + _recipe(inputs, str(inputs.training.get(strategy, {}).get("start")))
    return found


def _recipe(inputs: Inputs, recipe: str) -> float:
    """Seconds that a recipe took per seed, all streams together. What is the same for all seeds counts in full."""
    units = inputs.recipes.get(recipe) or []
    spent = (inputs.measured.get(f"pretrain@{recipe}") or {}).get("units") or []
    seeds = len({unit.get("seed") for unit in units} - {None}) or 1
    return sum(time / (1 if unit.get("seed") is None else seeds) for unit, time in zip(units, spent, strict=False))


def latency(inputs: Inputs) -> dict[str, float]:
    """Measured milliseconds of one answer, median, per strategy."""
    found = {s: (inputs.measured.get(f"evaluate@{s}") or {}).get("inference") or {} for s in inputs.order}
    known = {s: values.get("latency_p50_seconds") for s, values in found.items()}
    return {s: 1000 * value for s, value in known.items() if numbers.known(value)}
