"""What the stages leave behind, in the same form but made up: for the views that are built from it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from tests.comparisons import READ_BY, full, span
from tests.evaluated import analyses, training
from tests.helpers import ROOT
from trivium.data.tables import read_json, write, write_json
from trivium.encoders import Described, describe
from trivium.tasks import Task
from trivium.tasks.classification import Classification

CLASSES = ["anna", "ben", "carla"]
STRATEGIES = {"end_to_end": 0.70, "supervised_frozen": 0.90, "unimodal": 0.80}  # name -> accuracy
BUDGET = 1e9  # FLOPs


def fake_outs(root: Path, strategies: dict[str, float] | None = None, seeds: int = 2, samples: int = 60) -> Path:
    """Outs of `strategies` (name -> test accuracy) below `root`, with params.yaml and dvc.lock."""
    strategies = strategies or STRATEGIES
    (root / "reports/measured").mkdir(parents=True, exist_ok=True)
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["train"] = {name: params["train"][name] for name in strategies}
    if params["budget"]["of"] not in strategies:
        params["budget"]["of"] = next(iter(strategies))
    if params["compare"]["reference"] not in strategies:
        params["compare"]["reference"] = ""
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    world = {"name": "dominant", "bits": {"all": 1.75}, "bayes": {"all": 0.94}}
    write_json({"source": "digits", "root": "data/raw", "title": "Digits",
                "streams": {s: s for s in ("text", "image", "audio")},
                "card": "", "world": world}, root / "data/raw/meta.json")
    for name, accuracy in strategies.items():
        fake_strategy(root, name, accuracy, seeds, samples)
    fake_comparison(root, strategies)
    fake_lock(root, params)
    return root


def fake_strategy(root: Path, name: str, accuracy: float, seeds: int = 2, samples: int = 60) -> None:
    """One strategy; seed k is right on the first `accuracy` of its samples, and its validation NLL is 0.5 - 0.1 k."""
    own, task = name not in ("unimodal", "ensemble"), Classification(CLASSES)
    trained: list[dict[str, Any]] = []
    tested: list[dict[str, Any]] = []
    rows: dict[str, list[Any]] = {"seed": [], "sample": [], "y": [], "prediction": [], "answer": []}
    for seed in range(seeds):
        y = np.random.default_rng([seed, samples]).integers(len(CLASSES), size=samples)
        right = np.arange(samples) < accuracy * samples
        prediction = np.where(right, y, (y + 1) % len(CLASSES))
        start = 0.0 if name == "end_to_end" else 0.5
        history = [{"phase": "head", "step": 10 * k, "epoch": k, "flops": BUDGET * (start + (1 - start) * k / 5),
                    "train_loss": 1.0 / k, "val_nll": 1.0 / k + 0.1 * seed, "val_score": accuracy * k / 5}
                   for k in range(1, 6)] if own else []
        trained.append({
            "seed": seed, "flops": {"budget": BUDGET, "pretrain": start * BUDGET, "train": (1 - start) * BUDGET,
                                    "total": BUDGET, "analytic": BUDGET},
            "parameters": {"total": 1000, "trained": 100},
            "validation": {"nll": 0.5 - 0.1 * seed, "score": accuracy}, "calibration": 1.5, "history": history})
        if name == "unimodal":
            trained[-1]["chosen"] = "audio"
        names = ("accuracy", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1")
        metrics = dict.fromkeys(names, accuracy)
        tested.append({
            "seed": seed, "n": samples, "n_train": samples, "task": task.plain(),
            "metrics": metrics | {"nll": 1 - accuracy, "brier": 0.2, "ece": 0.05},
            "subsets": {"text": {"score": 0.5, "nll": 1.0}, "text+image": {"score": 0.6, "nll": 0.9}},
            "table": {label: {"precision": accuracy, "recall": accuracy, "f1": accuracy,
                                  "support": int((y == k).sum())} for k, label in enumerate(CLASSES)},
            "training": training()} | analyses())
        rows["seed"] += [seed] * samples
        rows["sample"] += [f"s{k:03}" for k in range(samples)]
        rows["y"] += y.tolist()
        rows["prediction"] += prediction.tolist()
        rows["answer"] += [np.eye(len(CLASSES))[k].tolist() for k in prediction]
    shutil.rmtree(root / "models" / name, ignore_errors=True)
    about = fake_about(name)
    write_json(about | {"seeds": trained}, root / f"models/{name}/training.json")
    del about["fusion"]
    write_json(about | {"task": task.plain(), "streams": list(READ_BY), "seeds": tested},
               root / f"reports/evaluate/{name}/metrics.json")
    schema = pa.schema([("seed", pa.int32()), ("sample", pa.string()), ("y", pa.int32()), ("prediction", pa.int32()),
                        ("answer", pa.list_(pa.float32()))])
    write(pa.table(rows, schema=schema), root / f"reports/evaluate/{name}/predictions.parquet")
    stage = f"train@{name}"
    write_json({"seconds": 12.5, "seeds": [6.0, 6.0], "peak_memory_bytes": 5e8},
               root / f"reports/measured/{stage}.json")
    series = {"cpu_utilization_percentage": [50.0, 90.0, 70.0]}
    write_json({"started": 1.7e9, "seconds": [1.0, 2.0, 3.0], "series": series},
               root / f"reports/measured/{stage}.system.json")


def fake_about(name: str) -> dict[str, Any]:
    """What training.json and metrics.json say of the entry `name` of the repository's params.yaml."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    entry = params["train"][name]
    objective = params["pretrain"][entry["start"]].get("objective")
    name_of = objective["name"] if isinstance(objective, dict) else objective
    return {"entry": name, "title": entry["title"], "strategy": entry["strategy"], "start": entry["start"],
            "fusion": {"name": entry["fusion"]} if "fusion" in entry else None,
            "recipe": {"objectives": [name_of] if name_of else [], "encoders": READ_BY, "published": [],
                       "external": ""}}


def fake_comparison(root: Path, strategies: dict[str, float]) -> None:
    order = sorted(strategies, key=lambda name: -strategies[name])
    entries = {name: {"title": fake_about(name)["title"], "rank": rank, "metrics": {
        "accuracy": span(strategies[name]), "macro_f1": span(strategies[name]), "nll": span(1 - strategies[name]),
        "ece": span(0.05)}, "one_class": 0.4, "flops": BUDGET, "seeds": _by_seed(root, name)}
        for rank, name in enumerate(order, start=1)}
    best, worst = (f"“{entries[name]['title']}”" for name in (order[0], order[-1]))
    sentence = f"Take {best}: it beats {worst} by 20.0 points of accuracy (95 % interval 15.0 to 25.0)."
    constant = {"label": "anna", "metrics": {"accuracy": 0.35, "balanced_accuracy": 1 / 3, "macro_f1": 0.17, "nll": 1.1,
                                             "ece": 0.1}}
    write_json(full({"constant": constant, "strategies": entries,
                     "verdict": {"winner": order[0], "tied": [order[0]], "recommended": order[0], "within": order[0],
                                 "sentence": sentence, "reason": "Every seed agrees."}}, Classification(CLASSES)),
               root / "reports/comparison.json")
    (root / "reports/report.html").write_text("<p>report</p>", encoding="utf-8")


def _by_seed(root: Path, name: str) -> dict[str, Any]:
    return {str(one["seed"]): one["metrics"]
            for one in read_json(root / f"reports/evaluate/{name}/metrics.json")["seeds"]}


def fake_lock(root: Path, params: dict[str, Any]) -> None:
    """dvc.lock as DVC writes it: what each stage read, made and was set to."""
    def stage(path: str, deps: list[str], settings: dict[str, Any]) -> dict[str, Any]:
        return {"deps": [{"path": dep, "md5": "b" * 32} for dep in deps] + [{"path": "src/trivium", "md5": "c"}],
                "params": {"params.yaml": settings}, "outs": [{"path": path, "md5": "d" * 32 + ".dir"}]}

    stages: dict[str, Any] = {"ingest": {"params": {"params.yaml": {"data": params["data"]}},
                                         "outs": [{"path": "data/raw", "md5": "a" * 32 + ".dir"}]}}
    for name, entry in params["train"].items():
        start = entry["start"]
        stages[f"pretrain@{start}"] = stage(
            f"models/pretrain/{start}", [f"data/reads/{start}.json"],
            {"seeds": params["seeds"], "loop": params["loop"], f"pretrain.{start}": params["pretrain"][start]})
        stages[f"train@{name}"] = stage(
            f"models/{name}", [f"data/reads/{start}.json", f"models/pretrain/{start}"],
            {"seeds": params["seeds"], "loop": params["loop"], f"train.{name}": entry})
    (root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}), encoding="utf-8")


WORDS = ["alpha one", "beta two", "gamma three"]  # of the classes


def fake_data(root: Path, seeds: int = 2, samples: int = 24, task: Task | None = None,
              targets: np.ndarray | None = None) -> None:
    """data/aligned with real media (every fifth sample lacks one modality); data/features and data/reads made from it,
    for the recipes of params.yaml. targets: [N, *T] of another task than the classes.
    """
    import soundfile
    from PIL import Image

    from trivium.data import features
    from trivium.machine.cache import Cache

    draw = np.random.default_rng(0)
    (root / "data/raw/media").mkdir(parents=True, exist_ok=True)
    y = np.arange(samples) % len(CLASSES)
    task, targets = task or Classification(CLASSES), y if targets is None else targets
    columns: dict[str, Any] = {"sample": [f"s{k:03}" for k in range(samples)],
                               "label": [task.words(one) for one in targets], "y": task.column(targets)}
    values: dict[str, list[str | None]] = {"text": [], "image": [], "audio": []}
    for k in range(samples):
        Image.fromarray(draw.integers(0, 255, (20, 14, 3), dtype=np.uint8)).save(root / f"data/raw/media/{k}.png")
        tone = np.sin(np.arange(1600) * (0.1 + 0.1 * y[k])) * 0.3 + draw.normal(0, 0.01, 1600)
        soundfile.write(root / f"data/raw/media/{k}.wav", tone, 8000)
        for m, value in zip(values, (f"{WORDS[y[k]]} {k}", f"media/{k}.png", f"media/{k}.wav"), strict=True):
            values[m].append(value)
        if k % 5 == 4:
            values[("text", "image", "audio")[k % 3]][-1] = None
    for m, given in values.items():
        nothing = pa.nulls(samples, pa.float64())
        columns |= {m: pa.array(given, pa.string()), f"{m}_start": nothing, f"{m}_end": nothing,
                    f"has_{m}": [value is not None for value in given]}
    write(pa.table(columns), root / "data/aligned/samples.parquet")
    # Media paths are relative to `root`, which is relative to the repository; here the tests run from elsewhere.
    write_json({"source": "digits", "root": str(root / "data/raw"), "task": task.plain()},
               root / "data/aligned/meta.json")
    split = np.array(["train", "train", "val", "test"])[np.arange(samples) // 3 % 4]
    write(pa.table({"sample": columns["sample"]} | {f"seed_{k}": np.roll(split, 3 * k) for k in range(seeds)}),
          root / "data/splits/splits.parquet")
    data = root / "data"
    recipes = dict.fromkeys(("scratch", "supervised", "supervised_half", "selfsup"), READ_BY)
    features.write(data / "aligned", data / "splits", data / "features", data / "reads", recipes, encoders(), seeds,
                   workers=1, cache=Cache(root / ".cache/features"))


def encoders() -> dict[str, Described]:
    """Those of `fake_data`."""
    small = {"architecture": "cnn", "width": 16, "depth": 1}
    entries = {"words": {"modality": "text", "processor": {"length": 8, "vocab": 64}},
               "patches": {"modality": "image", "processor": {"size": 16, "channels": 3}},
               "bands": {"modality": "audio", "processor": {"sample_rate": 8000, "seconds": 0.2, "bins": 16}}}
    return {name: describe(name, small | entry) for name, entry in entries.items()}


def fake_models(root: Path, strategy: str, seeds: int = 2, start: str = "supervised", fusion: str = "concat") -> None:
    """Real, untrained weights for a strategy of `fake_outs`, on the features of `fake_data`.

    start: a recipe;  fusion: as in params.yaml.
    """
    from trivium import fusion as fusions
    from trivium import models
    from trivium.data.store import Store
    from trivium.models import files

    store, chosen = Store(start, root), fusions.chosen(fusion, "fusion")
    for seed in range(seeds):
        parts = {s: models.encoder(store.encoders[s], spec, seed) for s, spec in store.specs.items()}
        model = models.multimodal(parts, store.task_at(seed), chosen, seed)
        val = store.batch(store.rows(seed, "val"), seed)
        task = model.task.decided(model(val.inputs, val.present).detach(), val.y)
        about = files.describe("fusion", store.encoders, store.specs, task, fusion=chosen, features=store.digest)
        models.save(model, about, root / "models" / strategy / f"seed_{seed}")
