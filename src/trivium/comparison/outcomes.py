"""What `evaluate` left of every strategy, read back and lined up sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from trivium.data.tables import GROUPS, read, read_json
from trivium.evaluation import predictions
from trivium.evaluation.metrics import Outcome, joined, outcome
from trivium.settings.errors import UserError

SPLITS = Path("data/splits/splits.parquet")


@dataclass(frozen=True)
class Evaluated:
    """All strategies on the same test samples.

    seeds: in ascending order. outcomes: per strategy, one per seed. units: per seed, which unit each outcome is of, in
    their order: a number per group of samples that belong together, or per sample where a test set has fewer than
    `tables.GROUPS` of them. metrics: each strategy's `metrics.json`.
    """

    seeds: tuple[int, ...]
    outcomes: dict[str, list[Outcome]]
    units: list[NDArray[np.int64]]
    metrics: dict[str, dict[str, Any]]


def load(folder: str | Path, strategies: Sequence[str], file: str = "predictions.parquet") -> Evaluated:
    """Read `<folder>/<strategy>/{<file>,metrics.json}`, and which samples are of one group.

    folder: `reports/evaluate` of a project.

    Raises:
        UserError: something is missing, or strategies were tested on different seeds or samples.
    """
    first: tuple[Path, pa.Table] | None = None
    outcomes, metrics = {}, {}
    for name in strategies:
        path = Path(folder) / name / file
        if not path.exists():
            raise UserError(f"{path} does not exist: `{name}` was not evaluated. Run `dvc repro`.")
        keys, outcomes[name] = _read(path)
        if first is None:
            first = path, keys
        elif not keys.equals(first[1]):
            raise UserError(f"{path} and {first[0]} are not about the same seeds and test samples, so they cannot be "
                            "compared. Run `dvc repro`, which brings both up to date.")
        metrics[name] = read_json(path.with_name("metrics.json"))
    assert first is not None
    path, keys = first
    if len(outcomes[strategies[0]]) < 2:
        raise UserError(f"{path} has one seed only: without a second one nothing can be said about chance. "
                        "Set `seeds` in params.yaml to 2 or more (5 to 10 are advised).")
    seeds, starts = np.unique(keys["seed"].to_numpy(), return_index=True)
    units = _units(read(Path(folder).parents[1] / SPLITS), keys["sample"], starts[1:])
    return Evaluated(tuple(seeds.tolist()), outcomes, units, metrics)


def _units(splits: pa.Table, samples: pa.ChunkedArray, starts: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Per seed, whose `samples` begin at `starts`, the unit of each, see `Evaluated`."""
    rows = pc.index_in(samples, splits["sample"]).to_numpy()
    groups = splits["group"].to_numpy()[rows]
    few = min(len(np.unique(own)) for own in np.split(groups, starts)) < GROUPS
    return np.split(np.unique(rows if few else groups, return_inverse=True)[1], starts)


def _read(path: Path) -> tuple[pa.Table, list[Outcome]]:
    """Seed, sample and label of every row, and the outcomes of each seed."""
    keys, parts = [], dict[int, list[Outcome]]()
    for seed, piece in predictions.read(path):
        keys.append(piece.select(["seed", "sample", "y"]))
        parts.setdefault(seed, []).append(outcome(predictions.probabilities(piece), piece["y"].to_numpy()))
    return pa.Table.from_batches(keys), [joined(parts[seed]) for seed in parts]
