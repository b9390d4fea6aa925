"""What happens to the accuracy when inputs get worse. (Missing modalities have a section of their own.)

Reads `comparison.json`'s `robustness`; every curve is {strategy: [{"level", "accuracy": {"mean", "low", "high"}}]}:
    {"sentence": "...", "corruption": {modality: curves}, "misalignment": {modality: curves},
     "attacks": {"fgsm": curves, "pgd": curves},
     "summary": {strategy: {modality: {"relative", "effective"}}},
     "domains": {domain: {strategy: {"mean", "low", "high"}}}}
"""

from __future__ import annotations

from typing import Any

from trivium.report import numbers
from trivium.report.charts import Line, lines
from trivium.report.inputs import Inputs
from trivium.report.markup import Html, join
from trivium.report.parts import Cell, figure, grid, lead, legend, name, note, sentence, table

KINDS = (
    ("corruption", "corrupted {}", "share of {} that is noise"),
    ("misalignment", "misaligned {}", "share of samples whose {} is somebody else's"),
    ("attacks", "attack: {}", "size of the change ({})"),
)


def body(inputs: Inputs) -> Html | None:
    found = inputs.comparison.get("robustness") or {}
    pictures = [
        picture
        for kind, title, axis in KINDS
        for key in sorted(found.get(kind) or {})
        if (picture := _curves(inputs, found[kind][key], title.format(key), axis.format(key)))
    ]
    tables = [
        part
        for part in (_summary(inputs, found.get("summary") or {}), _domains(inputs, found.get("domains") or {}))
        if part
    ]
    if not pictures and not tables:
        return None
    said = sentence(str(found.get("sentence") or "Accuracy as the inputs get worse, from clean on the left"))
    return join(
        [lead(said), legend(inputs, inputs.order) if pictures else None, grid(pictures) if pictures else None, tables]
    )


def _curves(inputs: Inputs, curves: dict[str, Any], title: str, axis: str) -> Html | None:
    series = []
    for strategy in reversed(inputs.order):
        steps = sorted(curves.get(strategy) or [], key=lambda step: step["level"])
        if steps:
            ys = [step["accuracy"]["mean"] for step in steps]
            band = [(s["accuracy"].get("low", y), s["accuracy"].get("high", y)) for s, y in zip(steps, ys, strict=True)]
            tips = [f"{strategy}: {numbers.percent(y)} at {step['level']:g}" for step, y in zip(steps, ys, strict=True)]
            series.append(Line(strategy, inputs.looks[strategy], [step["level"] for step in steps], ys, band, tips))
    if not series:
        return None
    return figure(
        lines(series, axis, "", "test accuracy", lambda v: numbers.percent(v, 0), f"Test accuracy against {axis}"),
        title=title.capitalize(),
    )


def _summary(inputs: Inputs, values: dict[str, Any]) -> Html | None:
    modalities = sorted({modality for found in values.values() for modality in found})
    rows = [
        [Cell(name(inputs, s), s, head=True)]
        + [
            Cell(numbers.decimal(v := values[s].get(m, {}).get(kind), 2), v, classes="number")
            for m in modalities
            for kind in ("relative", "effective")
        ]
        for s in inputs.order
        if s in values
    ]
    if not rows:
        return None
    columns = ["strategy", *(f"{m}, {kind}" for m in modalities for kind in ("relative", "effective"))]
    return figure(
        table(columns, rows, "Robustness in numbers", sort=True),
        "Relative: area under the curve. Effective: the same, beyond what late fusion of the same accuracy keeps.",
    )


def _domains(inputs: Inputs, values: dict[str, Any]) -> Html | None:
    domains = sorted(values)
    rows = [
        [Cell(name(inputs, s), s, head=True)]
        + [Cell(numbers.percent(v := (values[d].get(s) or {}).get("mean")), v, classes="number") for d in domains]
        for s in inputs.order
    ]
    return (
        join(
            [
                table(["strategy", *domains], rows, "Accuracy per held-out domain", sort=True),
                note("Test accuracy on domains that training never saw."),
            ]
        )
        if domains
        else None
    )
