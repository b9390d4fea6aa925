"""What if one stream were another sample's: whether the answer follows it.

Reads `counterfactual` of the comparison (see trivium.comparison.counterfactual) and of the first seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trivium.comparison.counterfactual import Follows
from trivium.drawing import numbers
from trivium.drawing.charts import bar
from trivium.evaluation.metrics import Swap
from trivium.report.inputs import Inputs
from trivium.report.parts import Cell, Figure, Table, name, rests
from trivium.report.sample import Medium, media

SHOWN = 2  # cards at once; the rest folds away


@dataclass(frozen=True)
class Card:
    """One swap. `target`: what the truth is called;  `own`, `given`: the stream of the sample, and the one that stood
    for it;  `kept`: the sample's other streams.
    """

    swap: Swap
    target: str
    kept: list[Medium]
    own: list[Medium]
    given: list[Medium]
    said: str


@dataclass(frozen=True)
class Context:
    """`strategy`: the one whose swaps are `shown` and in the `rest`."""

    lead: str
    table: Figure
    moved: Figure | None
    strategy: str
    shown: list[Card]
    rest: list[Card]


def context(inputs: Inputs) -> Context | None:
    found = inputs.comparison.counterfactual
    if found is None:
        return None
    seeds = inputs.seeds(inputs.shown)
    swaps = sorted(seeds[0].counterfactual.samples if seeds else [], key=lambda swap: -swap.follows)
    known = inputs.rows(sorted({sample for swap in swaps for sample in (swap.sample, swap.other)}))
    cards = [_card(inputs, swap, known) for swap in swaps]
    lead = found.sentence or "What answers do when one stream is that of another sample."
    return Context(lead, _table(inputs, found.strategies), _moved(inputs, found.strategies.get(inputs.shown, {})),
                   inputs.titles[inputs.shown], cards[:SHOWN], cards[SHOWN:])


def _single(inputs: Inputs) -> bool:
    return inputs.task is not None and inputs.task.categorical


def _table(inputs: Inputs, strategies: dict[str, dict[str, Follows]]) -> Figure:
    rows = [[Cell(name(inputs, strategy), strategy, head=True),
             *(_follows(strategies[strategy].get(stream)) for stream in inputs.streams)]
            for strategy in inputs.order if strategy in strategies]
    how = ("The share of the answers that become what the model answers to the other sample" if _single(inputs) else
           "How far answers go to what the model answers to the other sample")
    caption = (
        f"{how} when one stream of a sample is that of another one with "
        "another target, and all other streams stay; mean over seeds with its interval, over the pairs whose two "
        "samples have different answers. A dash: no model of the strategy reads it, or its answers never differ."
    )
    if where := rests(inputs, "counterfactual"):
        caption += f" Measured{where} per seed."
    return Figure(Table("How far answers follow a stream", ["strategy", *inputs.streams], rows, sort=True), caption,
                  "Which stream the answer follows", wide=True)


def _follows(found: Follows | None) -> Cell:
    span = found.follows if found else None
    if span is None:
        return Cell(numbers.NONE)
    reach = f"({numbers.percent(span.low, 0)} to {numbers.percent(span.high, 0)})"
    return Cell(numbers.percent(span.mean, 0), span.mean, classes="number", quiet=reach, bar=bar(max(span.mean, 0.0)))


def _moved(inputs: Inputs, streams: dict[str, Follows]) -> Figure | None:
    """By how much the answers of the strategy that is shown move."""
    if inputs.task is None or not streams:
        return None
    rows = [[Cell(stream, stream, head=True),
             Cell(inputs.task.mean_gap(one.moved).replace(" ", numbers.SPACE), one.moved, classes="number"),
             Cell(numbers.whole(one.pairs), one.pairs, classes="number")]
            for stream in inputs.streams if (one := streams.get(stream))]
    head = "answers" if _single(inputs) else "answer moves by"
    table = Table("How much answers move", ["stream of another sample", head, "pairs"], rows, sort=True)
    return Figure(table, f"For “{inputs.titles[inputs.shown]}”, all seeds together.", "How much answers move")


def _card(inputs: Inputs, swap: Swap, known: dict[str, dict[str, Any]]) -> Card:
    place = inputs.streams.index(swap.stream)
    mine, other = (media(inputs, known.get(sample, {})) for sample in (swap.sample, swap.other))
    single = _single(inputs)
    if single:
        said = "the answer follows" if swap.follows >= 1 else (
            "the answer stays" if swap.after.split(" (")[0] == swap.before.split(" (")[0] else "another answer")
    else:
        said = f"{numbers.percent(swap.follows, 0)} of the way to the answer to the other sample"
    target = inputs.task.target if inputs.task else "target"
    return Card(swap, target, [one for k, one in enumerate(mine) if k != place], mine[place: place + 1],
                other[place: place + 1], said)
