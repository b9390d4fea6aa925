"""Test samples on which the strategies part ways, with what a person would see, read and hear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from trivium.drawing import numbers
from trivium.drawing.charts import bar
from trivium.report.inputs import Answers, Inputs
from trivium.report.parts import Name, name
from trivium.report.sample import Medium, media

EACH = 4  # samples per kind
SHOWN = 2  # of them at once; the rest folds away


@dataclass(frozen=True)
class Answer:
    """`confidence` in percent, and as a bar."""

    name: Name
    label: str
    right: bool
    confidence: str
    bar: Markup


@dataclass(frozen=True)
class Card:
    """What all strategies answered to one sample."""

    sample: str
    seed: int
    label: str
    media: list[Medium]
    answers: list[Answer]


@dataclass(frozen=True)
class Group:
    """Samples of one kind; `share`: of the test samples, in percent."""

    title: str
    share: str
    shown: list[Card]
    rest: list[Card]


@dataclass(frozen=True)
class Context:
    lead: str
    groups: list[Group]


def context(inputs: Inputs) -> Context | None:
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
    groups = []
    for title, share, rows in picked:
        cards = [_card(inputs, answers, row, known) for row in rows]
        if cards:
            groups.append(Group(title, numbers.percent(share), cards[:SHOWN], cards[SHOWN:]))
    return Context(_lead(right, learned=bool(inputs.recommended)), groups)


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


def _card(inputs: Inputs, answers: Answers, row: int, known: dict[str, Any]) -> Card:
    seed, sample, y = (answers.keys[column][row].as_py() for column in ("seed", "sample", "y"))
    given = []
    for strategy, prediction in answers.prediction.items():
        guess, confidence = int(prediction[row]), float(answers.confidence[strategy][row])
        said = numbers.percent(confidence, 0)
        given.append(Answer(name(inputs, strategy), _label(inputs, guess), guess == y, said, bar(confidence)))
    return Card(sample, seed, _label(inputs, y), media(inputs, known.get(sample, {})), given)


def _label(inputs: Inputs, number: int) -> str:
    return inputs.classes[number] if number < len(inputs.classes) else str(number)
