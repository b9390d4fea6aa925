"""Of tags: how well the strategy that is looked at finds each of them."""

from __future__ import annotations

from dataclasses import dataclass

from trivium.drawing import numbers
from trivium.report import results
from trivium.report.inputs import Inputs
from trivium.report.parts import Table

MOST = 40  # tags in the table


@dataclass(frozen=True)
class Context:
    """`rest`: how many tags are not shown, in words; may be empty."""

    lead: str
    table: Table
    rest: str
    strategy: str


def context(inputs: Inputs) -> Context | None:
    task = inputs.task
    if task is None or task.categorical or not task.categories:
        return None
    everything = {tag: of for tag, of in results.means(inputs).items() if "f1" in of}
    if not everything:
        return None
    found = results.hardest(everything, "f1", MOST)
    one, several = task.category
    rest = f"The {MOST} hardest of {len(everything)} {several}. " if len(found) < len(everything) else ""
    return Context(_lead(everything, one), results.table(inputs, found, f"Results per {one}", one, "f1"), rest,
                   inputs.titles[inputs.shown])


def _lead(found: results.Means, one: str) -> str:
    asked = {tag: of for tag, of in found.items() if of.get(results.SUPPORT)} or found
    best, worst = (pick(asked, key=lambda tag: asked[tag]["f1"]) for pick in (max, min))
    if asked[best]["f1"] == asked[worst]["f1"]:
        return f"Every {one} is found equally well: F1 {numbers.percent(asked[best]['f1'])}."
    high, low = (numbers.percent(asked[tag]["f1"]) for tag in (best, worst))
    return f"The {one} that is found best is “{best}” (F1 {high}), the hardest “{worst}” ({low})."
