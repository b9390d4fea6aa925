"""What less or more compute, or fewer labels, would give.

Reads `comparison.json`'s `budgets`, when it is there:
    compute   {strategy: [{"flops", "accuracy": {"mean", "low", "high"}}, ...]}
    labels    {strategy: [{"labels": samples, "accuracy": {...}}, ...]}
    sentence  in words; optional
"""

from __future__ import annotations

from typing import Any

from trivium.report import numbers
from trivium.report.charts import lines
from trivium.report.inputs import Inputs
from trivium.report.markup import Html, join
from trivium.report.parts import curve, figure, grid, lead, legend, note, sentence
from trivium.report.sections.cost import ceiling

KINDS = (("compute", "flops", "training compute", "FLOP"), ("labels", "labels", "labelled training samples", ""))


def body(inputs: Inputs) -> Html | None:
    found = inputs.comparison.get("budgets") or {}
    pictures = [
        picture
        for kind, key, label, unit in KINDS
        if (picture := _picture(inputs, found.get(kind) or {}, key, label, unit))
    ]
    if not pictures:
        return None
    said = found.get("sentence") or "A short budget can hide what a longer one would show, and the other way round"
    return join(
        [
            lead(sentence(str(said))),
            legend(inputs, inputs.order),
            grid(pictures),
            note("Each marker is a training of its own; the band is its interval."),
        ]
    )


def _picture(inputs: Inputs, curves: dict[str, Any], key: str, label: str, unit: str) -> Html | None:
    series = [
        curve(inputs, strategy, sorted(curves[strategy], key=lambda step: step[key]), key, unit)
        for strategy in reversed(inputs.order)
        if curves.get(strategy)
    ]
    if not series:
        return None
    marks = ceiling(inputs, [value for line in series for value in line.ys])
    says = f"Test accuracy against {label}"
    chart = lines(series, label, unit, "test accuracy", lambda v: numbers.percent(v, 0), says, marks=marks)
    return figure(chart, title=label.capitalize())
