"""What `evaluate` left of every strategy, read back and lined up sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from trivium import tasks
from trivium.data import unlabelled
from trivium.data.tables import GROUPS, read
from trivium.evaluation import predictions
from trivium.evaluation.metrics import Evaluation
from trivium.settings.errors import UserError
from trivium.tasks import Task
from trivium.tasks.base import Outcome, joined
from trivium.training.records import Skipped

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
    """All strategies on the same test samples. task: what they predict, with what train tells of it at the first seed.

    seeds: in ascending order. outcomes: per strategy, one per seed. units: per seed, which unit each outcome is of, in
    their order: a number per group of samples that belong together, or per sample, see `Groups`. metrics: per strategy.
    train: targets `[N, *T]` of the train rows, per seed. weights: of the samples, in their order, per seed; None where
    all count the same. skipped: title and reason of those that were not begun.
    """

    seeds: tuple[int, ...]
    outcomes: dict[str, list[Outcome]]
    units: list[NDArray[np.int64]]
    metrics: dict[str, Evaluation]
    task: Task
    train: list[NDArray]
    weights: list[NDArray[np.float64]] | None
    groups: Groups
    skipped: dict[str, tuple[str, Skipped]]


def load(folder: str | Path, strategies: Sequence[str], file: str = "predictions.parquet") -> Evaluated:
    """Read `<folder>/<strategy>/{<file>,metrics.json}`, which samples are of one group, and the targets of train.

    folder: `reports/evaluate` of a project.

    Raises:
        UserError: something is missing, strategies were tested on different seeds or samples, or none was begun.
    """
    first: tuple[Path, pa.Table] | None = None
    outcomes, metrics = dict[str, list[Outcome]](), dict[str, Evaluation]()
    skipped = dict[str, tuple[str, Skipped]]()
    for name in strategies:
        path, about = Path(folder) / name / file, Path(folder) / name / "metrics.json"
        tested = Evaluation.found(about)
        if tested is None:
            raise UserError(f"{about} does not exist: `{name}` was not evaluated. Run `dvc repro`.")
        if tested.skipped:
            skipped[name] = tested.title, tested.skipped
            continue
        if not path.exists():
            raise UserError(f"{path} does not exist: `{name}` was not evaluated. Run `dvc repro`.")
        metrics[name] = tested
        keys, outcomes[name] = _read(path, tested)
        if first is None:
            first = path, keys
        elif not keys.equals(first[1]):
            raise UserError(f"{path} and {first[0]} are not about the same seeds and test samples, so they cannot be "
                            "compared. Run `dvc repro`, which brings both up to date.")
    if first is None:
        raise UserError("There is nothing to compare, since the budget pays for no strategy: "
                        f"{min((one for _, one in skipped.values()), key=lambda one: one.needed).sentence} "
                        "Raise `budget` in params.yaml.")
    path, keys = first
    if len(next(iter(outcomes.values()))) < 2:
        raise UserError(f"{path} has one seed only: without a second one nothing can be said about chance. "
                        "Set `seeds` in params.yaml to 2 or more (5 to 10 are advised).")
    seeds, starts = np.unique(keys["seed"].to_numpy(), return_index=True)
    root, task = Path(folder).parents[1], tasks.of(next(iter(metrics.values())).task)
    units, groups = _units(read(root / SPLITS), keys["sample"], starts[1:])
    samples = read(root / SAMPLES)
    y = unlabelled.numbers(task, samples["y"])
    train = [y[pc.equal(samples[f"seed_{seed}"], "train").to_numpy()] for seed in seeds.tolist()]
    return Evaluated(tuple(seeds.tolist()), outcomes, units, metrics, task.fitted(train[0]), train,
                     _weights(samples, keys["sample"], starts[1:]), groups, skipped)


def _units(splits: pa.Table, samples: pa.ChunkedArray, starts: NDArray[np.int64],
           ) -> tuple[list[NDArray[np.int64]], Groups]:
    """Per seed, whose `samples` begin at `starts`, the unit of each, see `Evaluated`."""
    rows = pc.index_in(samples, splits["sample"]).to_numpy()
    groups = splits["group"].to_numpy()[rows]
    each = [len(np.unique(own)) for own in np.split(groups, starts)]
    enough = min(each) >= GROUPS
    units = np.split(np.unique(groups if enough else rows, return_inverse=True)[1], starts)
    return units, Groups(len(np.unique(groups)), float(np.mean(each)), enough)


def _weights(table: pa.Table, samples: pa.ChunkedArray, starts: NDArray[np.int64]) -> list[NDArray[np.float64]] | None:
    """Per seed, whose `samples` begin at `starts`, the weight of each."""
    if "weight" not in table.column_names:
        return None
    rows = pc.index_in(samples, table["sample"]).to_numpy()
    return np.split(table["weight"].to_numpy().astype(np.float64)[rows], starts)


def _read(path: Path, metrics: Evaluation) -> tuple[pa.Table, list[Outcome]]:
    """Seed, sample and target of every row, and the outcomes of each seed."""
    own = {seed.seed: tasks.of(seed.task) for seed in metrics.seeds}
    keys, parts = [], dict[int, list[Outcome]]()
    for seed, piece in predictions.read(path):
        keys.append(piece.select(["seed", "sample", "y"]))
        task = own[seed]
        parts.setdefault(seed, []).append(task.outcome(predictions.answers(piece), task.numbers(piece["y"])))
    return pa.Table.from_batches(keys), [joined(parts[seed]) for seed in parts]
