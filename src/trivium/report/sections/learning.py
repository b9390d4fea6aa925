"""Learning curves on the validation split, against the compute that was spent."""

from __future__ import annotations

from collections.abc import Sequence
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
from trivium.training.records import Evaluation, Seed, Step

LOSS = nats("nll", "validation loss")
MOST = 80  # evaluations that are drawn per curve
NAMED = 8  # rows of a step


@dataclass(frozen=True)
class Context:
    """bad: a sentence for each strategy or recipe that skipped steps."""

    legend: list[Switch]
    pictures: list[Figure]
    bad: list[str]


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
    return Context(legend(inputs, [s for s in inputs.order if s in inputs.training]), pictures, _bad(inputs))


def _bad(inputs: Inputs) -> list[str]:
    found: list[tuple[str, list[tuple[str, Sequence[Evaluation]]]]] = [
        (inputs.titles[s], [(f"seed {seed.seed}", _own(inputs, seed)) for seed in inputs.trained(s)])
        for s in inputs.order]
    found += [(f"The recipe {recipe}", [(f"{' and '.join(unit.streams)}, seed {unit.seed}", unit.history)
                                        for unit in units]) for recipe, units in inputs.recipes.items()]
    return [said for name, histories in found if (said := bad_steps(name, histories))]


def bad_steps(name: str, histories: Sequence[tuple[str, Sequence[Evaluation]]]) -> str:
    """How many steps were skipped, and the first of them; empty where none was. histories: each with its seed."""
    found = [(where, row) for where, history in histories for row in history if row.bad]
    if not found:
        return ""
    where, row = found[0]
    assert row.bad is not None
    phase = f" of {row.phase}" if isinstance(row, Step) else ""
    rows = ", ".join(row.bad.rows[:NAMED]) + (f" and {others} others" if (others := len(row.bad.rows) - NAMED) > 0
                                              else "")
    count = sum(one.bad.count for _, one in found if one.bad)
    return (f"{name} skipped {numbers.plural(count, 'step')} with nothing to learn from. The first one was step "
            f"{numbers.whole(row.bad.step)}{phase} ({where}): {row.bad.what}. Its rows: {rows}.")


def _picture(inputs: Inputs, key: str, final: str, label: str, metric: Metric) -> Figure | None:
    text = partial(said, metric)
    series = [line for s in reversed(inputs.order) if (line := _line(inputs, s, key, text))]
    points = [point for s in inputs.order if (point := _point(inputs, s, final, text))]
    if not series:
        return None
    says = f"{label.split(',')[0]} of {len(series)} strategies against training compute"
    return Figure(lines(series, "training compute", "FLOP", label, tick(metric), says, points, most=metric.highest))


def _line(inputs: Inputs, strategy: str, key: str, text: Any) -> Line | None:
    histories = [_own(inputs, seed) for seed in inputs.trained(strategy)]
    return mean_line(inputs.titles[strategy], inputs.looks[strategy], histories, key, text)


def mean_line(name: str, look: Look, histories: Sequence[Sequence[Evaluation]], key: str, text: Any) -> Line | None:
    """The mean over seeds of `key` at every evaluation, as far as all seeds go; None without two of them."""
    length = min((len(history) for history in histories), default=0)
    if length < 2:
        return None
    every = -(-length // MOST)
    kept = sorted({*range(0, length, every), length - 1})
    columns = [[history[index] for history in histories] for index in kept]
    values = [[getattr(step, key) for step in column] for column in columns]
    ys = [sum(column) / len(column) for column in values]
    xs = [sum(step.flops for step in column) / len(column) for column in columns]
    band = [(min(column), max(column)) for column in values]
    phases = [f" ({first.phase})" if isinstance(first := column[0], Step) else "" for column in columns]
    tips = [f"{name}: {text(y)} after {numbers.flops(x)}{phase}" for x, y, phase in zip(xs, ys, phases, strict=True)]
    return Line(name, look, xs, ys, band, tips)


def _own(inputs: Inputs, seed: Seed) -> list[Step]:
    """The history of a seed, less that of its components (their phases are named after streams)."""
    return [step for step in seed.history if step.phase not in inputs.streams]


def _point(inputs: Inputs, strategy: str, key: str, text: Any) -> Point | None:
    """Where a strategy without a history of its own ended."""
    seeds = inputs.trained(strategy)
    if any(_own(inputs, seed) for seed in seeds):
        return None
    y = numbers.mean(getattr(seed.validation, key) for seed in seeds)
    x = numbers.mean(seed.flops.total for seed in seeds)
    if x is None or y is None:
        return None
    title = inputs.titles[strategy]
    return Point(title, inputs.looks[strategy], x, y, y, y, f"{title}: {text(y)} after {numbers.flops(x)}")
