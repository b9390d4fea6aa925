"""`reference.json` of an exported folder: what the model's inputs and answers looked like. Of words it has counts, of
numbers counts and quantiles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from trivium.data.out import Out, Part
from trivium.runtime.statistics import Statistics

NAME = "reference.json"
BINS = 10
STEPS = 40  # parts of the rows that quantiles are between
WORDS = 30  # of a statistic that are told apart
NEAR = 1e-5  # of a number, as a share of it: what is as near is the same
STATES = ("given", "missing", "unreadable", "unknown")  # see `trivium.runtime.statistics`


class Sketch(Part):
    """One statistic. edges: between bins of numbers, empty for words;  names: of words;  counts: rows per bin, for
    words with one bin more, of those that have no name here

    grid, below: of numbers, quantiles and how many rows are not above each; empty in files of an older version
    """

    edges: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    counts: tuple[int, ...]
    grid: tuple[float, ...] = ()
    below: tuple[int, ...] = ()

    def count(self, given: Iterable[float | str]) -> np.ndarray:
        """Values per bin, int [K]."""
        if self.names:
            where = {name: k for k, name in enumerate(self.names)}
            bins = np.array([where.get(str(v), len(where)) for v in given], np.int64)
        else:
            bins = np.searchsorted(self.edges, np.array([float(v) for v in given]), "right")
        return np.bincount(bins, minlength=len(self.counts))


class Reference(Out):
    """model: see `watch.fingerprint`;  streams: per stream and statistic;  answer: per statistic of the answers."""

    model: str
    streams: dict[str, dict[str, Sketch]]
    answer: dict[str, Sketch]


def sketch(given: list[float | str]) -> Sketch:
    if any(isinstance(v, str) for v in given):
        common = Counter(str(v) for v in given)
        names = sorted(sorted(common, key=lambda name: (-common[name], name))[:WORDS])
        names = [*STATES] if set(names) <= set(STATES) else names  # one that train never had is called by its name, too
        empty = Sketch(names=tuple(names), counts=(0,) * (len(names) + 1))
    else:
        numbers = np.array(given, float)
        edges, grid = _between(numbers, BINS), _between(numbers, STEPS)
        empty = Sketch(edges=edges, grid=grid, below=tuple(below(grid, numbers).tolist()),
                       counts=(0,) * (len(edges) + 1))
    return empty.model_copy(update={"counts": tuple(empty.count(given).tolist())})


def below(grid: Iterable[float], numbers: np.ndarray) -> np.ndarray:
    """How many of them are not above each of the grid's, int [K]."""
    return np.searchsorted(np.sort(numbers), np.array(tuple(grid)), "right")


def _between(numbers: np.ndarray, parts: int) -> tuple[float, ...]:
    """What divides them into so many parts of about as many rows. A number that many rows have is a part of its own:
    neither what is above nor what is below is it.
    """
    cuts: list[float] = []
    for cut in np.unique(np.quantile(numbers, np.arange(1, parts) / parts)):
        near = NEAR * max(1.0, abs(cut))
        common = np.mean(abs(numbers - cut) < near) > 1 / parts
        cuts += [cut - near, cut + near] if common else [cut]
    return tuple(sorted({float(f"{cut:.8g}") for cut in cuts}))


def gathered(rows: Iterable[Statistics]) -> dict[str, list[float | str]]:
    found: dict[str, list[float | str]] = {}
    for row in rows:
        for name, value in row.items():
            found.setdefault(name, []).append(value)
    return found


def sketches(rows: Iterable[Statistics]) -> dict[str, Sketch]:
    return {name: sketch(given) for name, given in gathered(rows).items()}


def psi(expected: np.ndarray, counts: np.ndarray) -> float:
    """Of counts [K]; half a row is added to each bin, so that an empty one is not infinitely far."""
    used = (expected + counts) > 0
    e, c = expected[used] + 0.5, counts[used] + 0.5
    e, c = e / e.sum(), c / c.sum()
    return float(((c - e) * np.log(c / e)).sum())
