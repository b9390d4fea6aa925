"""`reference.json` of an exported folder: what its inputs and answers look like, as counts per bin, for `trivium drift`

Inputs are those of train rows. Answers are those to validation rows: a model is surer of the rows that it learned from,
so that every new row would look like drift beside them. No row can be told from it: bins are tenths of the rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from trivium.data.out import Out, Part
from trivium.runtime import watch
from trivium.runtime.runner import Runner
from trivium.serving.export.smoke import real
from trivium.settings.errors import UserError

NAME = "reference.json"
ROWS = 2000  # of each split, at most
BINS = 10
STATES = ("given", "missing", "unreadable")  # see `watch.described`


class Sketch(Part):
    """One statistic. edges: between bins of numbers, empty for words;  names: of words;  counts: rows per bin, for
    words with one bin more, of those that were not seen.
    """

    edges: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    counts: tuple[int, ...]

    def count(self, given: Iterable[float | str]) -> np.ndarray:
        """Values per bin, int [K]."""
        where = {name: k for k, name in enumerate(self.names)}
        bins = [where.get(str(v), len(where)) if self.names else int(np.searchsorted(self.edges, float(v), "right"))
                for v in given]
        return np.bincount(bins, minlength=len(self.counts))


class Reference(Out):
    """model: see `watch.fingerprint`;  streams: per stream and statistic;  answer: per statistic of the answers."""

    model: str
    streams: dict[str, dict[str, Sketch]]
    answer: dict[str, Sketch]


def sketch(given: list[float | str]) -> Sketch:
    if any(isinstance(v, str) for v in given):
        names = sorted({str(v) for v in given})
        names = [*STATES] if set(names) <= set(STATES) else names  # one that train never had is called by its name, too
        empty = Sketch(names=tuple(names), counts=(0,) * (len(names) + 1))
    else:
        numbers = np.array(given, float)
        cuts: list[float] = []
        for cut in np.unique(np.quantile(numbers, np.arange(1, BINS) / BINS)):
            near = 1e-5 * max(1.0, abs(cut))
            common = np.mean(abs(numbers - cut) < near) > 1 / BINS  # a bin of its own: what is above it is not it
            cuts += [cut - near, cut + near] if common else [cut]
        edges = sorted({float(f"{edge:.8g}") for edge in cuts})
        empty = Sketch(edges=tuple(edges), counts=(0,) * (len(edges) + 1))
    return empty.model_copy(update={"counts": tuple(empty.count(given).tolist())})


def gathered(rows: list[watch.Statistics]) -> dict[str, list[float | str]]:
    found: dict[str, list[float | str]] = {}
    for row in rows:
        for name, value in row.items():
            found.setdefault(name, []).append(value)
    return found


def made(runner: Runner, root: Path, seed: int) -> Reference:
    """From raw rows of `seed`'s train and validation sets. runner: of the exported folder"""
    streams = {s: runner.streams[s] for s in runner.read}
    rows, media = real(root, runner.streams, seed, ROWS, "train", spread=True)
    seen = [watch.described(row, streams, media) for row in rows]
    rows, media = real(root, runner.streams, seed, ROWS, "val", spread=True)
    stored, _, errors = runner.answers(rows, media)
    said = watch.answers(runner.task, stored[[error is None for error in errors]])
    return Reference(model=watch.fingerprint(runner.folder), answer=sketches(said),
                     streams={s: sketches([one[s] for one in seen]) for s in streams})


def sketches(rows: list[watch.Statistics]) -> dict[str, Sketch]:
    return {name: sketch(given) for name, given in gathered(rows).items()}


def read(folder: Path) -> Reference:
    """Raises: UserError."""
    found = Reference.found(folder / NAME)
    if found is None:
        raise UserError(f"There is no {NAME} in {folder}, with which a log is compared: export the model again "
                        "(`trivium export NAME`), or name its folder with --folder.")
    return found
