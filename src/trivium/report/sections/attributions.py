"""What single answers rest on, in pictures, with the check whether the pictures can be believed.

Reads `attribution` of the seeds (see trivium.evaluation.attribution and pictures).
"""

from __future__ import annotations

from typing import Any

from trivium.report import numbers
from trivium.report.inputs import Inputs
from trivium.report.markup import Html, h, join
from trivium.report.parts import Cell, figure, lead, name, table

WIDTH = 920  # pixels
REASONS = {"confident": "a confident right answer", "wrong": "a confident mistake", "same": "the same sample for all"}


def body(inputs: Inputs) -> Html | None:
    own = [card for item in _samples(inputs, inputs.recommended) if (card := _card(inputs, inputs.recommended, item))]
    others = [
        card
        for strategy in inputs.order
        for item in _samples(inputs, strategy)[-1:]
        if strategy != inputs.recommended and item.get("why") == "same" and (card := _card(inputs, strategy, item))
    ]
    if not own and not others:
        return None
    fold = [h("summary", f"What the others make of one sample ({len(others)})"), h("div", others, class_="cards one")]
    return join(
        [
            lead(
                f"What answers of {inputs.recommended} rest on: orange spoke for the answer, violet against it "
                "(integrated gradients)."
            ),
            h("div", own, class_="cards one"),
            h("details", fold) if others else None,
            _deletion(inputs),
        ]
    )


def _samples(inputs: Inputs, strategy: str) -> list[dict[str, Any]]:
    """Of the first seed: the one with pictures."""
    found = inputs.analyses(strategy, "attribution")
    return found[0].get("samples") or [] if found else []


def _card(inputs: Inputs, strategy: str, item: dict[str, Any]) -> Html | None:
    if not item.get("picture"):
        return None
    path = inputs.root / "reports/evaluate" / strategy / item["picture"]
    picture = inputs.media.image(str(path.absolute()), WIDTH)
    if picture is None:
        return None
    right = item["label"] == item["prediction"]
    said = f"{item['prediction']} with {numbers.percent(item['probability'], 0)}"
    return h(
        "article",
        h("p", "Answer ", h("b", said), " (right)" if right else f" (wrong: it is {item['label']})", class_="truth"),
        h("p", name(inputs, strategy)),
        h("img", src=picture, alt=f"What the answer {said} to sample {item['sample']} rests on", class_="wide"),
        h("p", f"Sample {item['sample']}: {REASONS.get(item.get('why', ''), item.get('why', ''))}", class_="note"),
        class_="card",
    )


def _deletion(inputs: Inputs) -> Html | None:
    rows = []
    for strategy in inputs.order:
        seeds = [seed.get("deletion") or {} for seed in inputs.analyses(strategy, "attribution")]
        row = [Cell(name(inputs, strategy), strategy, head=True)]
        for modality in inputs.modalities:
            known = [seed[modality] for seed in seeds if modality in seed]
            area, chance = (numbers.mean(seed.get(kind) for seed in known) for kind in ("area", "random"))
            text = f"{numbers.decimal(area, 2)} / {numbers.decimal(chance, 2)}" if area is not None else numbers.NONE
            row.append(Cell(text, area, classes="number"))
        if seeds:
            rows.append(row)
    if not rows:
        return None
    caption = (
        "Mean probability of the answer while more and more of the input is taken away: what spoke most for it first / "
        "in random order. Where the first is not the smaller one, the pictures should not be believed."
    )
    content = table(["strategy", *inputs.modalities], rows, "Deletion", sort=True)
    return figure(content, caption, "Can the pictures be believed")
