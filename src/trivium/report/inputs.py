"""Everything the report reads, in one object. What is not there is empty: its section is then left out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium.errors import UserError
from trivium.report.media import Media

if TYPE_CHECKING:
    import pandas as pd

HUES = 7  # colours in style.css; the first is the accent
SHAPES = 8  # markers in charts.py


@dataclass(frozen=True)
class Look:
    """How a strategy is drawn everywhere: `number` for switching it off, `hue` and `shape` so that two ways tell it."""

    number: int
    hue: int
    shape: int

    @property
    def classes(self) -> str:
        return f"s{self.number} c{self.hue}"


class Inputs:
    """The outs of the pipeline under `root`, read when asked for.

    Raises:
        UserError: `reports/comparison.json` is missing or is not JSON.
    """

    def __init__(self, root: Path, media_budget: int) -> None:
        self.root = root
        path = root / "reports/comparison.json"
        if not path.exists():
            raise UserError(f"{path} does not exist: there is nothing to report yet. Run `dvc repro` first.")
        try:
            self.comparison: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{path} is not valid JSON ({error}). Run `dvc repro compare` again.") from None
        self.meta = self.json("data/aligned/meta.json") or self.json("data/valid/meta.json")
        self.media = Media(root / self.meta.get("root", ""), media_budget)

    def json(self, path: str) -> Any:
        """The content of a JSON file, `{}` when there is none."""
        file = self.root / path
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    def yaml(self, path: str) -> dict[str, Any]:
        """The content of a YAML file, `{}` when there is none."""
        import yaml

        file = self.root / path
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # dvc.lock can be long
        return (yaml.load(file.read_text(encoding="utf-8"), Loader=loader) or {}) if file.exists() else {}

    @cached_property
    def params(self) -> dict[str, Any]:
        return self.yaml("params.yaml")

    @cached_property
    def curves(self) -> dict[str, Any]:
        """`reports/curves.json`, while it belongs to this comparison; see `trivium.curves`."""
        from trivium import curves

        return curves.read(self.root, self.comparison)

    @cached_property
    def order(self) -> list[str]:
        """Strategies, best rank first."""
        found = self.comparison.get("strategies", {})
        return sorted(found, key=lambda name: (found[name].get("rank") or len(found), name))

    @cached_property
    def verdict(self) -> dict[str, Any]:
        return self.comparison.get("verdict") or {}

    @cached_property
    def recommended(self) -> str:
        chosen = self.verdict.get("recommended") or self.verdict.get("winner")
        return chosen if chosen in self.order else next(iter(self.order), "")

    @cached_property
    def looks(self) -> dict[str, Look]:
        """The recommended strategy has the accent colour; the others theirs by name, so that runs compare."""
        others = [name for name in sorted(self.order) if name != self.recommended]
        looks = {self.recommended: Look(0, 0, 0)}
        for number, name in enumerate(others, 1):
            looks[name] = Look(number, 1 + (number - 1) % (HUES - 1), number % SHAPES)
        return looks

    @cached_property
    def evaluations(self) -> dict[str, dict[str, Any]]:
        """`metrics.json` per strategy that has one, in the order of the report."""
        found = {name: self.json(f"reports/evaluate/{name}/metrics.json") for name in self.order}
        return {name: metrics for name, metrics in found.items() if metrics}

    def analyses(self, strategy: str, key: str) -> list[dict[str, Any]]:
        """What trivium.evaluation.analyse found out about each seed's model under `key`; empty when it was not run."""
        seeds = self.evaluations.get(strategy, {}).get("seeds") or []
        found = [seed.get(key) for seed in seeds]
        return [value for value in found if value]

    @cached_property
    def training(self) -> dict[str, dict[str, Any]]:
        found = {name: self.json(f"models/{name}/training.json") for name in self.order}
        return {name: training for name, training in found.items() if training}

    @cached_property
    def classes(self) -> list[str]:
        listed = next((m["classes"] for m in self.evaluations.values() if m.get("classes")), None)
        return [str(label) for label in listed or self.meta.get("classes") or []]

    @cached_property
    def modalities(self) -> list[str]:
        listed = next((m["modalities"] for m in self.evaluations.values() if m.get("modalities")), None)
        return list(listed or self.meta.get("modalities") or [])

    @cached_property
    def world(self) -> dict[str, Any]:
        """What is known of generated data: `bits` and `bayes` per modality and together; else empty."""
        return self.meta.get("world") or self.comparison.get("dataset", {}).get("world") or {}

    @cached_property
    def answers(self) -> dict[str, pd.DataFrame]:
        """Test predictions per strategy: index (seed, sample); columns y, prediction, confidence, truth.

        Only rows that every strategy answered, in one order. `confidence` is the probability of the prediction,
        `truth` that of the right class, 0-1.
        """
        frames = {}
        for name in self.order:
            path = self.root / f"reports/evaluate/{name}/predictions.parquet"
            if path.exists():
                frames[name] = _answers(path).sort_index()
        if not frames:
            return {}
        shared = None
        for frame in frames.values():
            shared = frame.index if shared is None or frame.index.equals(shared) else shared.intersection(frame.index)
        return {name: frame.reindex(shared) for name, frame in frames.items()}

    def rows(self, samples: list[str]) -> dict[str, dict[str, Any]]:
        """Rows of `samples.parquet` by sample name."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        path = self.root / "data/aligned/samples.parquet"
        if not path.exists():
            return {}
        table = pq.read_table(path)
        chosen = table.filter(pc.is_in(table["sample"], pa.array(samples, table["sample"].type)))
        return {row["sample"]: row for row in chosen.to_pylist()}

    @cached_property
    def measured(self) -> dict[str, dict[str, Any]]:
        """Measured seconds and memory per stage, e.g. `fuse@ensemble`; series (`*.system.json`) are left out."""
        files = sorted((self.root / "reports/measured").glob("*.json"))
        return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files if "." not in file.stem}


def _answers(path: Path) -> pd.DataFrame:
    import numpy as np
    import pandas as pd
    import pyarrow.parquet as pq

    parts = []
    for batch in pq.ParquetFile(path).iter_batches(batch_size=8192):
        if not len(batch):
            continue
        probabilities = np.asarray(batch.column("probabilities").flatten(), dtype=np.float32).reshape(len(batch), -1)
        rows = np.arange(len(batch))
        found = {name: np.asarray(batch.column(name)) for name in ("seed", "y", "prediction")}
        parts.append(
            pd.DataFrame(
                {
                    "seed": found["seed"],
                    "sample": batch.column("sample").to_pandas().astype(str),
                    "y": found["y"],
                    "prediction": found["prediction"],
                    "confidence": probabilities[rows, found["prediction"]],
                    "truth": probabilities[rows, found["y"]],
                }
            )
        )
    columns = ["seed", "sample", "y", "prediction", "confidence", "truth"]
    return (pd.concat(parts) if parts else pd.DataFrame(columns=columns)).set_index(["seed", "sample"])
