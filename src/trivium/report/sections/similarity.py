"""How alike the strategies are: in what they get wrong, and in what their encoders see.

Errors in common are counted from the test predictions; the rest is `similarity` of the comparison.
"""

from __future__ import annotations

from dataclasses import dataclass

from trivium.comparison.similarity import ERRORS, Ensemble, joint_errors
from trivium.drawing import numbers
from trivium.report.inputs import Inputs
from trivium.report.measures import capital, said, unit
from trivium.report.parts import Cell, Figure, Table, breakable, name

Matrix = list[list[float | None]]
SHOWN = 4  # maps that are seen at once; the rest folds away


@dataclass(frozen=True)
class Context:
    """`together`: what the best ensemble of two reaches; `sentence` and it may be empty."""

    sentence: str
    together: str
    shown: list[Figure]
    rest: list[Figure]


def context(inputs: Inputs) -> Context | None:
    found = inputs.comparison.similarity
    maps = [_heat(inputs, capital(one.title), one.names, one.values, one.caption, 0.0, 1.0)
            for one in (found.maps if found else [])]
    pictures = [picture for picture in (_errors(inputs), *maps) if picture]
    if not pictures:
        return None
    together = _ensemble(inputs, found.ensemble) if found and found.ensemble else ""
    return Context(found.sentence if found else "", together, pictures[:SHOWN], pictures[SHOWN:])


def _errors(inputs: Inputs) -> Figure | None:
    answers = inputs.answers
    if answers is None or len(answers.told) < 2 or not answers.task.categorical:
        return None
    names = list(answers.told)
    wrong = {a: ~answers.right(a) for a in names}
    values: Matrix = [[joint_errors(wrong[a], wrong[b]) if a != b else None for b in names] for a in names]
    known = [value for row in values for value in row if value is not None]
    if not known:
        return None
    caption = (
        "How many times as often two strategies fail on the same sample as they would if their errors were "
        f"independent. 1 is independent; empty where one of the two made fewer than {ERRORS} errors."
    )
    return _heat(inputs, "Errors in common", names, values, caption, min(1.0, min(known)), max(known), 1)


def _heat(
    inputs: Inputs, title: str, names: list[str], values: Matrix, caption: str, low: float, high: float, digits: int = 2
) -> Figure:
    """A square table; strategies stand above its columns as their markers, to keep it narrow."""
    if set(names) <= set(inputs.order):
        places = sorted(range(len(names)), key=lambda place: inputs.order.index(names[place]))
        names, values = [names[i] for i in places], [[values[i][j] for j in places] for i in places]
    rows = []
    for a, row in zip(names, values, strict=True):
        cells = [Cell(name(inputs, a), head=True)]
        for b, value in zip(names, row, strict=True):
            shade = (value - low) / ((high - low) or 1) if value is not None else None
            text = numbers.decimal(value, digits) if value is not None else ""
            cells.append(Cell(text, tip=" and ".join(inputs.titles.get(one, one) for one in (a, b)), shade=shade))
        rows.append(cells)
    heads = [name(inputs, b) if b in inputs.looks else breakable(b) for b in names]
    return Figure(Table(title, ["", *heads], rows, classes="heat square"), caption, title)


def _ensemble(inputs: Inputs, found: Ensemble) -> str:
    members = " and ".join(f"“{inputs.titles[name]}”" for name in found.members)
    gain, reached = inputs.score.number(found.gain, True), said(inputs.score, found.score.mean)
    if float(gain.replace("−", "-")) == 0:
        return f"The mean of {members} reaches {reached}, as much as the better of them alone."
    return f"The mean of {members} reaches {reached}: {gain} {unit(inputs.score)} on the better of them."
