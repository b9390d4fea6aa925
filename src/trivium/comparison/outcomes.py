"""What `evaluate` left of every strategy, read back and lined up sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from trivium.data.tables import read_json
from trivium.errors import UserError
from trivium.evaluation.metrics import Outcome, outcome


@dataclass(frozen=True)
class Evaluated:
    """All strategies on the same test samples.

    seeds: in ascending order. outcomes: per strategy, one per seed. rows: per seed, which of all test samples its
    outcomes are about, in their order. metrics: each strategy's `metrics.json`.
    """

    seeds: tuple[int, ...]
    outcomes: dict[str, list[Outcome]]
    rows: list[NDArray[np.int64]]
    metrics: dict[str, dict[str, Any]]


def load(folder: str | Path, strategies: Sequence[str], file: str = "predictions.parquet") -> Evaluated:
    """Read `<folder>/<strategy>/{<file>,metrics.json}`.

    Raises:
        UserError: something is missing, or strategies were tested on different seeds or samples.
    """
    first: tuple[Path, pa.Table] | None = None
    outcomes, metrics = {}, {}
    for name in strategies:
        path = Path(folder) / name / file
        if not path.exists():
            raise UserError(f"{path} does not exist: `{name}` was not evaluated. Run `dvc repro`.")
        table = _sorted(path)
        keys = table.select(["seed", "sample", "y"])
        if first is None:
            first = path, keys
        elif not keys.equals(first[1]):
            raise UserError(f"{path} and {first[0]} are not about the same seeds and test samples, so they cannot be "
                            "compared. Run `dvc repro`, which brings both up to date.")
        metrics[name] = read_json(path.with_name("metrics.json"))
        outcomes[name] = [_outcome(part) for part in _by_seed(table)]
    assert first is not None
    codes = first[1]["sample"].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    parts = _by_seed(first[1].append_column("code", pa.array(codes)))
    seeds = tuple(part["seed"][0].as_py() for part in parts)
    if len(seeds) < 2:
        raise UserError(f"{first[0]} has one seed only: without a second one nothing can be said about chance. "
                        "Set `seeds` in params.yaml to 2 or more (5 to 10 are advised).")
    return Evaluated(seeds, outcomes, [part["code"].to_numpy() for part in parts], metrics)


def probabilities(folder: Path) -> list[NDArray[np.float64]]:
    """Per seed, `[B, C]` of one strategy, in the order of its outcomes."""
    return [_probabilities(part).astype(np.float64) for part in _by_seed(_sorted(folder / "predictions.parquet"))]


def _sorted(path: Path) -> pa.Table:
    return pq.read_table(path).sort_by([("seed", "ascending"), ("sample", "ascending")])


def _by_seed(table: pa.Table) -> list[pa.Table]:
    """Slices of a table that is sorted by seed."""
    _, starts, counts = np.unique(table["seed"].to_numpy(), return_index=True, return_counts=True)
    return [table.slice(int(start), int(count)) for start, count in zip(starts, counts, strict=True)]


def _outcome(part: pa.Table) -> Outcome:
    return outcome(_probabilities(part), part["y"].to_numpy())


def _probabilities(part: pa.Table) -> NDArray[np.float32]:
    return part["probabilities"].combine_chunks().flatten().to_numpy().reshape(len(part), -1)
