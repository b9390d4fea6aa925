"""The score when only some streams are there, for every subset."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from trivium.comparison import reads
from trivium.drawing import numbers
from trivium.report.inputs import Inputs
from trivium.report.measures import capital, percent, said
from trivium.report.parts import Cell, Table, breakable, name


@dataclass(frozen=True)
class Context:
    """`words`: of the numbers."""

    lead: str
    table: Table
    words: str


def means(inputs: Inputs, strategy: str, key: Literal["score", "nll"] = "score") -> dict[str, float]:
    """Per subset of streams ("text+image"), the mean over seeds; without those of which some model reads nothing."""
    seeds = [seed.subsets for seed in inputs.seeds(strategy)]
    subsets = sorted({subset for seed in seeds for subset in seed})
    found = {
        subset: numbers.mean(getattr(seed[subset], key) for seed in seeds if subset in seed)
        for subset in subsets
        if reads.some(subset, inputs.read[strategy])
    }
    return {subset: value for subset, value in found.items() if value is not None}


def context(inputs: Inputs) -> Context | None:
    values = {strategy: means(inputs, strategy) for strategy in inputs.order}
    values = {strategy: found for strategy, found in values.items() if found}
    place = {stream: index for index, stream in enumerate(inputs.streams)}
    subsets = sorted(
        {subset for found in values.values() for subset in found},
        key=lambda subset: (subset.count("+"), [place.get(m, 99) for m in subset.split("+")], subset),
    )
    if len(subsets) < 2:
        return None
    ceilings = inputs.world.bayes if inputs.world else {}
    shown = [value for found in values.values() for value in found.values()]
    low, high = min(shown), max(shown)
    full = subsets[-1]
    rows = [
        [Cell(name(inputs, strategy), strategy, head=True)]
        + [
            Cell(
                said(inputs.score, found.get(subset)),
                found.get(subset),
                classes="number",
                shade=(found[subset] - low) / (high - low or 1) if subset in found else None,
            )
            for subset in subsets
        ]
        for strategy, found in values.items()
    ]
    known = {subset: ceilings.get("all" if subset == full and "all" in ceilings else subset) for subset in subsets}
    foot = [[Cell("best possible", head=True),
             *(Cell(said(inputs.score, known[s]), classes="number") for s in subsets)]]
    columns = [
        "strategy",
        *(breakable(subset if subset != full else "all streams") for subset in subsets),
    ]
    return Context(
        _lead(inputs, inputs.shown if inputs.shown in values else next(iter(values)), values, full),
        Table(
            f"{capital(inputs.score.words)} per subset of streams",
            columns,
            rows,
            sort=True,
            classes="heat",
            foot=foot if any(value is not None for value in known.values()) else (),
        ),
        inputs.score.words,
    )


def _lead(inputs: Inputs, strategy: str, values: dict[str, dict[str, float]], full: str) -> str:
    streams, found, losses = full.split("+"), values[strategy], {}
    for stream in streams:
        rest = "+".join(other for other in streams if other != stream)
        if rest in found and full in found:
            losses[stream] = found[full] - found[rest]
    if not losses or not inputs.recommended:
        return f"What is left of the {inputs.score.words} when streams are missing."
    alone = [stream for stream in streams if all(seen == {stream} for seen in inputs.read[strategy])]
    if alone:
        return f"“{inputs.titles[strategy]}” reads {alone[0]} alone: without it, there is nothing to answer from."
    worst = max(losses, key=lambda stream: (losses[stream], stream))
    least = min(losses, key=lambda stream: (losses[stream], stream))
    say, of = partial(said, inputs.score), "" if percent(inputs.score) else f"the {inputs.score.words} of "
    text = (
        f"Without {worst}, {of}“{inputs.titles[strategy]}” falls from {say(found[full])} to "
        f"{say(found[full] - losses[worst])}"
        if losses[worst] > 0
        else f"“{inputs.titles[strategy]}” loses nothing without {worst}"
    )
    return text + (
        f"; without {least} it still reaches {say(found[full] - losses[least])}." if worst != least else "."
    )
