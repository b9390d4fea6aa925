"""Whether new rows look like those that a model learned from: said of a table once all its rows were seen.

A change is told only if it is large, and surely no chance. The population stability index (PSI) of counts per bin is
above 0.25, the convention for a large shift (see `trivium.serving.drift`); and chi-square, which PSI approaches, is
more than 4 standard deviations above what chance makes of so many rows (Wilson and Hilferty 1931, "The distribution of
chi-square": its cube root is nearly normal).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trivium.modalities import is_prose
from trivium.runtime import values
from trivium.runtime.answering import Answering
from trivium.runtime.reading import Samples
from trivium.runtime.statistics import Statistics
from trivium.runtime.statistics.reference import NEAR, Sketch, below, gathered, psi

SAMPLE = 500  # rows that are looked at, drawn from all
LEAST = 30  # rows that can tell
LARGE = 0.25  # PSI
SURE = 4.0  # standard deviations
NAMED = 3  # streams in a sentence
CHARACTERS = 2000  # of a text that are kept
WORDS = {"unknown": "share of unknown tokens", "silence": "share of silence"}  # where the statistic's name is too short


@dataclass(frozen=True)
class Seen:
    """A row: per stream its statistics, and the texts."""

    statistics: dict[str, Statistics]
    texts: dict[str, str]


class Unlike:
    """known: per stream and statistic, what it was in train;  root: of relative paths."""

    def __init__(self, answering: Answering, known: Mapping[str, Mapping[str, Sketch]], root: Path) -> None:
        self.answering, self.known, self.root = answering, known, root
        self.kept: list[Seen] = []
        self._count, self._draw = 0, np.random.default_rng(0)

    def see(self, samples: Samples) -> None:
        """Every row of the table is kept with the same probability (Vitter 1985, algorithm R)."""
        places = {}
        for row in range(len(samples)):
            place = self._count if self._count < SAMPLE else int(self._draw.integers(self._count + 1))
            self._count += 1
            if place < SAMPLE:
                places[place] = row
        for place, one in zip(places, seen(self.answering, [samples[row] for row in places.values()], self.root),
                              strict=True):
            self.kept[place:place + 1] = [one]

    def told(self) -> list[str]:
        """What to say; nothing where all is alike."""
        found = list(shifts(self.known, [one.statistics for one in self.kept]))
        if not found:
            return []
        more = f"; and {len(found) - NAMED} more" if len(found) > NAMED else ""
        return [f"these rows do not look like the training data: {'; '.join(found[:NAMED])}{more}."]


def seen(answering: Answering, samples: Samples, root: Path) -> list[Seen]:
    prose = [s for s in answering.read if is_prose(answering.streams[s])]
    return [Seen(own, {s: values.text(row[s])[:CHARACTERS] for s in prose if not values.missing(row.get(s))})
            for own, row in zip(answering.described(samples, root), answering.anonymised(samples), strict=True)]


def shifts(known: Mapping[str, Mapping[str, Sketch]], rows: list[dict[str, Statistics]]) -> Iterator[str]:
    """Of each stream that has shifted, the statistic that has most, in words; the largest PSI first."""
    found = []
    for s, sketches in known.items():
        given, most = gathered(row.get(s, {}) for row in rows), (0.0, "")
        for name, sketch in sketches.items():
            if not sketch.names and not sketch.grid:
                continue  # an export of an older version
            if len(own := given.get(name, [])) >= LEAST and (size := _shift(sketch, sketch.count(own))) > most[0]:
                most = size, _words(s, name, sketch, own)
        if most[0]:
            found.append(most)
    yield from (words for _, words in sorted(found, reverse=True))


def _shift(sketch: Sketch, counts: np.ndarray) -> float:
    """PSI, 0 where it is small or may be chance."""
    expected = np.array(sketch.counts)
    size, free = psi(expected, counts), int(((expected + counts) > 0).sum()) - 1
    if size <= LARGE or not free or not expected.sum():
        return 0.0
    ratio = size / (1 / expected.sum() + 1 / counts.sum()) / free
    spread = 2 / (9 * free)
    return size if (ratio ** (1 / 3) - (1 - spread)) / spread**0.5 > SURE else 0.0


def _words(s: str, name: str, sketch: Sketch, own: list[float | str]) -> str:
    """Where the shares of rows differ most."""
    column, _, what = name.rpartition(" ")
    of = f"`{column}` of {s}" if column else s
    if sketch.names:
        counts = sketch.count(own)
        new, old = counts / counts.sum(), np.array(sketch.counts) / sum(sketch.counts)
        k = int((new - old).argmax())
        known = k < len(sketch.names)
        word = "none of those known" if not known else sketch.names[k] if what == "state" else f"`{sketch.names[k]}`"
        return f"{of} is {word} in {_share(new[k])} of them{_before(old[k])}"
    new, old = (below(sketch.grid, np.array(own, float)) / len(own), np.array(sketch.below) / sum(sketch.counts))
    k = int(np.abs(new - old).argmax())
    more = bool(new[k] < old[k])
    label = of if what == "value" else f"{WORDS.get(what, what)} of {of}"
    high, low = (1 - new[k], 1 - old[k]) if more else (new[k], old[k])
    edge = sketch.grid[k] if abs(sketch.grid[k]) > 2 * NEAR else 0.0
    return f"{label} is {'above' if more else 'at most'} {edge:.3g} in {_share(high)} of them{_before(low)}"


def _share(value: float) -> str:
    return f"{value:.0%}".replace("%", " %")


def _before(value: float) -> str:
    return f" ({_share(value)} of the training rows)"
