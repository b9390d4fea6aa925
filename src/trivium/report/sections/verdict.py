"""The answer, large and first; then what it rests on, in a few facts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trivium.comparison.out import Dataset, Strategy
from trivium.drawing import numbers
from trivium.report.inputs import Inputs
from trivium.report.measures import said, span
from trivium.report.parts import Figure, Name, name
from trivium.report.prices import seconds
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
    answer, *rest = END.split(priced(inputs, found.sentence))
    return Context(
        inputs.comparison.dataset.title or "Comparison",
        chip(inputs),
        bool(inputs.recommended),
        answer,
        len(answer) > LONG,
        " ".join(rest),
        priced(inputs, found.reason),
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
        return "Nothing is fast enough" if found.learned else found.sentence.partition(":")[0]
    if found.winner == inputs.recommended:
        return "A winner"
    if len(inputs.order) == 1:
        return "One strategy: nothing to compare"
    if found.simple:
        return "The simple way will do"
    if len(found.tied) == 1:
        learned = sum(one.learned for one in inputs.comparison.strategies.values())
        return "Only one has surely learned" if learned == 1 else "It beats all others that have learned"
    alone = len(found.tied) - len(found.behind) == 1
    return "One is ahead, but not surely" if alone else "No winner: the best cannot be told apart"


def _facts(inputs: Inputs) -> list[tuple[str, str | Name | None]]:
    chosen = inputs.comparison.strategies.get(inputs.recommended)
    return [
        ("Take", name(inputs, inputs.recommended) if inputs.recommended else None),
        (f"Its test {inputs.metric.words}", _value(inputs, chosen) if chosen else None),
        ("Constant answer", _constant(inputs)),
        ("Its choice", took(chosen) if chosen else None),
        ("Training compute per seed", numbers.flops(chosen.flops) if chosen else None),
        ("Evidence", _evidence(inputs)),
    ]


def _value(inputs: Inputs, entry: Strategy) -> str:
    """The metric that ranks with its interval, and the first of those beside it."""
    found = entry.metrics[inputs.metric.key]
    text = f"{said(inputs.metric, found.mean)} ({span(inputs.metric, found.low, found.high)})"
    other = next(iter(inputs.beside), None)
    return f"{text}; {other.words} {said(other, entry.metrics[other.key].mean)}" if other else text


def _constant(inputs: Inputs) -> str:
    words, value = always(inputs), inputs.comparison.constant.metrics[inputs.metric.key]
    return said(inputs.metric, value) + (f": {words}" if "(" in words else f" ({words})")


def always(inputs: Inputs) -> str:
    """The answer that knows no inputs, as a table says it."""
    label = inputs.comparison.constant.label
    return inputs.task.always(inputs.metric, label) if inputs.task else f"always “{label}”"


def took(entry: Strategy) -> str | None:
    """What a strategy that chooses took, seed by seed."""
    chosen = [WAYS.get(one, one) for one in (entry.chosen or {}).values()]
    if not chosen:
        return None
    counts = sorted({one: chosen.count(one) for one in chosen}.items(), key=lambda item: -item[1])
    if len(counts) == 1:
        return f"{counts[0][0]} on every seed"
    return ", ".join(f"{one} on {count} of {len(chosen)} seeds" for one, count in counts)


def _evidence(inputs: Inputs) -> str:
    about, evidence = inputs.comparison.dataset, numbers.plural(inputs.comparison.settings.seeds, "paired seed")
    if len(inputs.order) > 1:
        evidence = f"{len(inputs.order)} strategies, {evidence}"
    return f"{evidence} × {numbers.whole(about.test)} test samples{groups(about)}"


def groups(about: Dataset) -> str:
    """How many groups the test samples are of, where they belong together."""
    if about.test_groups > 0.9 * about.test:
        return ""
    few = "" if about.resampled else ", too few to tell how much groups differ"
    return f", of {numbers.plural(about.groups, 'group')} in all{few}"


def _model(inputs: Inputs) -> str:
    """Where the recommended strategy's best seed is on the disk; empty where there is none."""
    trained = inputs.training.get(inputs.recommended)
    return f"models/{inputs.recommended}/seed_{trained.best.seed}" if trained and trained.seeds else ""
