"""The learning curves of pretraining: every modality alone, before they meet."""

from __future__ import annotations

from typing import Any

from trivium.drawing import numbers
from trivium.drawing.charts import Line, lines, swatch
from trivium.drawing.looks import HUES, SHAPES, Look
from trivium.drawing.markup import Html, h, join
from trivium.report.inputs import Inputs
from trivium.report.parts import figure, grid, lead, note
from trivium.report.sections.learning import mean_line

NUMBER = 1000  # of the first modality's look, apart from those of strategies


def body(inputs: Inputs) -> Html | None:
    units = {m: inputs.json(f"models/pretrain/{m}/training.json").get("units") or [] for m in inputs.modalities}
    recipes = sorted({unit["recipe"] for found in units.values() for unit in found})
    pictures = [picture for recipe in recipes if (picture := _recipe(inputs, recipe, units))]
    if not pictures:
        return None
    marks = [h("span", swatch(_look(inputs, m)), h("span", m), class_="strategy") for m in inputs.modalities]
    return join(
        [
            lead("What pretraining made of each modality by itself; a recipe is a way to pretrain."),
            h("div", marks, class_="legend"),
            grid(pictures),
            note(
                "Mean over seeds; the band spans the worst and the best seed. Losses without labels are in a unit "
                "of their own for each modality: only their course can be compared."
            ),
        ]
    )


def _recipe(inputs: Inputs, recipe: str, units: dict[str, list[dict[str, Any]]]) -> Html | None:
    chosen = {m: [unit for unit in found if unit["recipe"] == recipe] for m, found in units.items()}
    histories = {m: [unit["history"] for unit in found] for m, found in chosen.items()}
    labelled = any("accuracy" in (unit.get("validation") or {}) for found in chosen.values() for unit in found)
    key, label = ("val_accuracy", "validation accuracy") if labelled else ("val_nll", "validation loss")
    text = numbers.percent if labelled else numbers.decimal
    found = [mean_line(m, _look(inputs, m), histories[m], key, text) for m in inputs.modalities]
    series: list[Line] = [line for line in found if line]
    if not series:
        return None
    says = f"{label} of each modality alone with the recipe {recipe}"
    return figure(
        lines(series, "training compute", "FLOP", label, lambda v: text(v, 0 if labelled else 2), says), title=recipe
    )


def _look(inputs: Inputs, modality: str) -> Look:
    place = inputs.modalities.index(modality)
    return Look(NUMBER + place, place % HUES, place % SHAPES)
