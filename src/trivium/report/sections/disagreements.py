"""Test samples on which the strategies part ways, with what a person would see, read and hear."""

from __future__ import annotations

from typing import Any

from trivium.drawing import numbers
from trivium.drawing.charts import bar
from trivium.drawing.markup import Html, h, join
from trivium.report.inputs import Answers, Inputs
from trivium.report.parts import lead, name, note
from trivium.report.sample import media

EACH = 4  # samples per kind
SHOWN = 2  # of them at once; the rest folds away


def body(inputs: Inputs) -> Html | None:
    answers = inputs.answers
    if answers is None or len(answers.prediction) < 2:
        return None
    import numpy as np

    names = list(answers.prediction)
    right = np.stack([answers.right(name) for name in names], 1)
    sure = np.stack([answers.confidence[name] for name in names], 1)
    best = names.index(inputs.shown) if inputs.shown in names else 0
    title = f"“{inputs.titles[names[best]]}”"
    others = [number for number in range(len(names)) if number != best]
    kinds = (
        (f"{title} is right, others are not", right[:, best] & ~right[:, others].all(1), (sure * ~right).sum(1)),
        (
            f"{title} is wrong, others are right",
            ~right[:, best] & right[:, others].any(1),
            (sure * right).sum(1) + sure[:, best],
        ),
        ("All are wrong", ~right.any(1), sure.mean(1)),
    )
    used: set[str] = set()
    picked = [(title, float(chosen.mean()), _pick(answers, chosen, score, used)) for title, chosen, score in kinds]
    if not used:
        return None
    known = inputs.rows(sorted(used))
    groups = [
        h(
            "div",
            h("h3", title, h("span", f"{numbers.percent(share)} of the test samples", class_="span")),
            _cards([_card(inputs, answers, row, known) for row in rows]),
            class_="group",
        )
        for title, share, rows in picked
        if rows
    ]
    return join(
        [
            lead(_lead(right, learned=bool(inputs.recommended))),
            groups,
            note(
                "Chosen are the samples on which the strategies that were wrong were most sure of themselves (where "
                "all are wrong: the most confident mistakes, which may be wrong labels), one per class as far as "
                "possible."
            ),
        ]
    )


def _cards(cards: list[Html]) -> Html:
    shown, rest = (h("div", some, class_="cards") for some in (cards[:SHOWN], cards[SHOWN:]))
    more = h("details", h("summary", numbers.plural(len(cards) - SHOWN, "more sample")), rest)
    return join([shown, more if len(cards) > SHOWN else None])


def _lead(right: Any, learned: bool) -> str:
    """Where nothing was learned, who is right is chance, and it does not matter who is asked."""
    everyone, nobody = float(right.all(1).mean()), float((~right).all(1).mean())
    said = (
        f"All strategies are right on {numbers.percent(everyone)} of the test samples, none on "
        f"{numbers.percent(nobody)}"
    )
    rest = f"; on the remaining {numbers.percent(1 - everyone - nobody)} it matters which one is asked."
    return said + (rest if learned else ".")


def _pick(answers: Answers, chosen: Any, score: Any, used: set[str]) -> list[int]:
    """Rows with the highest score: each sample once, classes not seen yet first."""
    import numpy as np

    candidates = np.flatnonzero(chosen)
    candidates = candidates[np.argsort(-score[candidates], kind="stable")][:500]
    rows: list[int] = []
    labels: set[int] = set()
    for repeat in (False, True):
        for row in candidates:
            sample, label = answers.keys["sample"][row].as_py(), int(answers.y[row])
            if len(rows) < EACH and sample not in used and (repeat or label not in labels):
                rows.append(int(row))
                used.add(sample)
                labels.add(label)
    return rows


def _card(inputs: Inputs, answers: Answers, row: int, known: dict[str, Any]) -> Html:
    seed, sample, y = (answers.keys[column][row].as_py() for column in ("seed", "sample", "y"))
    lines = []
    for strategy, prediction in answers.prediction.items():
        guess, confidence = int(prediction[row]), float(answers.confidence[strategy][row])
        lines.append(
            h(
                "tr",
                h("th", name(inputs, strategy), scope="row"),
                h(
                    "td",
                    h("span", "✓ " if guess == y else "✗ ", aria_hidden="true"),
                    _label(inputs, guess),
                    h("span", " (right)" if guess == y else " (wrong)", class_="unseen"),
                    class_="right" if guess == y else "wrong",
                ),
                h("td", bar(confidence), class_="measured"),
                h("td", numbers.percent(confidence, 0), class_="number"),
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
        h("tbody", lines),
    )
    return h(
        "article",
        h("p", "True label ", h("b", _label(inputs, y)), class_="truth"),
        media(inputs, known.get(sample, {})),
        h("div", table, class_="scroll", tabindex="0", role="region", aria_label=f"Answers for sample {sample}"),
        h("p", f"Sample {sample}, seed {seed}", class_="note"),
        class_="card",
    )


def _label(inputs: Inputs, number: int) -> str:
    return inputs.classes[number] if number < len(inputs.classes) else str(number)
