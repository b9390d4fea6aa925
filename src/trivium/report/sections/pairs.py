"""Every pair of strategies: the difference, how sure it is, and what follows."""

from __future__ import annotations

from typing import Any

from trivium.drawing import numbers
from trivium.drawing.markup import Html, h, join
from trivium.report.inputs import Inputs
from trivium.report.parts import Cell, lead, name, note, table

SHOWN = 12  # pairs that are seen at once; the rest folds away


def body(inputs: Inputs) -> Html | None:
    pairs = inputs.comparison.get("pairs") or []
    if not pairs:
        return None
    place = {strategy: index for index, strategy in enumerate(inputs.order)}
    shown = sorted(pairs, key=lambda pair: (place.get(pair["a"], 999), place.get(pair["b"], 999)))
    shown.sort(key=lambda pair: inputs.shown not in (pair["a"], pair["b"]))
    sure = sum(bool(pair.get("beats")) for pair in pairs)
    unit = inputs.metric.unit.split(" ")[0]
    columns = ["A", "B", f"A better by, {unit}", "P(A > B)", "p (Holm)", "p (McNemar)", "verdict"]
    rest = shown[SHOWN:]
    return join(
        [
            lead(_lead(sure, len(shown))),
            table(columns, [_row(inputs, pair) for pair in shown[:SHOWN]], "Pairs of strategies", sort=True),
            h(
                "details",
                h("summary", f"{numbers.plural(len(rest), 'more pair')}"),
                table(columns, [_row(inputs, pair) for pair in rest], "More pairs", sort=True),
            )
            if rest
            else None,
            note(
                f"A is the one with the better {inputs.metric.words}. P(A > B) is the probability that A does better "
                "than B on a fresh seed and a fresh test set, estimated by the share of seeds on which it did. A "
                "counts as better when that is high enough, its interval stays above one half, and the p-value is "
                "small after Holm's correction for the number of pairs; a winner, which must be clearly better than "
                "every other one, needs no correction. A is ahead, but not surely, where the interval holds no zero "
                f"and yet that is not enough. “Within {inputs.metric.close}” says that the interval lets A be no "
                "better than that; “open”, that it lets both be true: no difference, and one that matters."
            ),
        ]
    )


def _lead(sure: int, count: int) -> str:
    if count == 1:
        return "The difference is clear." if sure else "The difference could be chance."
    if sure == 0:
        return "No difference between two strategies is clear: each could be chance."
    if sure == count:
        return "Every difference between two strategies is clear."
    return f"{sure} of {count} differences between two strategies are clear; the others could be chance."


def _row(inputs: Inputs, pair: dict[str, Any]) -> list[Cell]:
    number = inputs.metric.number
    span = f" ({number(pair['low'], True)} to {number(pair['high'], True)})" if numbers.known(pair.get("low")) else ""
    said = {"better": "A is better", "ahead": "A is ahead, not surely", "close": f"within {inputs.metric.close}",
            "open": "open"}[pair["verdict"]]  # fmt: skip
    return [
        Cell(name(inputs, pair["a"]), pair["a"], head=True),
        Cell(name(inputs, pair["b"]), pair["b"]),
        Cell([h("b", number(pair["difference"], True)), span], pair["difference"], classes="number"),
        Cell(numbers.decimal(pair.get("p_outperform"), 2), pair.get("p_outperform"), classes="number"),
        Cell(numbers.p_value(pair.get("p_value_holm")), pair.get("p_value_holm"), classes="number"),
        Cell(numbers.p_value(pair.get("mcnemar_p")), pair.get("mcnemar_p"), classes="number"),
        Cell(said, said, classes="verdict-cell"),
    ]
