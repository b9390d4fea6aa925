"""A/A with real training: one strategy at many seeds, dealt into two names of five seeds each, again and again.

The two names train the same thing, so every difference that is declared is a false one. All seeds share one test set,
so that any two can stand side by side. Deals share trainings and are not independent: the share is what counts, its
interval is that of independent deals and a little too narrow.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.evidence import worlds
from benchmarks.evidence.statistics import RULES, share
from trivium.comparison import outcomes
from trivium.comparison.pairs import compare, measure
from trivium.data import tables

SEEDS, EACH, DEALS = 40, 5, 200
STRATEGY = "end_to_end"
SIZE = replace(worlds.WORLDS["redundant"], train=300, epochs=10, seeds=SEEDS)


def run() -> dict[str, Any]:
    """`false_winner_share` with its interval and number of deals, the trainings, and their accuracies."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        worlds.settings(folder, SIZE, only=[STRATEGY])
        worlds.stages(folder, after_ingest=_one_split)
        found = outcomes.load(folder / "reports/evaluate", [STRATEGY])
    trained, rows = found.outcomes[STRATEGY], found.units[0]
    rng = np.random.default_rng(0)
    declared = []
    for _ in range(DEALS):
        seeds = rng.permutation(SEEDS)[: 2 * EACH]
        names = {"a": [trained[k] for k in seeds[:EACH]], "b": [trained[k] for k in seeds[EACH:]]}
        pair, = compare(names, measure(found.task, names, [rows] * EACH, RULES, (RULES.metric.key,)), RULES)
        declared.append(pair.beats)
    return {**share(declared, "false_winner_share"), "trainings": SEEDS,
            "accuracies": sorted(round(float(one.correct.mean()), 4) for one in trained)}


def _one_split(folder: Path) -> None:
    """Name train, val and test in the data, so that every seed gets the same."""
    path = folder / "data/raw/labels.parquet"
    labels = tables.read(path)
    names = ["train"] * SIZE.train + ["val"] * worlds.VALIDATION + ["test"] * worlds.TEST
    tables.write(labels.append_column("split", pa.array(names)), path)
