"""Learning curves on the validation split, against the compute that was spent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from trivium.drawing import numbers
from trivium.drawing.charts import Line, Point, lines
from trivium.drawing.looks import Look
from trivium.report.inputs import Inputs
from trivium.report.measures import axis, said, tick
from trivium.report.parts import Figure, Switch, legend
from trivium.tasks.metric import Metric, nats

LOSS = nats("nll", "validation loss")
MOST = 80  # evaluations that are drawn per curve


@dataclass(frozen=True)
class Context:
    legend: list[Switch]
    pictures: list[Figure]


def context(inputs: Inputs) -> Context | None:
    pictures = [
        picture
        for picture in (
            _picture(inputs, "val_nll", "nll", "validation loss (NLL), nats", LOSS),
            _picture(inputs, "val_score", "score", axis(inputs.score, "validation"), inputs.score),
        )
        if picture
    ]
    if not pictures:
        return None
    return Context(legend(inputs, [s for s in inputs.order if inputs.training.get(s)]), pictures)


def _picture(inputs: Inputs, key: str, final: str, label: str, metric: Metric) -> Figure | None:
    text = partial(said, metric)
    series = [line for s in reversed(inputs.order) if (line := _line(inputs, s, key, text))]
    points = [point for s in inputs.order if (point := _point(inputs, s, final, text))]
    if not series:
        return None
    says = f"{label.split(',')[0]} of {len(series)} strategies against training compute"
    return Figure(lines(series, "training compute", "FLOP", label, tick(metric), says, points, most=metric.highest))


def _line(inputs: Inputs, strategy: str, key: str, text: Any) -> Line | None:
    seeds = inputs.training.get(strategy, {}).get("seeds") or []
    return mean_line(inputs.titles[strategy], inputs.looks[strategy], [_own(inputs, seed) for seed in seeds], key, text)


def mean_line(name: str, look: Look, histories: list[list[dict[str, Any]]], key: str, text: Any) -> Line | None:
    """The mean over seeds of `key` at every evaluation, as far as all seeds go; None without two of them."""
    histories = [
        [step for step in history if numbers.known(step.get(key)) and numbers.known(step.get("flops"))]
        for history in histories
    ]
    length = min((len(history) for history in histories), default=0)
    if length < 2:
        return None
    every = -(-length // MOST)
    kept = sorted({*range(0, length, every), length - 1})
    columns = [[history[index] for history in histories] for index in kept]
    ys = [sum(step[key] for step in column) / len(column) for column in columns]
    xs = [sum(step["flops"] for step in column) / len(column) for column in columns]
    band = [(min(step[key] for step in column), max(step[key] for step in column)) for column in columns]
    phases = [f" ({column[0]['phase']})" if column[0].get("phase") else "" for column in columns]
    tips = [f"{name}: {text(y)} after {numbers.flops(x)}{phase}" for x, y, phase in zip(xs, ys, phases, strict=True)]
    return Line(name, look, xs, ys, band, tips)


def _own(inputs: Inputs, seed: dict[str, Any]) -> list[dict[str, Any]]:
    """The history of a seed, less that of its components (their phases are named after streams)."""
    return [step for step in seed.get("history") or [] if step.get("phase") not in inputs.streams]


def _point(inputs: Inputs, strategy: str, key: str, text: Any) -> Point | None:
    """Where a strategy without a history of its own ended."""
    seeds = inputs.training.get(strategy, {}).get("seeds") or []
    if any(_own(inputs, seed) for seed in seeds):
        return None
    y = numbers.mean((seed.get("validation") or {}).get(key) for seed in seeds)
    x = numbers.mean((seed.get("flops") or {}).get("total") for seed in seeds)
    if x is None or y is None:
        return None
    title = inputs.titles[strategy]
    return Point(title, inputs.looks[strategy], x, y, y, y, f"{title}: {text(y)} after {numbers.flops(x)}")
