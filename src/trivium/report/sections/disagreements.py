"""Test samples on which the strategies part ways, with what a person would see, read and hear."""

from __future__ import annotations

from typing import Any

from trivium.markup import Html, h, join
from trivium.report import numbers
from trivium.report.charts import bar
from trivium.report.inputs import Inputs
from trivium.report.parts import lead, name, note
from trivium.report.sample import media

EACH = 4  # samples per kind


def body(inputs: Inputs) -> Html | None:
    if len(inputs.answers) < 2 or not len(next(iter(inputs.answers.values()))):
        return None
    import numpy as np

    names = list(inputs.answers)
    index = next(iter(inputs.answers.values())).index
    y = next(iter(inputs.answers.values()))["y"].to_numpy()
    right = np.stack(
        [(inputs.answers[name]["prediction"] == inputs.answers[name]["y"]).to_numpy() for name in names], 1
    )
    sure = np.stack([inputs.answers[name]["confidence"].to_numpy() for name in names], 1)
    best = names.index(inputs.recommended) if inputs.recommended in names else 0
    others = [number for number in range(len(names)) if number != best]
    kinds = (
        (f"{names[best]} is right, others are not", right[:, best] & ~right[:, others].all(1), (sure * ~right).sum(1)),
        (
            f"{names[best]} is wrong, others are right",
            ~right[:, best] & right[:, others].any(1),
            (sure * right).sum(1) + sure[:, best],
        ),
        ("All are wrong", ~right.any(1), sure.mean(1)),
    )
    used: set[str] = set()
    picked = [(title, float(chosen.mean()), _pick(index, y, chosen, score, used)) for title, chosen, score in kinds]
    if not used:
        return None
    known = inputs.rows(sorted(used))
    groups = [
        h(
            "div",
            h("h3", title, h("span", f"{numbers.percent(share)} of the test samples", class_="span")),
            h(
                "div",
                [_card(inputs, names, row, index[row], known.get(str(index[row][1]), {})) for row in rows],
                class_="cards",
            ),
            class_="group",
        )
        for title, share, rows in picked
        if rows
    ]
    return join(
        [
            lead(_lead(right)),
            groups,
            note(
                "Chosen are the samples on which the strategies that were wrong were most sure of themselves (where "
                "all are wrong: the most confident mistakes, which may be wrong labels), one per class as far as "
                "possible."
            ),
        ]
    )


def _lead(right: Any) -> str:
    everyone, nobody = float(right.all(1).mean()), float((~right).all(1).mean())
    return (
        f"All strategies are right on {numbers.percent(everyone)} of the test samples, none on "
        f"{numbers.percent(nobody)}; on the remaining {numbers.percent(1 - everyone - nobody)} it matters which one "
        "is asked."
    )


def _pick(index: Any, y: Any, chosen: Any, score: Any, used: set[str]) -> list[int]:
    """Rows with the highest score: each sample once, classes not seen yet first."""
    import numpy as np

    candidates = np.flatnonzero(chosen)
    candidates = candidates[np.argsort(-score[candidates], kind="stable")][:500]
    rows: list[int] = []
    labels: set[int] = set()
    for repeat in (False, True):
        for row in candidates:
            sample = str(index[row][1])
            if len(rows) < EACH and sample not in used and (repeat or int(y[row]) not in labels):
                rows.append(int(row))
                used.add(sample)
                labels.add(int(y[row]))
    return rows


def _card(inputs: Inputs, names: list[str], row: int, key: Any, sample: dict[str, Any]) -> Html:
    answers = []
    truth = None
    for strategy in names:
        answer = inputs.answers[strategy].iloc[row]
        right = int(answer["prediction"]) == int(answer["y"])
        truth = _label(inputs, int(answer["y"]))
        answers.append(
            h(
                "tr",
                h("th", name(inputs, strategy), scope="row"),
                h(
                    "td",
                    h("span", "✓ " if right else "✗ ", aria_hidden="true"),
                    _label(inputs, int(answer["prediction"])),
                    h("span", " (right)" if right else " (wrong)", class_="unseen"),
                    class_="right" if right else "wrong",
                ),
                h("td", bar(float(answer["confidence"])), class_="measured"),
                h("td", numbers.percent(float(answer["confidence"]), 0), class_="number"),
            )
        )
    table = h(
        "table",
        h(
            "thead",
            h(
                "tr",
                h("th", "strategy", scope="col"),
                h("th", "answer", scope="col"),
                h("th", "confidence", scope="col", colspan=2),
            ),
        ),
        h("tbody", answers),
    )
    return h(
        "article",
        h("p", "True label ", h("b", truth), class_="truth"),
        media(inputs, sample),
        h("div", table, class_="scroll", tabindex="0", role="region", aria_label=f"Answers for sample {key[1]}"),
        h("p", f"Sample {key[1]}, seed {key[0]}", class_="note"),
        class_="card",
    )


def _label(inputs: Inputs, number: int) -> str:
    return inputs.classes[number] if number < len(inputs.classes) else str(number)
