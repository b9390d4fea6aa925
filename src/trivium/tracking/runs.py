"""Writing runs: one parent per strategy with its seeds nested, and one run for the comparison."""

from __future__ import annotations

import csv
import json
import math
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from trivium.comparison.budgets import OUT
from trivium.comparison.figures import looks
from trivium.comparison.out import Comparison
from trivium.machine.spreadsheet import safe
from trivium.tracking import confusion, notes, series, server, store
from trivium.tracking.outs import Outcome, Outs, commit, digest, inputs, measured, settings
from trivium.tracking.series import Point, batches
from trivium.training.records import Tuning

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput

LARGE = 100_000_000  # bytes of an out that is not copied: each new result would cost that much disk again


class Writer:
    """Writes into one experiment. `code`: what models are logged with, see `package.code`.  owner: see `server`.

    until: when `time.monotonic` says that, no further run is begun, see `server.slow`
    `now`: milliseconds since 1970, one more for each run, so that order is creation.
    """

    def __init__(self, client: MlflowClient, experiment: str, outs: Outs, code: Path,
                 owner: str | None = None, until: float = math.inf) -> None:
        self.client, self.experiment, self.outs, self.code, self.owner = client, experiment, outs, code, owner
        self.now, self.until = round(1000 * time.time()), until
        self.commit = commit(outs.root)

    def strategy(self, outcome: Outcome) -> str:
        """A parent run and its seeds; returns the parent's id. It counts as written once its status is FINISHED."""
        from trivium.tracking import model

        spent = measured(self.outs.root, outcome)
        parent = self._start(outcome.name, self._tags("parent", outcome), self._datasets(outcome))
        end = self._end(spent.training.seconds)
        curves = series.points({}, series.mean_curves(outcome.training.seeds), self.now)
        points, tags = self._summary(outcome)
        shares, mark = self._shares(outcome)
        points = [*curves, *series.system(spent.system), *points, *shares]
        self._log(parent, points, settings(self.outs, outcome), tags | mark)
        self._artifacts(parent, outcome)
        model_id = model.log(self.client, self.experiment, self.outs.root, outcome, parent, self.code)
        store.remove_models(self.client, self.experiment, parent, but=model_id)  # asked for twice: see `server`
        self._seeds(outcome, parent, model_id)
        self.client.set_terminated(parent, end_time=end)
        return parent

    def lacks_model(self, outcome: Outcome, parent: str) -> bool:
        """Whether the weights were not here when the run was written, and are now."""
        return outcome.servable and not self.client.search_logged_models([self.experiment],
                                                                         f"source_run_id = '{parent}'")

    def _seeds(self, outcome: Outcome, parent: str, model_id: str | None) -> None:
        tested = {seed.seed: seed for seed in outcome.metrics.seeds}
        spent = dict(zip(tested, measured(self.outs.root, outcome).training.seeds, strict=False))
        tuning = outcome.training.tuning
        tuned = {one.seed: {f"tuned.{key}": value for key, value in one.chosen.items()}
                 for one in (tuning.seeds if tuning else [])}
        for training in reversed(outcome.training.seeds):  # the newest run stands on top: seed 0
            seed = training.seed
            best = seed == outcome.training.best.seed
            tags = self._tags("seed", outcome) | {"mlflow.parentRunId": parent, "best": str(best).lower()}
            run = self._start(f"{outcome.name}/seed_{seed}", tags)
            points = series.points(series.seed_results(training, tested[seed]), series.curves(training), self.now)
            own = {"seed": seed} | tuned.get(seed, {})
            self._log(run, points, own, model_id=model_id if best else None)  # the points are the model's as well
            self.client.set_terminated(run, end_time=self._end(spent.get(seed)))

    def summary(self, outcome: Outcome, parent: str) -> None:
        """Write anew what depends on the other strategies as well, where it changed: rank, intervals, verdict."""
        known = self.client.get_run(parent).data
        points, tags = self._summary(outcome)
        if all(known.metrics.get(name) == value for name, value, *_ in points) and tags.items() <= known.tags.items():
            points, tags = [], {}
        shares, mark = self._shares(outcome)
        if not mark.items() <= known.tags.items():
            points, tags = points + shares, tags | mark
        if points:
            self._log(parent, points, tags=tags)

    def _summary(self, outcome: Outcome) -> tuple[list[Point], dict[str, str]]:
        """Final numbers and tags."""
        compared = self.outs.comparison
        entry = compared.strategies.get(outcome.name) if compared else None
        results = series.strategy_results(outcome, entry, measured(self.outs.root, outcome))
        note = notes.strategy(self.outs, outcome, results)
        winner = compared is not None and compared.verdict.winner == outcome.name
        tags = {"mlflow.note.content": note, "winner": str(winner).lower(), "mlflow.runColor": self._color(outcome)}
        return series.points(results, {}, self.now), tags

    def _shares(self, outcome: Outcome) -> tuple[list[Point], dict[str, str]]:
        """What `make curves` found about the strategy, and a tag that tells whether it is written."""
        shares = series.by_share(self.outs.curves, outcome.name, self.outs.metric.key)
        return (series.points({}, shares, self.now), {"curves": digest(shares)}) if shares else ([], {})

    def comparison(self, found: Comparison, fingerprint: str) -> str:
        """The verdict and the table as one run; returns its id."""
        tags = self._tags("comparison") | {"fingerprint": fingerprint, "mlflow.runColor": "#888888"}
        run = self._start("comparison", tags | {"mlflow.note.content": notes.comparison(found)})
        verdict = {"winner": found.verdict.winner, "recommended": found.verdict.recommended, "tied": found.verdict.tied}
        self._log(run, [], {key: value for key, value in verdict.items() if value})
        self.report(run)
        self.client.set_terminated(run)
        return run

    def report(self, run: str) -> None:
        """The report and the figures, which may be made anew from the same comparison."""
        drawn = [OUT] if self.outs.curves else []
        for name in ("reports/comparison.json", "reports/report.html", *drawn):
            if (self.outs.root / name).exists():
                store.upload(self.client, run, self.outs.root / name)
        for name in ("figures", "plots", "explained"):
            if (self.outs.root / "reports" / name).is_dir():
                store.upload(self.client, run, self.outs.root / "reports" / name, name)

    def mark_latest(self, runs: Iterable[Any], latest: set[str]) -> None:
        """Tag `latest` on all `runs` (parents, seeds, comparisons): true for those in `latest` and their seeds."""
        for run in runs:
            own = run.data.tags.get("mlflow.parentRunId", run.info.run_id)
            value = str(own in latest).lower()
            if run.data.tags.get("latest") != value:
                self.client.set_tag(run.info.run_id, "latest", value)

    def _tags(self, kind: str, outcome: Outcome | None = None) -> dict[str, str]:
        """What a person filters by. MLflow's own columns show commit and source."""
        found = {"kind": kind, "latest": "true", "mlflow.source.type": "LOCAL"}
        names = {"commit": "mlflow.source.git.commit", "branch": "mlflow.source.git.branch", "dirty": "git_dirty"}
        found |= {names[key]: value for key, value in self.commit.items()}
        found |= {server.OWNER: self.owner} if self.owner else {}
        meta = self.outs.meta
        found["dataset"] = meta.source if meta else str(self.outs.params.get("data", {}).get("source", "unknown"))
        if meta and meta.world:
            found["world"] = meta.world.name
        if outcome:
            fusion = (outcome.training.fusion or {"name": "none"})["name"]
            found |= {"strategy": outcome.name, "fusion": fusion, "fingerprint": outcome.fingerprint,
                      "mlflow.source.name": f"dvc repro {outcome.stage}",
                      "mlflow.runColor": self._color(outcome)}
            found |= {f"dvc.{path}": md5 for path, md5 in inputs(self.outs, outcome).items()}
        return found

    def _color(self, outcome: Outcome) -> str:
        """As in the report and its figures."""
        first = self.outs.comparison.verdict.recommended if self.outs.comparison else None
        return looks([each.name for each in self.outs.outcomes], first)[outcome.name][0]

    def _end(self, seconds: float | None) -> int | None:
        """Of the run that was started last, so that its duration is the one that was measured; None: now."""
        return None if seconds is None else self.now + round(1000 * seconds)

    def _start(self, name: str, tags: Mapping[str, str], datasets: list[DatasetInput] | None = None) -> str:
        if time.monotonic() > self.until:
            raise server.slow()
        self.now += 1
        run = self.client.create_run(self.experiment, start_time=self.now, tags=_allowed(tags), run_name=name)
        if datasets:
            self.client.log_inputs(run.info.run_id, datasets)
        return run.info.run_id

    def _log(self, run: str, points: list[Point], params: Mapping[str, Any] | None = None,
             tags: Mapping[str, str] | None = None, model_id: str | None = None) -> None:
        from mlflow.entities import Metric, Param, RunTag

        metrics = [Metric(name, value, time, step, model_id=model_id) for name, value, step, time in points]
        known = [Param(key, _text(value)) for key, value in _allowed(params or {}).items()]
        marks = [RunTag(key, value) for key, value in _allowed(tags or {}).items()]
        for call in batches(metrics, known, marks):
            self.client.log_batch(run, *call)

    def _datasets(self, outcome: Outcome) -> list[DatasetInput]:
        """What was read, by name and content hash, as MLflow's dataset inputs."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        meta, hashes = self.outs.meta, inputs(self.outs, outcome)
        name = (meta.source if meta else "data") + (f" ({meta.world.name})" if meta and meta.world else "")
        sizes = {"num_rows": sum(seed.n for seed in outcome.metrics.seeds[:1])}
        found = []
        read = f"data/reads/{outcome.training.start}.json"
        for path, context in ((read, "training"), ("data/raw", "source")):
            digest = hashes.get(path, "unknown").removesuffix(".dir")
            dataset = Dataset(f"{name} {path}", digest, "local", json.dumps({"uri": path}),
                              profile=json.dumps(sizes) if context == "training" else None)
            found.append(DatasetInput(dataset, [InputTag("mlflow.data.context", context)]))
        return found

    def _artifacts(self, run: str, outcome: Outcome) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            reports = self.outs.root / "reports/evaluate" / outcome.name
            if outcome.task.categorical:
                confusion.write(outcome, reports / "predictions.parquet", folder / "confusion_matrix.svg")
            _table(outcome, folder / "table.csv")
            if (tuning := outcome.training.tuning) and tuning.seeds:
                _trials(tuning, folder / "trials.csv")
            _swaps(outcome, folder / "counterfactual.csv")
            trained = self.outs.root / "models" / outcome.name / "training.json"
            for file in (reports / "predictions.parquet", reports / "metrics.json", trained):
                if (size := file.stat().st_size) <= LARGE:
                    shutil.copy(file, folder)
                else:
                    where = f"{file.relative_to(self.outs.root)}, {size / 1e9:.1f} GB, is not copied into MLflow\n"
                    (folder / f"{file.name}.txt").write_text(where, encoding="utf-8")
            store.upload(self.client, run, folder)
        if (reports / "pictures").is_dir():
            store.upload(self.client, run, reports / "pictures", "pictures")


def _table(outcome: Outcome, path: Path) -> None:
    """`Task.table` as a CSV, means over the seeds that have a row."""
    task, tables = outcome.task, [seed.table for seed in outcome.metrics.seeds]
    rows = {name: found for name in task.order if (found := [table[name] for table in tables if name in table])}
    keys = {key for found in rows.values() for row in found for key in row}
    columns = list(task.columns("", keys))
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow([f"{task.target} or {task.part[0]}" if task.quantities else task.part[0], *columns])
        for name, found in rows.items():
            table.writerow([safe(name), *(_mean([row[key] for row in found if key in row]) for key in columns)])


def _trials(tuning: Tuning, path: Path) -> None:
    """What was tried at each seed, a line per trial."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["seed", "trial", *tuning.space, "val_nll", "share", "flops", "chosen"])
        for one in tuning.seeds:
            best = next(k for k, trial in enumerate(one.trials) if trial.share == 1 and trial.settings == one.chosen)
            for k, trial in enumerate(one.trials):
                table.writerow([one.seed, k, *(trial.settings[key] for key in tuning.space), f"{trial.nll:.6g}",
                                f"{trial.share:.4g}", f"{trial.flops:.6g}", k == best])


def _swaps(outcome: Outcome, path: Path) -> None:
    """Of the first seed, what was swapped and the answers before and after; no file where nothing was."""
    found = [swap.plain() for swap in outcome.metrics.seeds[0].counterfactual.samples]
    if found:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(found[0]))
            table.writeheader()
            table.writerows({key: safe(value) for key, value in row.items()} for row in found)


def _mean(values: list[float]) -> str:
    """Six significant digits; nothing where there is none."""
    return f"{fmean(values):.6g}" if values else ""


def _allowed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The last of those that would have the same name: MLflow takes each name once."""
    return {series.allowed(key): value for key, value in values.items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
