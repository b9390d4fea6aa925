"""What the weighed mean of all strategies' answers reaches, and who is in it. Reads `together` of the comparison."""

from __future__ import annotations

from dataclasses import dataclass

from trivium.comparison.together import NAME, Together
from trivium.comparison.verdict import listed
from trivium.drawing import numbers
from trivium.drawing.charts import bar
from trivium.report.inputs import Inputs
from trivium.report.measures import said, span
from trivium.report.parts import Cell, Figure, Name, Table, name


@dataclass(frozen=True)
class Context:
    """`command`: that predicts with it."""

    lead: str
    weights: Figure
    metrics: Figure
    command: str


def context(inputs: Inputs) -> Context | None:
    found = inputs.comparison.together
    if found is None:
        return None
    return Context(found.sentence, _weights(inputs, found), _metrics(inputs, found), f"trivium predict {NAME}")


def _weights(inputs: Inputs, found: Together) -> Figure:
    rows = [[Cell(name(inputs, strategy), strategy, head=True),
             Cell(numbers.percent(weight, 0), weight, classes="number", bar=bar(weight))]
            for strategy, weight in sorted(found.weights.items(), key=lambda one: -one[1]) if weight]
    left = [f"“{inputs.titles[strategy]}”" for strategy, weight in found.weights.items() if not weight]
    caption = ("Share of each strategy in the mean of answers, mean over seeds. Each seed chose on its own validation "
               "samples: again and again, it added the strategy that lowered the validation NLL most."
               + (f" No seed took {listed(left)}." if left else ""))
    return Figure(Table("Whose answers count", ["strategy", "weight"], rows, sort=True), caption, "Whose answers count")


def _metrics(inputs: Inputs, found: Together) -> Figure:
    against = inputs.comparison.strategies[found.against].metrics
    rows = [[Cell(metric.words, head=True), *(
        Cell(said(metric, one.mean), one.mean, classes="number", quiet=f"({span(metric, one.low, one.high)})")
        for one in (found.metrics[key], against[key]))]
        for key, metric in inputs.metrics.items() if key in found.metrics]
    head: list[str | Name] = ["metric", "together", name(inputs, found.against)]
    return Figure(Table("What they reach together", head, rows), "On the test samples, mean over seeds with intervals.",
                  "What they reach together", wide=True)
