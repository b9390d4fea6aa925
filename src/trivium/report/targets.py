"""The targets of all samples that have one: how many have which class or tag, or how numbers are spread.

Legend: `N` samples, `T` the shape of one target, `K` numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from trivium.comparison.verdict import listed
from trivium.drawing import numbers
from trivium.drawing.charts import Line, bar, lines
from trivium.drawing.looks import Look
from trivium.report.inputs import Inputs
from trivium.report.measures import capital, cell
from trivium.report.parts import Cell, Figure, Table
from trivium.tasks import Task

MOST = 24  # classes or tags in a table
CHARTS = 6  # of numbers
BINS = 16  # of a chart
SPLITS = ("train", "val", "test")
QUANTILES = {"lowest": 0.0, "25 % below": 0.25, "half below": 0.5, "75 % below": 0.75, "highest": 1.0}
NUMBER = 2000  # of the first split's look, apart from those of strategies


@dataclass(frozen=True)
class Counts:
    """samples: their names [N].  y: targets [N, *T].  present: stream -> samples that have it.  splits: of the first
    seed, which sample is in which, bool [N]; empty where that is not known.
    """

    task: Task
    samples: pa.ChunkedArray
    y: np.ndarray
    present: dict[str, int]
    splits: dict[str, np.ndarray]


def count(inputs: Inputs) -> Counts | None:
    """None without samples."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = inputs.root / "data/aligned/samples.parquet"
    if not path.exists() or inputs.task is None:
        return None
    names = pq.read_schema(path).names
    streams = [stream for stream in inputs.streams if f"has_{stream}" in names]
    table = pq.read_table(path, columns=["sample", "y", *(f"has_{stream}" for stream in streams)])
    table = table.filter(table["y"].is_valid())
    present, samples = {stream: pc.sum(table[f"has_{stream}"]).as_py() or 0 for stream in streams}, table["sample"]
    return Counts(inputs.task, samples, inputs.task.numbers(table["y"]), present, _splits(inputs, samples))


def _splits(inputs: Inputs, samples: pa.ChunkedArray) -> dict[str, np.ndarray]:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = inputs.root / "data/splits/splits.parquet"
    if not path.exists() or "seed_0" not in pq.read_schema(path).names:
        return {}
    table = pq.read_table(path, columns=["sample", "seed_0"])
    where = table["seed_0"].take(pc.index_in(samples, table["sample"]))
    found = {split: pc.fill_null(pc.equal(where, split), False).to_numpy() for split in SPLITS}
    return {split: these for split, these in found.items() if these.any()}


def words(counts: Counts) -> str:
    """What is to be told of each sample: `in 10 classes`."""
    task, (one, several) = counts.task, counts.task.category
    if task.quantities:
        named = [f"{name} in {unit}" if unit else name for name, unit in task.quantities.items()]
        shown = [*named[:3], f"{len(named) - 3} more numbers"] if len(named) > 4 else named
        return f"of which {listed(shown)} {'are' if len(named) > 1 else 'is'} to be predicted"
    known = int((task.tally(counts.y) > 0).sum())
    if task.categorical:
        return f"in {known} {one if known == 1 else several}"
    return f"with {known} {one if known == 1 else several}, {task.tally(counts.y).sum() / len(counts.y):.1f} per sample"


def pictures(counts: Counts) -> list[Figure]:
    """One or more."""
    if not counts.task.quantities:
        return [_categories(counts)]
    names = list(counts.task.quantities)
    made = [_spread(counts, k, name) for k, name in enumerate(names[:CHARTS])] if counts.splits else []
    return [*made, _quantiles(counts)]


def _categories(counts: Counts) -> Figure:
    task, (one, several) = counts.task, counts.task.category
    found = {name: int(n) for name, n in zip(task.categories, task.tally(counts.y), strict=True) if n}
    shown = sorted(found, key=lambda name: (-found[name], name))[:MOST] if len(found) > MOST else list(found)
    highest = max(found.values(), default=1)
    rows = [
        [
            Cell(name, name, head=True),
            Cell(numbers.whole(found[name]), found[name], classes="number"),
            Cell(bar=bar(found[name] / highest)),
        ]
        for name in shown
    ]
    caption = f"The {MOST} largest of {len(found)} {several}." if len(found) > MOST else ""
    return Figure(Table(f"Samples per {one}", [one, "samples", ""], rows), caption, capital(several))


def _spread(counts: Counts, k: int, name: str) -> Figure:
    """A histogram per split, as lines."""
    values, unit = counts.y[:, k].astype(np.float64), counts.task.quantities[name]
    edges = np.histogram_bin_edges(values, BINS)
    middle = ((edges[1:] + edges[:-1]) / 2).tolist()
    series = []
    for place, (split, these) in enumerate(counts.splits.items()):
        share = np.histogram(values[these], edges)[0] / these.sum()
        tips = [f"{split}: {numbers.percent(one)} from {numbers.plain(low)} to {numbers.plain(high)} {unit}".rstrip()
                for one, low, high in zip(share, edges[:-1], edges[1:], strict=True)]
        series.append(Line(split, Look(NUMBER + place, place, place), middle, share.tolist(), tips=tips))
    chart = lines(series, name, unit, "share of the split", numbers.tick, f"How {name} is spread in each split",
                  x_zero=False, named=True)
    return Figure(chart, title=capital(name))


def _quantiles(counts: Counts) -> Figure:
    """Of all samples, and of each split."""
    rows, named = [], len(counts.task.quantities) > 1
    for k, (name, unit) in enumerate(counts.task.quantities.items()):
        metric = counts.task.columns(name, ["mae"])["mae"]
        for split, these in {"all": np.ones(len(counts.y), bool), **counts.splits}.items():
            own = np.quantile(counts.y[these, k].astype(np.float64), list(QUANTILES.values()))
            head = f"{name}{f', {unit}' if unit else ''}: {split}" if named else split
            rows.append([Cell(head, head=True), *(Cell(cell(metric, float(value)), classes="number") for value in own)])
    name, unit = next(iter(counts.task.quantities.items()))
    title = "Numbers" if named else capital(name) + (f", {unit}" if unit else "")
    return Figure(Table("Quantiles of the targets", ["samples", *QUANTILES], rows),
                  "Splits are those of the first seed." if counts.splits else "", title)
