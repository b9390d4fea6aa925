"""What the test set says of each class, tag, number or part of the samples, from `table` of every seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trivium.drawing import numbers
from trivium.drawing.charts import bar
from trivium.report.inputs import Inputs
from trivium.report.measures import cell, heading, percent, said
from trivium.report.parts import Cell, Table
from trivium.tasks.metric import Metric

SUPPORT = "support"  # samples that a row is about; a count, not a metric
Means = dict[str, dict[str, float]]  # row -> key -> mean over seeds


def means(inputs: Inputs) -> Means:
    """Of the strategy that is shown, in the order of the task."""
    seeds = [seed.table for seed in inputs.seeds(inputs.shown)]
    rows = ordered(inputs, [row for table in seeds for row in table])
    keys = dict.fromkeys(key for table in seeds for row in table.values() for key in row)
    found = {row: {key: numbers.mean(table.get(row, {}).get(key) for table in seeds) for key in keys} for row in rows}
    return {row: {key: value for key, value in of.items() if value is not None} for row, of in found.items()}


def table(inputs: Inputs, found: Means, label: str, head: str, drawn: str, named: bool = False) -> Table:
    """The rows `found`; head: of the first column;  drawn: the key that has a bar, "" for none;  named: whether each
    number stands with its unit, since rows have different ones.
    """
    assert inputs.task is not None
    known = {key for of in found.values() for key in of} - {SUPPORT}
    read = {row: inputs.task.columns(row, known) for row in found}
    first = next(iter(read.values()))
    keys = list(first)
    highest = max([abs(of[drawn]) for of in found.values() if drawn in of], default=1.0) or 1.0
    full = 1.0 if drawn and percent(first[drawn]) else highest
    rows = []
    for place, (row, of) in enumerate(found.items()):
        cells = [Cell(row, place if inputs.task.quantities else row, head=True)]
        for key in keys:
            value = of.get(key)
            text = said(read[row][key], value) if named else cell(read[row][key], value)
            drawing = bar((value or 0) / full) if key == drawn else None
            cells.append(Cell(text, value, classes="number", bar=drawing))
        rows.append([*cells, Cell(numbers.whole(of.get(SUPPORT)), of.get(SUPPORT), classes="number")])
    columns = [head, *(_head(first[key], named) for key in keys), "samples"]
    return Table(label, columns, rows, sort=not named)


def ordered(inputs: Inputs, names: Iterable[str]) -> list[str]:
    """Each once, in the order of the task."""
    there = dict.fromkeys(names)
    first = inputs.task.order if inputs.task else ()
    return list(dict.fromkeys([*(one for one in first if one in there), *there]))


def _head(metric: Metric, named: bool) -> str:
    return (metric.head or metric.words) if named else heading(metric)


def hardest(found: Means, key: str, most: int) -> Means:
    """Those with the lowest `key`, where there are more than `most`."""
    if len(found) <= most:
        return found
    kept: Sequence[str] = sorted(found, key=lambda row: (found[row][key], row))[:most]
    return {row: found[row] for row in kept}
