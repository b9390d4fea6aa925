"""What less or more compute, or fewer labels, gives: comparisons of their own, beside the present one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trivium.comparison.budgets import Curves, Point
from trivium.comparison.intervals import Span
from trivium.drawing import numbers
from trivium.drawing.charts import lines
from trivium.report.inputs import Inputs
from trivium.report.measures import axis, cell, heading, tick
from trivium.report.parts import Cell, Figure, Switch, Table, breakable, curve, legend, name
from trivium.report.sections.cost import ceiling
from trivium.tasks.metric import Metric


@dataclass(frozen=True)
class Context:
    sentence: str
    legend: list[Switch]
    pictures: list[Figure]
    verdicts: Table
    metrics: Table | None


def context(inputs: Inputs) -> Context | None:
    found = inputs.curves
    if found is None:
        return None
    said = " ".join(line.sentence for line in found.lines.values()).strip()
    pictures = [_picture(inputs, kind, line.points) for kind, line in found.lines.items()]
    return Context(said, legend(inputs, inputs.order), pictures, _verdicts(found), _metrics(inputs, found))


def _picture(inputs: Inputs, kind: str, points: Sequence[Point]) -> Figure:
    steps = {strategy: [_step(point, strategy, kind) for point in points if strategy in point.strategies]
             for strategy in inputs.order}  # what the budget of a point does not pay for is not there
    unit, label = ("FLOP", "training compute") if kind == "compute" else ("", "labelled training samples")
    metric = inputs.metric
    series = [curve(inputs, strategy, steps[strategy], metric, unit)
              for strategy in reversed(inputs.order)]
    ticks = [numbers.mean(_step(point, s, kind)[0] for s in inputs.order if s in point.strategies) or 1.0
             for point in points]
    chart = lines(
        series,
        label,
        unit,
        axis(metric, "test"),
        tick(metric),
        f"Test {metric.words} against {label}",
        marks=ceiling(inputs, metric, [value for line in series for value in line.ys]),
        x_ticks=ticks,
        most=metric.highest,
    )
    return Figure(chart, title=label.capitalize())


def _step(point: Point, strategy: str, kind: str) -> tuple[float, Span]:
    entry = point.strategies[strategy]
    return entry.flops if kind == "compute" else point.labels, entry.value


def _told(found: Curves) -> list[Point]:
    """Every point, the present comparison once."""
    return [point for kind, line in found.lines.items() for point in line.points
            if kind == "compute" or point.share != 1]


def _verdicts(found: Curves) -> Table:
    rows = [[Cell(point.words, head=True), Cell(breakable(point.verdict.sentence))] for point in _told(found)]
    return Table("The verdict at every budget", ["trained with", "the verdict there"], rows)


def _metrics(inputs: Inputs, found: Curves) -> Table | None:
    """All metrics with their intervals; None where the file holds the one that ranks alone."""
    rows = [[Cell(point.words, head=True), Cell(name(inputs, s), inputs.titles[s]),
             *(_value(metric, reached.metrics.get(key)) for key, metric in inputs.metrics.items())]
            for point in _told(found) for s in inputs.order
            if (reached := point.strategies.get(s)) is not None and reached.metrics]
    columns = ["trained with", "strategy", *(heading(metric) for metric in inputs.metrics.values())]
    return Table("Every metric at every budget", columns, rows, sort=True) if rows else None


def _value(metric: Metric, value: Span | None) -> Cell:
    if value is None:
        return Cell(numbers.NONE)
    ends = f"({metric.number(value.low)} to {metric.number(value.high)})"
    return Cell(cell(metric, value.mean), value.mean, classes="number", quiet=ends)
