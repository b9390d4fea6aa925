"""What good answers cost: compute, time and parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trivium.comparison.verdict import SAME_COST, listed
from trivium.drawing import numbers
from trivium.drawing.charts import Mark, Point, scatter
from trivium.report.inputs import Inputs
from trivium.report.measures import axis, said, span, tick
from trivium.report.parts import Figure, Option
from trivium.report.prices import answered, latency, seconds
from trivium.tasks.metric import Metric


@dataclass(frozen=True)
class View:
    """The pictures of one metric, a cost each."""

    metric: str
    pictures: list[Figure]


@dataclass(frozen=True)
class Context:
    """`fronts`: who is on the Pareto fronts, empty where nothing was learned;  `metrics`: to choose from;  `up`: which
    way is better in a picture.
    """

    lead: str
    fronts: str
    metrics: list[Option]
    views: list[View]
    up: str


@dataclass(frozen=True)
class Cost:
    """Per strategy what it takes, None where that is not known; `unit`: see `numbers.axis`."""

    title: str
    unit: str
    values: dict[str, float | None]


def picture(inputs: Inputs) -> Figure | None:
    """The metric that ranks against the first cost that is known."""
    costs, metrics = _costs(inputs), _metrics(inputs)
    if not costs or not metrics:
        return None
    better = "Up" if metrics[0].higher else "Down"
    caption = (f"{better} is better, left is cheaper; equal costs stand side by side. Ringed: nothing is better at no "
               "more cost.")
    return replace(_picture(inputs, metrics[0], costs[0]), caption=caption)


def context(inputs: Inputs) -> Context | None:
    costs, metrics = _costs(inputs), _metrics(inputs)
    if not costs or not metrics:
        return None
    return Context(
        _lead(inputs),
        _fronts(inputs, metrics[0], costs) if inputs.recommended else "",
        [Option(one.key, one.words) for one in metrics],
        [View(one.key, [_picture(inputs, one, cost) for cost in costs]) for one in metrics],
        _ups(metrics),
    )


def _costs(inputs: Inputs) -> list[Cost]:
    """Those that are known of two strategies at least."""
    entries = inputs.comparison.strategies
    costs = [
        Cost("training compute per seed", "FLOP", {s: entries[s].flops for s in inputs.order}),
        Cost("training time per seed", "s", dict(seconds(inputs))),
        Cost("time of one answer", "ms", {} if answered(inputs) else dict(latency(inputs))),
        Cost("parameters", "", {s: entries[s].parameters.total for s in inputs.order}),
    ]
    return [cost for cost in costs if len([value for value in cost.values.values() if value is not None]) > 1]


def _metrics(inputs: Inputs) -> list[Metric]:
    """Those that may rank and are known, the one that does first."""
    may, found = inputs.task.ranks if inputs.task else (), list(inputs.metrics.values())
    return [one for one in found if one.key in may] or found


def _ups(metrics: list[Metric]) -> str:
    """`Up is better (for the negative log-likelihood: down)`."""
    down = [one.words for one in metrics if not one.higher]
    if len(down) == len(metrics):
        return "Down is better"
    return "Up is better" + (f" (for the {listed(down)}: down)" if down else "")


def _fronts(inputs: Inputs, metric: Metric, costs: list[Cost]) -> str:
    """The strategies on each cost's Pareto front, in a sentence; costs with the same front are named together."""
    found: dict[str, list[str]] = {}
    for cost in costs:
        members = listed([f"“{name}”" for name in front(_points(inputs, metric, cost), metric.higher)])
        found.setdefault(members, []).append(cost.title.removesuffix(" per seed"))
    said = "; ".join(f"{members} by {listed(titles)}" for members, titles in found.items())
    return f"On the Pareto front of {metric.words} and cost: {said}."


def _points(inputs: Inputs, metric: Metric, cost: Cost) -> list[Point]:
    """The strategies whose metric and cost are known, best rank first."""
    entries = inputs.comparison.strategies
    text = numbers.seconds if cost.unit == "s" else lambda value: numbers.scaled(value, cost.unit)
    points = []
    for strategy in inputs.order:
        found, spent = entries[strategy].metrics[metric.key], cost.values.get(strategy)
        if spent is None:
            continue
        mean, low, high = found.mean, found.low, found.high
        value = f"{said(metric, mean)} ({span(metric, low, high)})"
        tip = f"{inputs.titles[strategy]}: {metric.words} {value}, {cost.title} {text(spent)}"
        points.append(Point(inputs.titles[strategy], inputs.looks[strategy], spent, mean, low, high, tip))
    return points


def _picture(inputs: Inputs, metric: Metric, cost: Cost) -> Figure:
    points = _points(inputs, metric, cost)
    marks = ceiling(inputs, metric, [v for p in points for v in (p.low, p.high)])
    best = max if metric.higher else min
    top = best(points, key=lambda point: point.y)
    label = f"{metric.words} against {cost.title}; {top.name} is best with {said(metric, top.y)}"
    return Figure(scatter(points, cost.title, cost.unit, axis(metric), tick(metric), label,
                          front(points, metric.higher), marks, most=metric.highest))


def front(points: list[Point], higher: bool = True) -> list[str]:
    """Names on the Pareto front: no other point is about as cheap (SAME_COST) and better, or as good and cheaper."""
    def beats(o: Point, p: Point) -> bool:
        gain = o.y - p.y if higher else p.y - o.y
        return (gain > 0 and o.x <= SAME_COST * p.x) or (gain == 0 and o.x < p.x)

    return [p.name for p in points if not any(beats(o, p) for o in points)]


def ceiling(inputs: Inputs, metric: Metric, values: list[float]) -> list[Mark]:
    """The best possible accuracy, unless it is so far up that the strategies could no longer be told apart."""
    best = inputs.world.bayes["all"] if inputs.world else None
    if metric.words != inputs.score.words or best is None or best - max(values) > max(values) - min(values):
        return []
    return [Mark(best, f"best possible {numbers.percent(best)}")]


def _lead(inputs: Inputs) -> str:
    spent = [value for s in inputs.order if (value := inputs.comparison.strategies[s].flops)]
    if spent and max(spent) <= 1.1 * min(spent):
        return (
            f"Every strategy spent about the same training compute, {numbers.flops(max(spent))}, its recipe "
            f"included; so {inputs.metric.words} can be compared as it is, and time shows what this machine makes of "
            "it."
        )
    if spent:
        least, most = numbers.flops(min(spent)), numbers.flops(max(spent))
        return f"The budget is the same for all; what was spent went from {least} to {most}, recipes included."
    return "What each strategy reached, and what it took."
