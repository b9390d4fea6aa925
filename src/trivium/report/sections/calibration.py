"""Reliability: among answers given with 80 % confidence, are 80 % right?"""

from __future__ import annotations

from trivium.drawing import numbers
from trivium.drawing.charts import reliability
from trivium.drawing.markup import Html, h, join
from trivium.report.inputs import Inputs
from trivium.report.parts import lead, name, note

BINS = 10
LEAST = 10  # samples of a bin that is drawn


def body(inputs: Inputs) -> Html | None:
    answers = inputs.answers
    if answers is None:
        return None
    entries = inputs.comparison.get("strategies", {})
    errors = {s: value for s in answers.confidence if (value := (entries[s].get("ece") or {}).get("mean")) is not None}
    figures = []
    for strategy, confidence in answers.confidence.items():
        found = bins(confidence, answers.right(strategy))
        ece = errors.get(strategy)
        says = f"{inputs.titles[strategy]}: confidence against the share that was right" + (
            f"; ECE {numbers.percent(ece)}" if ece is not None else ""
        )
        figures.append(
            h(
                "figure",
                h("h3", name(inputs, strategy)),
                reliability(found, inputs.looks[strategy], says),
                h("figcaption", f"ECE {numbers.percent(ece)}") if ece is not None else None,
            )
        )
    said = "On the dashed line, confidence is exactly as good as its word."
    if inputs.shown in errors:
        said = (
            f"When “{inputs.titles[inputs.shown]}” says how sure it is, it is off by "
            f"{100 * errors[inputs.shown]:.1f} points on average. " + said
        )
    return join(
        [
            lead(said),
            h("div", figures, class_="small-multiples"),
            note(
                "Below the line: too sure of itself; above: too modest. The size of a marker is its share of the "
                "samples. Confidence was scaled on the validation split (temperature)."
            ),
        ]
    )


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
