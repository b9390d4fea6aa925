"""The outs of the stages up to `split` that a look reads."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium import tasks
from trivium.data import tables, unlabelled
from trivium.data.leaks import PATH, Leaks
from trivium.data.meta import Meta
from trivium.report.media import Media
from trivium.tasks import Task


class Seen:
    """Read when asked for. Raises: UserError (the outs are of another version)."""

    def __init__(self, root: Path, media_budget: int = 0) -> None:
        self.root = root
        self.meta = Meta.read(root / "data/aligned/meta.json")
        self.media = Media(root / self.meta.root, media_budget)
        self._path = root / "data/aligned/samples.parquet"

    @property
    def streams(self) -> list[str]:
        return list(self.meta.streams or {})

    def modality(self, stream: str) -> str:
        return (self.meta.streams or {})[stream]

    @cached_property
    def task(self) -> Task:
        return tasks.of(self.meta.task or {})

    @cached_property
    def rows(self) -> int:
        return tables.count(self._path)

    def column(self, name: str) -> pa.ChunkedArray:
        return tables.read(self._path, [name])[name]

    @cached_property
    def present(self) -> np.ndarray:
        """bool [samples, streams]."""
        return np.stack([self.column(f"has_{s}").to_numpy() for s in self.streams], 1)

    @cached_property
    def strata(self) -> np.ndarray:
        """int64 [samples]: the class of each, or what splits are balanced by; -1 without a label."""
        y = self.column("y")
        known = y.is_valid().to_numpy()
        found = np.full(self.rows, -1)
        found[known] = self.task.strata(unlabelled.numbers(self.task, y)[known])
        return found

    @cached_property
    def learned(self) -> np.ndarray:
        """bool [samples]: of the first seed's train rows; all where nothing is split yet."""
        path = self.root / "data/splits/splits.parquet"
        if not path.exists():
            return np.ones(self.rows, bool)
        return pc.equal(tables.read(path, ["seed_0"])["seed_0"], "train").to_numpy()

    @cached_property
    def validation(self) -> dict[str, Any]:
        """`reports/validation.json`."""
        return self.json("reports/validation.json")

    @cached_property
    def splits(self) -> dict[str, Any]:
        return self.json("data/splits/splits.json")

    @cached_property
    def leaks(self) -> Leaks | None:
        return Leaks.found(self.root / PATH)

    def examples(self, places: list[int]) -> list[dict[str, Any]]:
        """Rows of samples; `target`: what the truth is called, `truth`: it in words."""
        table = tables.read(self._path).take(pa.array(places, pa.int64()))
        rows = table.to_pylist()
        for row, y in zip(rows, unlabelled.numbers(self.task, table["y"]), strict=True):
            row |= {"target": self.task.target, "truth": "none" if row["y"] is None else self.task.words(y)}
        return rows

    def json(self, path: str) -> Any:
        """`{}` when there is none."""
        return tables.read_json(self.root / path) if (self.root / path).exists() else {}
