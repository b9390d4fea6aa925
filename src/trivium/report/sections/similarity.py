"""How alike the strategies are: in what their encoders see, and in what they get wrong.

Reads `comparison.json`'s `similarity`:
    {"sentence": "...", "maps": [{"title", "names": [...], "values": [[0-1]], "caption"}],
     "ensemble": {"members": [names], "accuracy": {"mean", "low", "high"}, "gain": points as a share}}
Joint errors are counted here from the test predictions.
"""

from __future__ import annotations

from typing import Any

from trivium.report import numbers
from trivium.report.charts import swatch
from trivium.report.inputs import Inputs
from trivium.report.markup import Html, breakable, h, join
from trivium.report.parts import Cell, figure, grid, lead, name, sentence, table


def body(inputs: Inputs) -> Html | None:
    found = inputs.comparison.get("similarity") or {}
    pictures = [
        picture
        for picture in [_joint_errors(inputs), *(_map(inputs, item) for item in found.get("maps") or [])]
        if picture
    ]
    if not pictures:
        return None
    said = str(
        found.get("sentence")
        or "Strategies that fail on the same samples gain little from each other; those that fail "
        "on different ones would make a good ensemble"
    )
    return join(
        [lead(sentence(said)), lead(_ensemble(found["ensemble"])) if found.get("ensemble") else None, grid(pictures)]
    )


def _map(inputs: Inputs, item: dict[str, Any]) -> Html:
    return _heat(inputs, item.get("title", ""), item["names"], item["values"], item.get("caption", ""), 0.0, 1.0)


def _joint_errors(inputs: Inputs) -> Html | None:
    """Rate of errors that two strategies make together, over what independent errors of the same rates would give."""
    names = [strategy for strategy in inputs.answers if len(inputs.answers[strategy])]
    if len(names) < 2:
        return None
    wrong = {a: (inputs.answers[a]["y"] != inputs.answers[a]["prediction"]).to_numpy() for a in names}
    values: list[list[float | None]] = []
    for a in names:
        row: list[float | None] = []
        for b in names:
            expected = wrong[a].mean() * wrong[b].mean()
            row.append(float((wrong[a] & wrong[b]).mean() / expected) if a != b and expected > 0 else None)
        values.append(row)
    known = [value for row in values for value in row if value is not None]
    if not known:
        return None
    return _heat(
        inputs,
        "Errors in common",
        names,
        values,
        "How many times as often two strategies fail on the same sample as they would if their errors were "
        "independent. 1 is independent.",
        min(1.0, min(known)),
        max(known),
        1,
    )


def _heat(
    inputs: Inputs,
    title: str,
    names: list[str],
    values: list[list[float | None]],
    caption: str,
    low: float,
    high: float,
    digits: int = 2,
) -> Html:
    """A square table; strategies stand above its columns as their markers, to keep it narrow."""
    rows = [
        [Cell(name(inputs, a), head=True)]
        + [
            Cell(
                numbers.decimal(v, digits) if v is not None else "",
                title=f"{a} and {b}",
                shade=(v - low) / ((high - low) or 1) if v is not None else None,
            )
            for b, v in zip(names, row, strict=True)
        ]
        for a, row in zip(names, values, strict=True)
    ]
    heads = [
        [swatch(inputs.looks[b]), h("span", b, class_="unseen")] if b in inputs.looks else breakable(b) for b in names
    ]
    return figure(table(["", *heads], rows, title or "Similarity", classes="heat square"), caption, title or None)


def _ensemble(found: dict[str, Any]) -> str:
    members = " and ".join(found.get("members") or [])
    return (
        f"Together, {members} reach numbers.percent((found.get('accuracy') or {}).get('mean')): "
        f"{numbers.points(found.get('gain'))} points on the better of them."
    )
