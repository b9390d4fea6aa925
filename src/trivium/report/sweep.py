"""`reports/sweep.html`: the page of a sweep, which needs nothing else. It looks like the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trivium.comparison.effects import Combination, Factor, Sweep
from trivium.drawing import numbers
from trivium.drawing.charts import interval
from trivium.drawing.looks import Look
from trivium.drawing.scale import Scale, around
from trivium.machine import files
from trivium.report import html
from trivium.report.measures import heading, said, span, unit
from trivium.report.parts import Cell, Table
from trivium.tasks.metric import Metric

OUT = Path("reports/sweep.html")
PLAIN = Look(0, 0, 0)


@dataclass(frozen=True)
class Shown:
    """A factor: a line for each level, drawn on the scale that all factors share."""

    title: str
    sentence: str
    table: Table


def write(root: Path, found: Sweep) -> Path:
    """Write the page; returns where it is, from `root`."""
    files.write(root / OUT, render(found))
    return OUT


def render(found: Sweep) -> str:
    """The page as text."""
    pieces = [html.Piece(one.title.lower(), one.title, "sweep_factor.html", vars(one)) for one in _factors(found)]
    combinations = {"run": _run(found), "combinations": _combinations(found), "left": _left(found),
                    "unit": unit(found.metric), "sure": numbers.percent(found.confidence, 0)}
    pieces.append(html.Piece("combinations", "All combinations", "sweep_combinations.html", combinations))
    head = {"title": found.title, "lead": found.sentence, "rest": found.rest.sentence}
    return html.page(f"{found.title}, sweep", "", "sweep.html", head, pieces, "To the effects")


def _run(found: Sweep) -> str:
    return (f"{len(found.combinations)} of {numbers.plural(found.grid, 'combination')} were run, at "
            f"{numbers.plural(found.seeds, 'seed')} each, with the budget of the comparison."
            + (f" {found.grid - found.possible} cannot be run." if found.grid > found.possible else ""))


def _factors(found: Sweep) -> list[Shown]:
    ends = [end for factor in found.factors for level in factor.levels for end in (level.effect.low, level.effect.high)]
    scale = around(ends, 8, 172)
    return [Shown(factor.name.capitalize(), factor.sentence, _levels(factor, found.metric, scale))
            for factor in found.factors if len(factor.levels) > 1]


def _levels(factor: Factor, metric: Metric, scale: Scale) -> Table:
    rows = []
    for level in factor.levels:
        mean, low, high = level.effect.mean, level.effect.low, level.effect.high
        told = f"{metric.number(low, True)} to {metric.number(high, True)}"
        tip = f"{level.name}: {metric.number(mean, True)} {unit(metric)}, interval {told}"
        rows.append([Cell(level.name, head=True),
                     Cell(metric.number(mean, True), mean, classes="number strong", quiet=told),
                     Cell(classes="wide", bar=interval(mean, low, high, [], scale, PLAIN, tip)),
                     Cell(str(level.runs), level.runs, classes="number")])
    columns = [factor.name, f"against the mean, {unit(metric)}", "drawn", "combinations"]
    return Table(f"Effects of the {factor.name}", columns, rows)


def _combinations(found: Sweep) -> Table:
    """All that were run, best first."""
    metric, names = found.metric, list(found.combinations[0].levels)
    columns = [*names, heading(metric), "sum of effects", "compute"]
    return Table("All combinations", columns, [_row(one, names, metric) for one in found.combinations], sort=True)


def _row(one: Combination, names: Sequence[str], metric: Metric) -> list[Cell]:
    value, reach = one.value, span(metric, one.value.low, one.value.high)
    return [*(Cell(one.levels[name], one.levels[name], head=name == names[0]) for name in names),
            Cell(said(metric, value.mean), value.mean, classes="number strong", quiet=reach),
            Cell(said(metric, one.sum), one.sum, classes="number"),
            Cell(numbers.flops(one.flops), one.flops, classes="number")]


def _left(found: Sweep) -> Table | None:
    if not found.left:
        return None
    names = list(found.left[0].levels)
    rows = [[*(Cell(one.levels[name], head=name == names[0]) for name in names), Cell(one.reason)]
            for one in found.left]
    return Table("Combinations that were not run", [*names, "why not"], rows)
