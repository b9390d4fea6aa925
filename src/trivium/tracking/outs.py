"""What the pipeline left on the disk, gathered for the MLflow view. Nothing here imports MLflow."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from trivium import tasks
from trivium.comparison import budgets, latency
from trivium.comparison.build import ranking
from trivium.comparison.out import PATH, Comparison
from trivium.data.meta import Meta
from trivium.data.tables import read_json, read_yaml
from trivium.evaluation.metrics import Evaluation
from trivium.machine import vault
from trivium.machine.measured import PLACE, Inference, Latency, Measured, Sampled
from trivium.tasks import Task
from trivium.tasks.metric import Metric
from trivium.training.records import Trained

LAYOUT = 8  # of the runs that `trivium sync` writes: raise it when that changes, and all runs are written anew


@dataclass(frozen=True)
class Outcome:
    """One strategy that was trained and evaluated.

    fingerprint: of the content of its outs; the same outs are the same run
    stage: as DVC names the stage that trained it
    servable: whether the weights of the best seed are here, and the features that they were trained on; not of an
    encrypted project, whose weights do not go into MLflow
    """

    name: str
    stage: str
    training: Trained
    metrics: Evaluation
    fingerprint: str
    servable: bool = False

    @property
    def task(self) -> Task:
        return tasks.of(self.metrics.task)


@dataclass(frozen=True)
class Outs:
    """All that a sync reads. `comparison` is None before `compare` ran; `state` stands for the whole content."""

    root: Path
    outcomes: tuple[Outcome, ...]
    comparison: Comparison | None
    state: str
    curves: budgets.Curves | None = None  # those of this comparison
    meta: Meta | None = None
    lock: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def ranked(self) -> list[Outcome]:
        """Best first, by the comparison's rank; without one, by validation NLL."""
        known = self.comparison.strategies if self.comparison else {}

        def place(outcome: Outcome) -> tuple[float, float]:
            rank = known[outcome.name].rank if outcome.name in known else float("inf")
            return rank, outcome.training.best.validation.nll

        return sorted(self.outcomes, key=place)

    @property
    def metric(self) -> Metric:
        """The one that ranks, or will. Raises: UserError (`compare.metric` names one that the task has not)."""
        compared = self.comparison.metric if self.comparison else self.params.get("compare", {}).get("metric", "auto")
        return ranking(self.outcomes[0].task, compared)

    @property
    def beside(self) -> list[Metric]:
        """Those that stand in tables next to it."""
        task, first = self.outcomes[0].task, self.metric.key
        return [task.metrics[key] for key in task.beside if key != first]


def read(root: Path) -> Outs:
    """The outs below `root`. A strategy that was trained but not evaluated yet is left out.

    Raises: UserError (a file that is broken).
    """
    params = read_yaml(root / "params.yaml")
    outcomes = tuple(found for name in params.get("train", {}) if (found := _outcome(root, name, f"train@{name}")))
    comparison = Comparison.found(root / PATH)
    drawn = budgets.read(root, comparison)
    views = [path for path in (root / PATH, root / "reports/report.html") if path.exists()]
    views += [root / budgets.OUT] if drawn else []
    state = _digest([*(f"{outcome.fingerprint} {outcome.servable}".encode() for outcome in outcomes), *views])
    lock = read_yaml(root / "dvc.lock").get("stages", {})
    return Outs(root, outcomes, comparison, state, drawn, Meta.found(root / "data/raw/meta.json"), lock, params)


def _outcome(root: Path, name: str, stage: str) -> Outcome | None:
    trained, evaluated = root / "models" / name, root / "reports/evaluate" / name
    training = Trained.of(name, root)
    if training is None or training.skipped:
        return None
    files = [trained / "training.json", evaluated / "metrics.json", evaluated / "predictions.parquet"]
    if not all(file.exists() for file in files):
        return None
    # Predictions stand for the weights here: no two models share them, and hashing gigabytes would take a while.
    servable = not vault.on(root) and _servable(root, trained / f"seed_{training.best.seed}", training.start)
    return Outcome(name, stage, training, Evaluation.read(files[1]), _digest(files), servable)


def _servable(root: Path, model: Path, start: str) -> bool:
    from trivium.data.store import Store
    from trivium.settings.errors import UserError

    if not (model / "model.safetensors").exists():
        return False
    try:
        return read_json(model / "model.json")["features"] == Store(start, root).digest
    except UserError:
        return False


def digest(value: Any) -> str:
    """Of a JSON value."""
    return _digest([json.dumps(value, sort_keys=True).encode()])


def _digest(parts: Sequence[bytes | Path]) -> str:
    """Of bytes and of the content of files, which may not fit in memory."""
    found = hashlib.blake2b(str(LAYOUT).encode(), digest_size=16)
    for part in parts:
        with part.open("rb") if isinstance(part, Path) else BytesIO(part) as file:
            found.update(hashlib.file_digest(file, partial(hashlib.blake2b, digest_size=16)).digest())
    return found.hexdigest()


def settings(outs: Outs, outcome: Outcome) -> dict[str, Any]:
    """The settings that made `outcome`, flat: `loop.batch: 64`; those of its own as `train.lr`, of its recipe as
    `pretrain.lr`, of its encoders as `encoder.STREAM.width`.

    From dvc.lock, which keeps what the stages really ran with; params.yaml fills in what it does not know. (Of
    `compare` it knows the run before: runs are written while it runs.)
    """
    known, start = dict(outs.params), outcome.training.start
    for stage in ("ingest", "split", "preprocess", f"pretrain@{start}", outcome.stage, f"evaluate@{outcome.name}"):
        for key, value in outs.lock.get(stage, {}).get("params", {}).get("params.yaml", {}).items():
            _put(known, key.split("."), value)
    data = known.get("data", {})
    encoders = known.get("encoder", {})
    chosen: dict[str, Any] = {
        "train": {"entry": outcome.name} | dict(known.get("train", {}).get(outcome.name, {})),
        "data": {key: data.get(key) for key in ("source", "streams", "seed")}
        | dict(data.get(data.get("source"), {})),
        "pretrain": {key: value for key, value in known.get("pretrain", {}).get(start, {}).items()
                     if key != "encoders"},
        "encoder": {s: {"name": name} | dict(encoders.get(name, {}))
                    for s, name in outcome.training.recipe.encoders.items()},
    }
    for key in ("seeds", "split", "budget", "loop"):
        chosen[key] = known.get(key)
    if outcome.training.tuning:
        chosen["tune"] = known.get("tune")
    rules = outs.comparison.settings.model_dump() if outs.comparison else {}
    chosen["compare"] = {key: rules.get(key) for key in known.get("compare", {})}
    return {key: value for key, value in _flat(chosen).items() if value not in (None, "", {})}


def _put(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        branch = tree.get(part)
        tree[part] = dict(branch) if isinstance(branch, dict) else {}
        tree = tree[part]
    tree[path[-1]] = value


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def inputs(outs: Outs, outcome: Outcome) -> dict[str, str]:
    """Path -> content hash of what the training and the evaluation of `outcome` read, from dvc.lock."""
    found: dict[str, str] = {}
    for stage in ("ingest", outcome.stage, f"evaluate@{outcome.name}"):
        entry = outs.lock.get(stage, {})
        for item in entry.get("deps", []) + entry.get("outs", []):
            if item["path"].startswith(("data/", "models/")) and "md5" in item:
                found[item["path"]] = item["md5"]
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class Took:
    """What training took on this machine, and what an answer does. Empty where the stages ran elsewhere."""

    training: Measured
    inference: Inference | None
    system: Sampled | None
    latency: Latency | None = None


def measured(root: Path, outcome: Outcome) -> Took:
    return Took(Measured.of(outcome.stage, root), Measured.of(f"evaluate@{outcome.name}", root).inference,
                Sampled.found(root / PLACE / f"{outcome.stage}.system.json"),
                latency.measured(root).get(outcome.name))


def commit(root: Path) -> dict[str, str]:
    """{"commit", "branch", "dirty": "true" or "false"} of the repository; empty outside of one."""
    def git(*command: str) -> str:
        return subprocess.run(("git", "-C", str(root), *command), capture_output=True, text=True, check=True).stdout

    try:
        dirty = bool(git("status", "--porcelain", "--untracked-files=no").strip())
        return {"commit": git("rev-parse", "HEAD").strip(), "branch": git("rev-parse", "--abbrev-ref", "HEAD").strip(),
                "dirty": str(dirty).lower()}
    except (OSError, subprocess.CalledProcessError):
        return {}
