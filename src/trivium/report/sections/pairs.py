"""Every pair of strategies: the difference, how sure it is, and what follows."""

from __future__ import annotations

from dataclasses import dataclass

from trivium.comparison.out import Pair
from trivium.drawing import numbers
from trivium.report.inputs import Inputs
from trivium.report.measures import unit
from trivium.report.parts import Cell, Table, name

SHOWN = 12  # pairs that are seen at once; the rest folds away


@dataclass(frozen=True)
class Context:
    """`words`: of the metric that ranks;  `close`: what is too little to matter."""

    lead: str
    shown: Table
    rest: Table | None
    words: str
    close: str


def context(inputs: Inputs) -> Context | None:
    pairs = inputs.comparison.pairs
    if not pairs:
        return None
    place = {strategy: index for index, strategy in enumerate(inputs.order)}
    shown = sorted(pairs, key=lambda pair: (place[pair.a], place[pair.b]))
    shown.sort(key=lambda pair: inputs.shown not in (pair.a, pair.b))
    sure = sum(pair.beats for pair in pairs)
    rest = shown[SHOWN:]
    return Context(
        _lead(sure, len(shown)),
        _table(inputs, shown[:SHOWN], "Pairs of strategies"),
        _table(inputs, rest, "More pairs") if rest else None,
        inputs.metric.words,
        inputs.metric.close_words,
    )


def _table(inputs: Inputs, pairs: list[Pair], label: str) -> Table:
    counted = any(pair.mcnemar_p is not None for pair in pairs)
    columns = ["A", "B", f"A better by, {unit(inputs.metric)}", "P(A > B)", "p (Holm)",
               *(["p (McNemar)"] if counted else []), "verdict"]
    return Table(label, columns, [_row(inputs, pair, counted) for pair in pairs], sort=True)


def _lead(sure: int, count: int) -> str:
    if count == 1:
        return "The difference is clear." if sure else "The difference could be chance."
    if sure == 0:
        return "No difference between two strategies is clear: each could be chance."
    if sure == count:
        return "Every difference between two strategies is clear."
    are = "is" if sure == 1 else "are"
    return f"{sure} of {count} differences between two strategies {are} clear; the others could be chance."


def _row(inputs: Inputs, pair: Pair, counted: bool) -> list[Cell]:
    """counted: whether right answers can be counted, so that McNemar's test says something."""
    number = inputs.metric.number
    span = f"({number(pair.low, True)} to {number(pair.high, True)})"
    said = {"better": "A is better", "ahead": "A is ahead, not surely", "close": f"within {inputs.metric.close_words}",
            "open": "open"}[pair.verdict]  # fmt: skip
    return [
        Cell(name(inputs, pair.a), pair.a, head=True),
        Cell(name(inputs, pair.b), pair.b),
        Cell(number(pair.difference, True), pair.difference, classes="number strong", quiet=span),
        Cell(numbers.decimal(pair.p_outperform, 2), pair.p_outperform, classes="number"),
        Cell(numbers.p_value(pair.p_value_holm), pair.p_value_holm, classes="number"),
        *([Cell(numbers.p_value(pair.mcnemar_p), pair.mcnemar_p, classes="number")] if counted else []),
        Cell(said, said, classes="verdict-cell"),
    ]
