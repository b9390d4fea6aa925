"""Everything the report reads, in one object. What is not there is empty: its section is then left out."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium import tasks
from trivium.comparison import reads
from trivium.drawing.looks import HUES, SHAPES, Look
from trivium.evaluation.metrics import Evaluation, Seed
from trivium.machine.files import read_figures
from trivium.report.media import Media
from trivium.settings.errors import UserError
from trivium.tasks.metric import Metric, share

if TYPE_CHECKING:
    from trivium.report.answers import Answers
    from trivium.tasks import Task


class Inputs:
    """The outs of the pipeline under `root`, read when asked for.

    Raises:
        UserError: `reports/comparison.json` is missing, is not JSON, or was made by an earlier version.
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
        if "metrics" not in self.comparison:
            raise UserError(f"{path} was made by an earlier version of Trivium. Run `dvc repro`.")
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
        """`reports/curves.json`, while it belongs to this comparison; see `trivium.comparison.budgets`."""
        from trivium.comparison import budgets

        return budgets.read(self.root, self.comparison)

    @cached_property
    def order(self) -> list[str]:
        """Strategies, best rank first."""
        found = self.comparison.get("strategies", {})
        return sorted(found, key=lambda name: (found[name].get("rank") or len(found), name))

    @cached_property
    def verdict(self) -> dict[str, Any]:
        return self.comparison.get("verdict") or {}

    @cached_property
    def task(self) -> Task | None:
        """What is predicted; None where neither evaluations nor data say so."""
        about = next((found.task for found in self.evaluations.values()), self.meta.get("task"))
        return tasks.of(about) if about else None

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """All that were measured, by key: the one that ranks, then in the order in which people look at them."""
        rank, found = self.comparison["metric"], self.comparison["metrics"]
        order = [key for key in (self.task.metrics if self.task else found) if key in found]
        return {key: Metric.of(found[key]) for key in sorted(order, key=lambda key: key != rank)}

    @cached_property
    def metric(self) -> Metric:
        """The one that ranks."""
        return self.metrics[self.comparison["metric"]]

    @cached_property
    def beside(self) -> list[Metric]:
        """Those that stand in tables next to it: where it is not the usual one, that one first."""
        usual = [self.task.primary] if self.task else []
        keys = dict.fromkeys([*usual, *self.comparison["beside"]])
        return [self.metrics[key] for key in keys if key != self.metric.key and key in self.metrics]

    @cached_property
    def score(self) -> Metric:
        """Of what the analyses measure."""
        return Metric.of(self.comparison["score"]) if "score" in self.comparison else share("score", "score")

    @cached_property
    def titles(self) -> dict[str, str]:
        """Strategy -> what people call it."""
        found = self.comparison.get("strategies", {})
        return {name: str(found[name].get("title") or name) for name in self.order}

    @cached_property
    def recommended(self) -> str:
        """"" where nothing is."""
        chosen = self.verdict.get("recommended")
        return chosen if chosen in self.order else ""

    @cached_property
    def shown(self) -> str:
        """The strategy that is looked at more closely: the recommended one, else the best."""
        return self.recommended or next(iter(self.order), "")

    @cached_property
    def looks(self) -> dict[str, Look]:
        """The strategy that is shown has the accent colour; the others theirs by name, so that runs compare."""
        others = [name for name in sorted(self.order) if name != self.shown]
        looks = {self.shown: Look(0, 0, 0)}
        for number, name in enumerate(others, 1):
            looks[name] = Look(number, 1 + (number - 1) % (HUES - 1), number % SHAPES)
        return looks

    @cached_property
    def evaluations(self) -> dict[str, Evaluation]:
        """Per strategy that was evaluated, in the order of the report."""
        return {name: tested for name in self.order if (tested := Evaluation.of(name, self.root))}

    def seeds(self, strategy: str) -> list[Seed]:
        """Empty where it was not evaluated."""
        tested = self.evaluations.get(strategy)
        return tested.seeds if tested else []

    @cached_property
    def read(self) -> dict[str, list[set[str]]]:
        """Strategy -> per seed, the streams that its model reads; see `trivium.comparison.reads`."""
        return {name: reads.read(tested) for name, tested in self.evaluations.items()}

    @cached_property
    def training(self) -> dict[str, dict[str, Any]]:
        found = {name: self.json(f"models/{name}/training.json") for name in self.order}
        return {name: training for name, training in found.items() if training}

    @cached_property
    def streams(self) -> list[str]:
        """Those that any strategy reads, in the order of the data."""
        read = [stream for found in self.evaluations.values() for stream in found.streams]
        return list(dict.fromkeys(read)) or list(self.meta.get("streams") or [])

    def modality(self, stream: str) -> str:
        """Generated streams are called like theirs."""
        return (self.meta.get("streams") or {}).get(stream, stream)

    @cached_property
    def recipes(self) -> dict[str, list[dict[str, Any]]]:
        """Recipe -> its units of training, of those that strategies start from."""
        starts = sorted({str(found.get("start")) for found in self.training.values()})
        return {recipe: self.json(f"models/pretrain/{recipe}/training.json").get("units") or [] for recipe in starts}

    @cached_property
    def world(self) -> dict[str, Any]:
        """What is known of generated data: `bits` and `bayes` per stream and together; else empty."""
        return self.meta.get("world") or self.comparison.get("dataset", {}).get("world") or {}

    @cached_property
    def answers(self) -> Answers | None:
        """See `report.answers`."""
        from trivium.report import answers

        return answers.read(self.root, self.evaluations)

    def rows(self, samples: list[str]) -> dict[str, dict[str, Any]]:
        """Rows of `samples.parquet` by sample name; `target`: what the truth is called, `truth`: it in words."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        path = self.root / "data/aligned/samples.parquet"
        if not path.exists():
            return {}
        table = pq.read_table(path)
        chosen = table.filter(pc.is_in(table["sample"], pa.array(samples, table["sample"].type)))
        rows = {row["sample"]: row for row in chosen.to_pylist()}
        if self.task is not None:
            for row, y in zip(rows.values(), self.task.numbers(chosen["y"]), strict=True):
                row |= {"target": self.task.target, "truth": self.task.words(y)}
        return rows

    @cached_property
    def measured(self) -> dict[str, dict[str, Any]]:
        """Measured seconds and memory per stage, e.g. `train@ensemble`; series (`*.system.json`) are left out, and what
        is broken is empty.
        """
        files = sorted((self.root / "reports/measured").glob("*.json"))
        return {file.stem: read_figures(file) for file in files if "." not in file.stem}
