"""The answer, large and first; then what it rests on, in a few facts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from trivium.drawing import numbers
from trivium.report.inputs import Inputs
from trivium.report.measures import said, span
from trivium.report.parts import Figure, Name, name
from trivium.report.prices import flops, seconds
from trivium.report.sections import cost

LONG = 110  # characters of an answer that is set smaller
WAYS = {"mean": "a mean over streams", "concatenation": "all streams side by side",  # of a linear probe
        "sum": "a sum over streams", "together": "all streams together"}  # of boosted trees; else a stream
END = re.compile(r"(?<=[.!?])\s+(?=[A-Z“])")  # between two sentences


@dataclass(frozen=True)
class Fact:
    term: str
    value: str | Name


@dataclass(frozen=True)
class Context:
    """`title`: the data that was compared on;  `answer`: one sentence, and `more` of them;  `chip`: what sort of answer
    it is;  `model`: the folder of the recommended model.
    """

    title: str
    chip: str
    recommended: bool
    answer: str
    long: bool
    more: str
    reason: str
    facts: list[Fact]
    model: str
    picture: Figure | None


def context(inputs: Inputs) -> Context:
    found = inputs.verdict
    answer, *rest = END.split(priced(inputs, str(found.get("sentence") or "There is no verdict yet.")))
    return Context(
        str(inputs.comparison.get("dataset", {}).get("title") or inputs.meta.get("title") or "Comparison"),
        chip(inputs),
        bool(inputs.recommended),
        answer,
        len(answer) > LONG,
        " ".join(rest),
        priced(inputs, str(found.get("reason") or "")),
        [Fact(term, value) for term, value in _facts(inputs) if value],
        _model(inputs),
        cost.picture(inputs),
    )


def priced(inputs: Inputs, text: str) -> str:
    """The price of what costs more than the budget, in seconds as well, where they were measured on this machine."""
    for strategy, spent in seconds(inputs).items():
        called = re.escape(f"“{inputs.titles[strategy]}”")
        text = re.sub(rf"({called}, at [\d.,]+ × the budget)", rf"\1 and {numbers.seconds(spent)}", text)
    return text


def chip(inputs: Inputs) -> str:
    """What sort of answer it is, in a few words."""
    found = inputs.verdict
    if not inputs.recommended:
        return "Nothing was learned"
    if found.get("winner") == inputs.recommended:
        return "A winner"
    if len(inputs.order) == 1:
        return "One strategy: nothing to compare"
    if found.get("simple"):
        return "The simple way will do"
    alone = len(found.get("tied") or []) - len(found.get("behind") or []) == 1
    return "One is ahead, but not surely" if alone else "No winner: the best cannot be told apart"


def _facts(inputs: Inputs) -> list[tuple[str, str | Name | None]]:
    chosen = inputs.comparison.get("strategies", {}).get(inputs.recommended, {})
    return [
        ("Take", name(inputs, inputs.recommended) if inputs.recommended else None),
        (f"Its test {inputs.metric.words}", _value(inputs, chosen)),
        ("Constant answer", _constant(inputs)),
        ("Its choice", took(chosen)),
        ("Training compute per seed", numbers.flops(flops(chosen)) if flops(chosen) else None),
        ("Evidence", _evidence(inputs)),
    ]


def _value(inputs: Inputs, entry: dict[str, Any]) -> str | None:
    """The metric that ranks with its interval, and the first of those beside it."""
    found = entry.get(inputs.metric.key) or {}
    if not numbers.known(found.get("mean")):
        return None
    around = f" ({span(inputs.metric, found['low'], found['high'])})" if numbers.known(found.get("low")) else ""
    text, other = said(inputs.metric, found["mean"]) + around, next(iter(inputs.beside), None)
    value = (entry.get(other.key) or {}).get("mean") if other else None
    return f"{text}; {other.words} {said(other, value)}" if other and numbers.known(value) else text


def _constant(inputs: Inputs) -> str | None:
    found = inputs.comparison.get("constant") or {}
    value = found.get(inputs.metric.key)
    if not numbers.known(value):
        return None
    words = always(inputs)
    return said(inputs.metric, value) + (f": {words}" if "(" in words else f" ({words})")


def always(inputs: Inputs) -> str:
    """The answer that knows no inputs, as a table says it."""
    label = str((inputs.comparison.get("constant") or {}).get("label", ""))
    return inputs.task.always(inputs.metric, label) if inputs.task else f"always “{label}”"


def took(entry: dict[str, Any]) -> str | None:
    """What a strategy that chooses took, seed by seed."""
    chosen = [WAYS.get(one, one) for one in (entry.get("chosen") or {}).values()]
    if not chosen:
        return None
    counts = sorted({one: chosen.count(one) for one in chosen}.items(), key=lambda item: -item[1])
    if len(counts) == 1:
        return f"{counts[0][0]} on every seed"
    return ", ".join(f"{one} on {count} of {len(chosen)} seeds" for one, count in counts)


def _evidence(inputs: Inputs) -> str:
    about = inputs.comparison.get("dataset") or {}
    seeds = (inputs.comparison.get("settings") or {}).get("seeds")
    evidence = numbers.plural(seeds, "paired seed") if seeds else ""
    if evidence and len(inputs.order) > 1:
        evidence = f"{len(inputs.order)} strategies, {evidence}"
    size = about.get("test")
    return evidence + (f" × {numbers.whole(size)} test samples{groups(about)}" if evidence and size else "")


def groups(about: dict[str, Any]) -> str:
    """How many groups the test samples are of, where they belong together; `about`: `dataset` of the comparison."""
    whole, each, samples = (about.get(key) for key in ("groups", "test_groups", "test"))
    if not numbers.known(whole) or not numbers.known(each) or not samples or each > 0.9 * samples:
        return ""
    few = "" if about.get("resampled", True) else ", too few to tell how much groups differ"
    return f", of {numbers.plural(round(whole), 'group')} in all{few}"


def _model(inputs: Inputs) -> str:
    """Where the recommended strategy's best seed is on the disk; empty where there is none."""
    trained = inputs.training.get(inputs.recommended)
    return f"models/{inputs.recommended}/seed_{trained.best.seed}" if trained and trained.seeds else ""
