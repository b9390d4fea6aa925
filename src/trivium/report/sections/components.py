"""The learning curves of pretraining: every stream alone, before they meet; a recipe may train several together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import inf

from trivium.drawing import numbers
from trivium.drawing.charts import Line, lines, swatch
from trivium.drawing.looks import HUES, SHAPES, Look
from trivium.report.inputs import Inputs
from trivium.report.measures import axis, said, tick
from trivium.report.parts import Figure, Name
from trivium.report.sections.learning import mean_line
from trivium.training.records import Unit

NUMBER = 1000  # of the first group's look, apart from those of strategies


@dataclass(frozen=True)
class Context:
    groups: list[Name]
    pictures: list[Figure]


def context(inputs: Inputs) -> Context | None:
    trained = {recipe: [unit for unit in units if unit.history] for recipe, units in inputs.recipes.items()}
    groups = list(dict.fromkeys(_group(unit) for units in trained.values() for unit in units))
    looks = {group: Look(NUMBER + k, k % HUES, k % SHAPES) for k, group in enumerate(groups)}
    pictures = [made for recipe, units in trained.items() if (made := _recipe(inputs, recipe, units, looks))]
    if not pictures:
        return None
    return Context([Name(group, swatch(look)) for group, look in looks.items()], pictures)


def _group(unit: Unit) -> str:
    """The streams that a unit trains, in words."""
    return " and ".join(unit.streams)


def _recipe(inputs: Inputs, recipe: str, units: list[Unit], looks: dict[str, Look]) -> Figure | None:
    labelled, score = any(unit.validation.score is not None for unit in units), inputs.score
    key, label = ("val_score", axis(score, "validation")) if labelled else ("val_nll", "validation loss")
    text = partial(said, score) if labelled else numbers.decimal
    histories = {group: [unit.history for unit in units if _group(unit) == group] for group in looks}
    found = [mean_line(group, looks[group], of, key, text) for group, of in histories.items() if of]
    series: list[Line] = [line for line in found if line]
    if not series:
        return None
    says = f"{label} of each stream alone with the recipe {recipe}"
    return Figure(
        lines(series, "training compute", "FLOP", label, tick(score) if labelled else numbers.plain, says,
              most=score.highest if labelled else inf), title=recipe
    )
