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
from trivium.settings.errors import UserError
from trivium.tasks.scores import Array, Outcome, joined, outcome

SPLITS = Path("data/splits/splits.parquet")
SAMPLES = Path("data/features/samples.parquet")


@dataclass(frozen=True)
class Groups:
    """How many groups the test samples are of: in all seeds together, and in a seed's test set on average; as many as
    samples where none belong together. resampled: whether intervals resample whole groups, or samples one by one since
    a test set has fewer than `tables.GROUPS` groups.
    """

    whole: int
    each: float
    resampled: bool


@dataclass(frozen=True)
class Evaluated:
    """All strategies on the same test samples.

    seeds: in ascending order. outcomes: per strategy, one per seed. units: per seed, which unit each outcome is of, in
    their order: a number per group of samples that belong together, or per sample, see `Groups`. metrics: each
    strategy's `metrics.json`. shares: of the classes in train, `[C]` per seed. skipped: `metrics.json` of those that
    were not begun.
    """

    seeds: tuple[int, ...]
    outcomes: dict[str, list[Outcome]]
    units: list[NDArray[np.int64]]
    metrics: dict[str, dict[str, Any]]
    shares: list[Array]
    groups: Groups
    skipped: dict[str, dict[str, Any]]


def load(folder: str | Path, strategies: Sequence[str], file: str = "predictions.parquet") -> Evaluated:
    """Read `<folder>/<strategy>/{<file>,metrics.json}`, which samples are of one group, and the labels of train.

    folder: `reports/evaluate` of a project.

    Raises:
        UserError: something is missing, strategies were tested on different seeds or samples, or none was begun.
    """
    first: tuple[Path, pa.Table] | None = None
    outcomes, metrics, skipped = dict[str, list[Outcome]](), {}, {}
    for name in strategies:
        path, about = Path(folder) / name / file, Path(folder) / name / "metrics.json"
        if not about.exists():
            raise UserError(f"{about} does not exist: `{name}` was not evaluated. Run `dvc repro`.")
        metrics[name] = read_json(about)
        if "skipped" in metrics[name]:
            skipped[name] = metrics.pop(name)
            continue
        if not path.exists():
            raise UserError(f"{path} does not exist: `{name}` was not evaluated. Run `dvc repro`.")
        keys, outcomes[name] = _read(path)
        if first is None:
            first = path, keys
        elif not keys.equals(first[1]):
            raise UserError(f"{path} and {first[0]} are not about the same seeds and test samples, so they cannot be "
                            "compared. Run `dvc repro`, which brings both up to date.")
    if first is None:
        raise UserError("There is nothing to compare, since the budget pays for no strategy: "
                        f"{min(skipped.values(), key=lambda one: one['skipped']['needed'])['skipped']['sentence']} "
                        "Raise `budget` in params.yaml.")
    path, keys = first
    if len(next(iter(outcomes.values()))) < 2:
        raise UserError(f"{path} has one seed only: without a second one nothing can be said about chance. "
                        "Set `seeds` in params.yaml to 2 or more (5 to 10 are advised).")
    seeds, starts = np.unique(keys["seed"].to_numpy(), return_index=True)
    root, classes = Path(folder).parents[1], next(iter(outcomes.values()))[0].classes
    units, groups = _units(read(root / SPLITS), keys["sample"], starts[1:])
    return Evaluated(tuple(seeds.tolist()), outcomes, units, metrics,
                     _shares(root / SAMPLES, seeds.tolist(), classes), groups, skipped)


def _units(splits: pa.Table, samples: pa.ChunkedArray, starts: NDArray[np.int64],
           ) -> tuple[list[NDArray[np.int64]], Groups]:
    """Per seed, whose `samples` begin at `starts`, the unit of each, see `Evaluated`."""
    rows = pc.index_in(samples, splits["sample"]).to_numpy()
    groups = splits["group"].to_numpy()[rows]
    each = [len(np.unique(own)) for own in np.split(groups, starts)]
    enough = min(each) >= GROUPS
    units = np.split(np.unique(groups if enough else rows, return_inverse=True)[1], starts)
    return units, Groups(len(np.unique(groups)), float(np.mean(each)), enough)


def _shares(path: Path, seeds: Sequence[int], classes: int) -> list[Array]:
    table = read(path)
    y = table["y"].to_numpy()
    counts = [np.bincount(y[pc.equal(table[f"seed_{seed}"], "train").to_numpy()], minlength=classes) for seed in seeds]
    return [one / one.sum() for one in counts]


def _read(path: Path) -> tuple[pa.Table, list[Outcome]]:
    """Seed, sample and label of every row, and the outcomes of each seed."""
    keys, parts = [], dict[int, list[Outcome]]()
    for seed, piece in predictions.read(path):
        keys.append(piece.select(["seed", "sample", "y"]))
        parts.setdefault(seed, []).append(outcome(predictions.probabilities(piece), piece["y"].to_numpy()))
    return pa.Table.from_batches(keys), [joined(parts[seed]) for seed in parts]
