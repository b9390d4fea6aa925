"""The test answers of all strategies, row by row; of what a model says of each sample, only a piece is held at a time.

Legend: `N` rows, `T` the shape of one target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from trivium import tasks
from trivium.evaluation import predictions
from trivium.evaluation.metrics import Evaluation, Seed
from trivium.tasks import Task

BINS = 10  # of stated probabilities


@dataclass(frozen=True)
class Told:
    """Of one strategy. prediction: [N, *T].  gap: how far off it is, [N] (see `Task.gap`).  confidence: the probability
    of the predicted class, 0-1 [N], None where there are no classes.  claims: [BINS, 3] per equally wide bin of stated
    probabilities: their sum, how many came true, how many there are; None where none are stated.
    """

    prediction: np.ndarray
    gap: np.ndarray
    confidence: np.ndarray | None
    claims: np.ndarray | None


@dataclass(frozen=True)
class Answers:
    """keys: a table of seed, sample and y.  y: targets [N, *T].  told: by strategy."""

    task: Task
    keys: pa.Table
    y: np.ndarray
    told: dict[str, Told]

    def right(self, strategy: str) -> np.ndarray:
        """bool [N]"""
        return self.told[strategy].gap == 0


def read(root: Path, evaluations: Mapping[str, Evaluation]) -> Answers | None:
    """None without predictions. A strategy that was tested on other rows than the first one is left out."""
    found: Answers | None = None
    for name, tested in evaluations.items():
        path = root / f"reports/evaluate/{name}/predictions.parquet"
        if path.exists():
            keys, y, told = _read(path, tested.seeds)
            if found is None:
                found = Answers(tasks.of(tested.task), keys, y, {})
            if keys.equals(found.keys):
                found.told[name] = told
    return found


def _read(path: Path, seeds: list[Seed]) -> tuple[pa.Table, np.ndarray, Told]:
    own = {one.seed: tasks.of(one.task) for one in seeds}
    keys, goals, guesses, gaps, sure = [], [], [], [], []
    claims = np.zeros((BINS, 3))
    stated = False
    for seed, piece in predictions.read(path):
        one = own[seed]
        y, guess, stored = one.numbers(piece["y"]), one.numbers(piece["prediction"]), predictions.answers(piece)
        keys.append(piece.select(["seed", "sample", "y"]))
        goals.append(y)
        guesses.append(guess)
        gaps.append(one.gap(y, guess))
        if one.categorical:
            sure.append(one.truth(stored, guess))
        if (made := one.claims(stored, y)) is not None:
            stated = True
            claims += binned(*made)
    told = Told(np.concatenate(guesses), np.concatenate(gaps), np.concatenate(sure) if sure else None,
                claims if stated else None)
    return pa.Table.from_batches(keys), np.concatenate(goals), told


def binned(probability: np.ndarray, true: np.ndarray) -> np.ndarray:
    """`Told.claims` of probabilities [M] and whether it was so [M]."""
    place = np.clip((probability * BINS).astype(int), 0, BINS - 1)
    return np.stack([np.bincount(place, weights, BINS) for weights in (probability, true.astype(float), None)], 1)
