"""Test samples on which the strategies part ways, with what a person would see, read and hear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from trivium.drawing import numbers
from trivium.drawing.charts import bar
from trivium.report.answers import Answers
from trivium.report.inputs import Inputs
from trivium.report.measures import whole
from trivium.report.parts import Name, name
from trivium.report.sample import Medium, media

EACH = 4  # samples per kind
SHOWN = 2  # of them at once; the rest folds away
Kind = tuple[str, np.ndarray, np.ndarray, bool]  # title, which samples bool [N], how telling [N], say how many


@dataclass(frozen=True)
class Answer:
    """`right`: None where answers are more or less right;  `said`: the confidence in percent, or how far off it is;
    `bar`: the same, drawn.
    """

    name: Name
    answer: str
    right: bool | None
    said: str
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
    """Samples of one kind; `share`: of the test samples, in percent, or empty."""

    title: str
    share: str
    shown: list[Card]
    rest: list[Card]


@dataclass(frozen=True)
class Context:
    """`target`: what the truth is called;  `said`: the heading of what stands beside an answer;  `single`: whether a
    sample has one class, so that answers are right or wrong.
    """

    lead: str
    groups: list[Group]
    target: str
    said: str
    single: bool


def context(inputs: Inputs) -> Context | None:
    answers = inputs.answers
    if answers is None or len(answers.told) < 2:
        return None
    names, single = list(answers.told), answers.task.categorical
    best = names.index(inputs.shown) if inputs.shown in names else 0
    title = f"“{inputs.titles[names[best]]}”"
    gap = np.stack([answers.told[name].gap for name in names], 1)
    kinds = _right_or_wrong(answers, gap == 0, best, title) if single else _more_or_less(gap, best, title)
    used: set[str] = set()
    picked = [(kind, _pick(answers, kind, used)) for kind in kinds]
    if not used:
        return None
    known = inputs.rows(sorted(used))
    groups = []
    for (about, chosen, _, counted), rows in picked:
        cards = [_card(inputs, answers, row, known) for row in rows]
        if cards:
            share = numbers.percent(float(chosen.mean())) if counted else ""
            groups.append(Group(about, share, cards[:SHOWN], cards[SHOWN:]))
    learned = bool(inputs.recommended)
    lead = _lead(gap == 0, learned) if single else _closest(gap, best, title, learned)
    return Context(lead, groups, answers.task.target, "confidence" if single else answers.task.missed, single)


def _right_or_wrong(answers: Answers, right: np.ndarray, best: int, title: str) -> list[Kind]:
    """right: bool [N, strategies]"""
    sure = np.stack([told.confidence for told in answers.told.values() if told.confidence is not None], 1)
    others = [number for number in range(right.shape[1]) if number != best]
    return [
        (f"{title} is right, not all others are", right[:, best] & ~right[:, others].all(1), (sure * ~right).sum(1),
         True),
        (f"{title} is wrong, some others are right", ~right[:, best] & right[:, others].any(1),
         (sure * right).sum(1) + sure[:, best], True),
        ("All are wrong", np.all(~right, 1), sure.mean(1), True),
    ]


def _more_or_less(gap: np.ndarray, best: int, title: str) -> list[Kind]:
    """gap: how far off each strategy is, [N, strategies]"""
    own, least = gap[:, best], gap.min(1)
    return [
        (f"Others come closer than {title}", own > least, own - least, True),
        (f"{title} comes closest, others are far off", (own == least) & (gap.max(1) > least), gap.max(1) - own, True),
        ("All are far off", least > 0, least, False),
    ]


def _lead(right: np.ndarray, learned: bool) -> str:
    """Where nothing was learned, who is right is chance, and it does not matter who is asked."""
    everyone, nobody = float(right.all(1).mean()), float((~right).all(1).mean())
    said = (
        f"All strategies are right on {numbers.percent(everyone)} of the test samples, none on "
        f"{numbers.percent(nobody)}"
    )
    rest = f"; on the remaining {numbers.percent(1 - everyone - nobody)} it matters which one is asked."
    return said + (rest if learned else ".")


def _closest(gap: np.ndarray, best: int, title: str, learned: bool) -> str:
    share = float((gap[:, best] == gap.min(1)).mean())
    said = f"No strategy comes closer to the truth than {title} on {numbers.percent(share)} of the test samples"
    return said + ("; on the others, another one does." if learned and share < 1 else ".")


def _pick(answers: Answers, kind: Kind, used: set[str]) -> list[int]:
    """Rows that tell most: each sample once, targets not seen yet first."""
    _, chosen, score, _ = kind
    candidates = np.flatnonzero(chosen)
    candidates = candidates[np.argsort(-score[candidates], kind="stable")][:500]
    rows: list[int] = []
    labels: set[str] = set()
    for repeat in (False, True):
        for row in candidates:
            sample, label = answers.keys["sample"][row].as_py(), answers.task.words(answers.y[row])
            if len(rows) < EACH and sample not in used and (repeat or label not in labels):
                rows.append(int(row))
                used.add(sample)
                labels.add(label)
    return rows


def _card(inputs: Inputs, answers: Answers, row: int, known: dict[str, Any]) -> Card:
    seed, sample = (answers.keys[column][row].as_py() for column in ("seed", "sample"))
    task, y = answers.task, answers.y[row]
    widest = max(float(told.gap[row]) for told in answers.told.values()) or 1.0
    given = []
    for strategy, told in answers.told.items():
        guess, gap = told.prediction[row], float(told.gap[row])
        if told.confidence is None:
            texts = task.words(guess), task.gap_words(y, guess)
            answer, off = map(whole, texts) if task.quantities else texts
            given.append(Answer(name(inputs, strategy), answer, None, off, bar(gap / widest)))
        else:
            sure = float(told.confidence[row])
            given.append(Answer(name(inputs, strategy), task.words(guess), gap == 0, numbers.percent(sure, 0),
                                bar(sure)))
    return Card(sample, seed, task.words(y), media(inputs, known.get(sample, {})), given)
