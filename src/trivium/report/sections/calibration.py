"""Reliability: among answers given with 80 % confidence, are 80 % right?"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from trivium.drawing import numbers
from trivium.drawing.charts import reliability
from trivium.report.inputs import Inputs
from trivium.report.parts import Name, name

BINS = 10
LEAST = 10  # samples of a bin that is drawn


@dataclass(frozen=True)
class Diagram:
    """Of one strategy; `ece`: in percent, empty where it is not known."""

    name: Name
    picture: Markup
    ece: str


@dataclass(frozen=True)
class Context:
    """`off`: how far the strategy `shown` is off, in points; empty where that is not known."""

    shown: str
    off: str
    diagrams: list[Diagram]


def context(inputs: Inputs) -> Context | None:
    answers = inputs.answers
    if answers is None:
        return None
    entries = inputs.comparison.get("strategies", {})
    errors = {s: value for s in answers.confidence if (value := (entries[s].get("ece") or {}).get("mean")) is not None}
    diagrams = []
    for strategy, confidence in answers.confidence.items():
        found = bins(confidence, answers.right(strategy))
        ece = numbers.percent(errors[strategy]) if strategy in errors else ""
        says = f"{inputs.titles[strategy]}: confidence against the share that was right" + (ece and f"; ECE {ece}")
        picture = reliability(found, inputs.looks[strategy], says)
        diagrams.append(Diagram(name(inputs, strategy), picture, ece))
    off = f"{100 * errors[inputs.shown]:.1f}" if inputs.shown in errors else ""
    return Context(inputs.titles.get(inputs.shown, ""), off, diagrams)


def bins(confidence, right) -> list[tuple[float, float, float]]:  # type: ignore[no-untyped-def]
    """(mean confidence, share right, share of the samples) of equally wide bins that are not empty; arrays [N]."""
    import numpy as np

    index = np.minimum((confidence * BINS).astype(int), BINS - 1)
    found = []
    for number in range(BINS):
        chosen = index == number
        if chosen.sum() >= LEAST:
            found.append(
                (float(confidence[chosen].mean(dtype=np.float64)), float(right[chosen].mean()), float(chosen.mean()))
            )
    return found
