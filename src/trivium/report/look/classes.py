"""The targets: how many samples have which, how uneven that is, and a few samples of each."""

from __future__ import annotations

import numpy as np

from trivium.drawing import numbers
from trivium.drawing.charts import bar
from trivium.report.look.seen import Seen
from trivium.report.look.twins import Card
from trivium.report.parts import Cell, Figure, Table
from trivium.report.sample import media

MOST = 24  # classes in a table
SHOWN, EACH = 8, 2  # classes with examples, and how many of each
UNEVEN = 10.0  # times as many samples of one class as of another


def table(seen: Seen) -> Figure | None:
    """None where there are no classes or tags."""
    task, counts = seen.task, tally(seen)
    if not task.categories:
        return None
    order = np.argsort(-counts, kind="stable")[:MOST].tolist()
    splits = ("train", "val", "test")
    first = (seen.splits.get("seeds") or [{}])[0].get("categories") or {}
    rows = [[Cell(task.categories[k], head=True), Cell(numbers.whole(int(counts[k])), classes="number"),
             Cell(bar=bar(counts[k] / max(counts.max(), 1))),
             *(Cell(numbers.whole(first.get(task.categories[k], {}).get(side)), classes="number") for side in splits)]
            for k in order]
    one, several = task.category
    caption = f"The {MOST} largest of {len(counts)} {several}. " if len(counts) > MOST else ""
    return Figure(Table(f"Samples per {one}", [one, "samples", "", *splits], rows), f"{caption}Splits are of seed 0.",
                  f"Samples per {one}", wide=True)


def tally(seen: Seen) -> np.ndarray:
    """int64 [categories]."""
    counts = (seen.validation.get("coverage") or {})
    return np.array([counts.get(name, {}).get("rows", 0) for name in seen.task.categories], np.int64)


def uneven(seen: Seen) -> str:
    """A sentence; empty where classes are about as large as each other."""
    counts = tally(seen)
    if not len(counts) or counts.min() * UNEVEN > counts.max() or not counts.max():
        return ""
    names, (one, _) = seen.task.categories, seen.task.category
    return (f"The {one} {names[int(counts.argmax())]} has {counts.max():,} rows and {names[int(counts.argmin())]} only "
            f"{counts.min():,}: accuracy hides how well the rare ones are told. Set `loop.balance`, and look at the "
            "balanced accuracy (`compare.metric: balanced_accuracy`).")


def examples(seen: Seen) -> list[Card]:
    """Of classes that are far apart, of rows that models learn from."""
    found = seen.strata[seen.learned & (seen.strata >= 0)]
    kinds = np.unique(found)
    chosen = kinds[np.unique(np.linspace(0, len(kinds) - 1, min(SHOWN, len(kinds))).astype(int))] if len(kinds) else []
    cards = []
    for kind in chosen:
        places = np.flatnonzero(seen.learned & (seen.strata == kind))[:EACH].tolist()
        cards += [Card(row["truth"], media(seen, row), f"Sample {row['sample']}") for row in seen.examples(places)]
    return cards
