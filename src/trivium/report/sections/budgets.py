"""What less or more compute, or fewer labels, gives: comparisons of their own, beside the present one."""

from __future__ import annotations

from typing import Any

from trivium.drawing import numbers
from trivium.drawing.charts import lines
from trivium.drawing.markup import Html, breakable, h, join
from trivium.report.inputs import Inputs
from trivium.report.parts import Cell, curve, figure, grid, lead, legend, note, table
from trivium.report.sections.cost import ceiling


def body(inputs: Inputs) -> Html | None:
    found = inputs.curves
    if not found:
        return None
    said = " ".join(found[kind]["sentence"] for kind in ("compute", "labels"))
    return join(
        [
            lead(breakable(said.strip() or "What less and more compute, and fewer labels, give.")),
            legend(inputs, inputs.order),
            grid([_picture(inputs, "compute"), _picture(inputs, "labels")]),
            _verdicts(found),
            note(
                "Each marker is a mean over seeds of models that were trained for it, the band its interval; compute "
                "and labels are on logarithmic axes. The compute of a strategy includes its recipe. With fewer "
                "labels the compute stays the same, and the other training samples serve self-supervision alone. ",
                h("code", "trivium curves"),
                " makes these comparisons.",
            ),
        ]
    )


def _picture(inputs: Inputs, kind: str) -> Html:
    points = inputs.curves[kind]["points"]
    steps = {strategy: [_step(point, strategy, kind) for point in points if strategy in point["strategies"]]
             for strategy in inputs.order}  # what the budget of a point does not pay for is not there
    unit, label = ("FLOP", "training compute") if kind == "compute" else ("", "labelled training samples")
    series = [curve(inputs, strategy, steps[strategy], "at", unit) for strategy in reversed(inputs.order)]
    ticks = [numbers.mean(_step(point, s, kind)["at"] for s in inputs.order if s in point["strategies"]) or 1.0
             for point in points]
    chart = lines(
        series,
        label,
        unit,
        "test accuracy",
        numbers.tick,
        f"Test accuracy against {label}",
        marks=ceiling(inputs, [value for line in series for value in line.ys]),
        x_ticks=ticks,
        most=1,
    )
    return figure(chart, title=label.capitalize())


def _step(point: dict[str, Any], strategy: str, kind: str) -> dict[str, Any]:
    entry = point["strategies"][strategy]
    return {"at": entry["flops"] if kind == "compute" else point["labels"], "accuracy": entry["accuracy"]}


def _verdicts(found: dict[str, Any]) -> Html:
    rows = [
        [Cell(point["words"], head=True), Cell(breakable(point["verdict"]["sentence"]))]
        for kind in ("compute", "labels")
        for point in found[kind]["points"]
        if kind == "compute" or point["share"] != 1  # the present comparison is told once
    ]
    return table(["trained with", "the verdict there"], rows, "The verdict at every budget")
