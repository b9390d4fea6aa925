"""Everything the report reads, in one object. What is not there is empty: its section is then left out."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium import tasks
from trivium.comparison import budgets, reads
from trivium.comparison.out import PATH, Comparison, Verdict
from trivium.data import unlabelled
from trivium.data.meta import Meta, World
from trivium.data.tables import read_json, read_yaml
from trivium.drawing.looks import HUES, SHAPES, Look
from trivium.evaluation.metrics import Evaluation, Seed
from trivium.machine.measured import PLACE, Measured
from trivium.report.media import Media
from trivium.settings.errors import UserError
from trivium.tasks.metric import Metric
from trivium.training import records
from trivium.training.records import Pretrained, Trained, Unit

if TYPE_CHECKING:
    from trivium.report.answers import Answers
    from trivium.tasks import Task


class Inputs:
    """The outs of the pipeline under `root`, read when asked for.

    Raises:
        UserError: `reports/comparison.json` is missing, is not JSON, or was made by another version.
    """

    def __init__(self, root: Path, media_budget: int) -> None:
        self.root = root
        found = Comparison.found(root / PATH)
        if found is None:
            raise UserError(f"{root / PATH} does not exist: there is nothing to report yet. Run `dvc repro` first.")
        self.comparison = found
        self.meta = Meta.found(root / "data/aligned/meta.json")
        self.media = Media(root / (self.meta.root if self.meta else ""), media_budget)

    def json(self, path: str) -> Any:
        """The content of a JSON file, `{}` when there is none."""
        file = self.root / path
        return read_json(file) if file.exists() else {}

    def yaml(self, path: str) -> dict[str, Any]:
        """The content of a YAML file, `{}` when there is none."""
        return read_yaml(self.root / path)

    @cached_property
    def params(self) -> dict[str, Any]:
        return self.yaml("params.yaml")

    @cached_property
    def curves(self) -> budgets.Curves | None:
        """`reports/curves.json`, while it belongs to this comparison; see `trivium.comparison.budgets`."""
        return budgets.read(self.root, self.comparison)

    @cached_property
    def order(self) -> list[str]:
        """Strategies, best rank first."""
        return self.comparison.order

    @property
    def verdict(self) -> Verdict:
        return self.comparison.verdict

    @cached_property
    def task(self) -> Task | None:
        """What is predicted; None where neither evaluations nor data say so."""
        about = next((found.task for found in self.evaluations.values()), self.meta.task if self.meta else None)
        return tasks.of(about) if about else None

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """All that were measured, by key: the one that ranks, then in the order in which people look at them."""
        rank, found = self.comparison.metric, self.comparison.metrics
        order = [key for key in (self.task.metrics if self.task else found) if key in found]
        return {key: found[key] for key in sorted(order, key=lambda key: key != rank)}

    @cached_property
    def metric(self) -> Metric:
        """The one that ranks."""
        return self.comparison.ranks

    @cached_property
    def beside(self) -> list[Metric]:
        """Those that stand in tables next to it: where it is not the usual one, that one first."""
        usual = [self.task.primary] if self.task else []
        keys = dict.fromkeys([*usual, *self.comparison.beside])
        return [self.metrics[key] for key in keys if key != self.metric.key and key in self.metrics]

    @property
    def score(self) -> Metric:
        """Of what the analyses measure."""
        return self.comparison.score

    @cached_property
    def titles(self) -> dict[str, str]:
        """Strategy -> what people call it."""
        return self.comparison.titles

    @cached_property
    def recommended(self) -> str:
        """"" where nothing is."""
        return self.verdict.recommended or ""

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
    def training(self) -> dict[str, Trained]:
        return {name: found for name in self.order if (found := Trained.of(name, self.root))}

    def trained(self, strategy: str) -> list[records.Seed]:
        """What training recorded of each seed; empty where that is not there."""
        return self.training[strategy].seeds if strategy in self.training else []

    @cached_property
    def streams(self) -> list[str]:
        """Those that any strategy reads, in the order of the data."""
        read = [stream for found in self.evaluations.values() for stream in found.streams]
        return list(dict.fromkeys(read)) or list(self._modalities)

    def modality(self, stream: str) -> str:
        """Generated streams are called like theirs."""
        return self._modalities.get(stream, stream)

    @property
    def _modalities(self) -> dict[str, str]:
        return (self.meta.streams if self.meta else None) or {}

    @cached_property
    def recipes(self) -> dict[str, list[Unit]]:
        """Recipe -> its units of training, of those that strategies start from."""
        found = {start: Pretrained.found(self.root / "models/pretrain" / start / "training.json")
                 for start in sorted({trained.start for trained in self.training.values()})}
        return {start: one.units if one else [] for start, one in found.items()}

    @property
    def world(self) -> World | None:
        """What is known of generated data."""
        return self.comparison.dataset.world

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
            for row, y in zip(rows.values(), unlabelled.numbers(self.task, chosen["y"]), strict=True):
                row |= {"target": self.task.target, "truth": "none" if row["y"] is None else self.task.words(y)}
        return rows

    @cached_property
    def measured(self) -> dict[str, Measured]:
        """Per stage, e.g. `train@ensemble`; series (`*.system.json`) are left out, and what is broken is empty."""
        files = sorted((self.root / PLACE).glob("*.json"))
        return {file.stem: Measured.of(file.stem, self.root) for file in files if "." not in file.stem}
