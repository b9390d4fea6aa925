"""What `evaluate` and training leave behind for made-up strategies of a known accuracy."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tests.evaluated import analyses
from trivium.comparison.build import build
from trivium.comparison.settings import Settings
from trivium.data.tables import read_json, write, write_json
from trivium.tasks.classification import Classification

CLASSES = ["ash", "beech", "cedar"]
STREAMS = ["text", "image", "audio"]
READ_BY = {"text": "words", "image": "patches", "audio": "bands"}  # stream -> encoder
BUDGET = 1e12  # FLOPs
TITLES = {"end_to_end": "End to end", "unimodal": "Best single stream", "ensemble": "Ensemble"}
COMBINED = ("unimodal", "ensemble")  # no training of their own
WORLD = {"name": "dominant", "bits": {"all": 1.4}, "bayes": {"text": 0.6, "image": 0.5, "audio": 0.8, "all": 0.95}}


def write_outs(root: Path, accuracies: dict[str, float], seeds: int = 5, samples: int = 1000, tests: int = 400,
               seed_sd: float = 0.01, flops: dict[str, float] | None = None, hard: float = 0.0, groups: int = 0,
               prior: Sequence[float] = (1, 1, 1)) -> Path:
    """Outs below `root` as the stages before `compare` write them; the test set is redrawn with every seed.

    hard: share of the predictions that fail on the same hard samples for every strategy and seed; the others fail by
    chance. groups: how many groups the samples form, 0: none. prior: of the classes, up to a factor.
    """
    rng = np.random.default_rng([seeds, samples, tests])
    y = rng.choice(len(CLASSES), size=samples, p=np.array(prior) / np.sum(prior))
    hardness = rng.random(samples) if hard else np.empty(samples)
    sides = [np.sort(rng.permutation(samples)[:tests]) for _ in range(seeds)]
    for name, accuracy in accuracies.items():
        spent = (flops or {}).get(name, BUDGET)
        wanted = np.clip(accuracy + rng.normal(0, seed_sd, seeds), 0, 1)
        evaluated = [_seed(rng, k, y[own], wanted[k], spent, (hard, hardness[own]) if hard else None)
                     for k, own in enumerate(sides)]
        folder = root / "reports/evaluate" / name
        write(pa.concat_tables(_rows(k, sides[k], y, p) for k, (_, p) in enumerate(evaluated)),
              folder / "predictions.parquet")
        write_json(about(name) | {"task": Classification(CLASSES).plain(), "streams": STREAMS,
                                  "seeds": [record for record, _ in evaluated]}, folder / "metrics.json")
        write_json(about(name) | {"fusion": None, "seeds": [
            record["training"] | {"seed": k, "history": _history(rng, name, spent, record["training"]["validation"])}
            for k, (record, _) in enumerate(evaluated)]}, root / "models" / name / "training.json")
    numbers = range(samples)
    names = [f"t{k:05}" for k in numbers]
    write(pa.table({"sample": names, "group": [k % groups if groups else k for k in numbers]}),
          root / "data/splits/splits.parquet")
    write(pa.table({"sample": names, "y": pa.array(y, pa.int32())} | {
        f"seed_{k}": np.where(np.isin(numbers, own), "test", "train").tolist() for k, own in enumerate(sides)}),
        root / "data/features/samples.parquet")
    meta = {"root": "data/raw", "title": "Trees", "source": "manifest", "task": Classification(CLASSES).plain(),
            "world": WORLD}
    write_json({"meta": meta}, root / "data/features/features.json")
    return root


def about(name: str) -> dict[str, Any]:
    """What metrics.json and training.json say of a strategy."""
    scratch = name == "end_to_end"
    return {"entry": name, "title": TITLES.get(name, name), "start": "scratch" if scratch else "supervised",
            "strategy": {"end_to_end": "joint"}.get(name, name),
            "recipe": {"objectives": [] if scratch else ["supervised"], "encoders": READ_BY, "published": [],
                       "external": ""}}


def change(root: Path, name: str, **values: Any) -> None:
    """Other values for keys of a strategy's metrics.json; those of `training` for every seed."""
    path = root / "reports/evaluate" / name / "metrics.json"
    found = read_json(path)
    for seed in found["seeds"]:
        seed["training"] |= values.get("training", {})
    write_json(found | {key: value for key, value in values.items() if key != "training"}, path)


def skip(root: Path, name: str) -> None:
    """The record of a strategy that was not begun."""
    shutil.rmtree(root / "reports/evaluate" / name, ignore_errors=True)
    record = about(name) | {"seeds": [], "skipped": {
        "budget": BUDGET, "needed": 3 * BUDGET, "setting": "`budget.epochs: 60`",
        "sentence": f"{TITLES.get(name, name)} was not begun: it needs more."}}
    write_json(record | {"task": Classification(CLASSES).plain(), "streams": STREAMS},
               root / "reports/evaluate" / name / "metrics.json")
    write_json(record, root / "models" / name / "training.json")


def compared(root: Path, names: Sequence[str], split: str = "holdout", **settings: Any) -> dict[str, Any]:
    """What `build` says of them, with a short bootstrap."""
    rules = Settings(**({"bootstrap": 300, "confidence": 0.95, "threshold": 0.75} | settings))
    return build(rules, list(names), split, 15, root).plain()


def _seed(rng: np.random.Generator, k: int, y: np.ndarray, accuracy: float, flops: float,
          hard: tuple[float, np.ndarray] | None) -> tuple[dict, np.ndarray]:
    luck = rng.random(len(y))
    if hard:
        luck = np.where(rng.random(len(y)) < hard[0], hard[1], luck)
    right = luck < accuracy
    guess = np.where(right, y, (y + rng.integers(1, len(CLASSES), len(y))) % len(CLASSES))
    p = np.full((len(y), len(CLASSES)), 0.1)
    p[np.arange(len(y)), guess] = 0.8
    task = Classification(CLASSES)
    result = task.outcome(p, y)
    found = task.scores(result)
    subsets = {"+".join(s): {"score": found["accuracy"] * (0.5 + len(s) / 6), "nll": 1.0}
               for size in (1, 2, 3) for s in combinations(STREAMS, size)}
    training = {"flops": {"budget": BUDGET, "pretrain": 0.0, "train": flops, "total": flops, "analytic": flops},
                "parameters": {"total": 1000, "trained": 900}, "calibration": 1.0,
                "validation": {"nll": found["nll"], "score": found["accuracy"]}}
    return {"seed": k, "n": len(y), "n_train": 2 * len(y), "task": task.plain(), "metrics": found, "subsets": subsets,
            "table": task.table(result), "training": training} | analyses(), p


def _rows(seed: int, own: np.ndarray, y: np.ndarray, p: np.ndarray) -> pa.Table:
    return pa.table({
        "seed": pa.array(np.full(len(own), seed), pa.int32()), "sample": [f"t{row:05}" for row in own],
        "y": pa.array(y[own], pa.int32()), "prediction": pa.array(p.argmax(1), pa.int32()),
        "answer": pa.array(p.tolist(), pa.list_(pa.float32()))})


def _history(rng: np.random.Generator, name: str, flops: float, end: dict[str, float]) -> list[dict]:
    """Fifteen evaluations on the way to `end`; components' curves carry their stream as phase."""
    phases = ["audio"] if name in COMBINED else ["train"]
    return [{"phase": phase, "step": step, "epoch": 2.0 * step, "flops": flops * step / 15,
             "train_loss": end["nll"] + 0.8 / step, "val_score": end["score"] * step / 15,
             "val_nll": end["nll"] + 0.6 / step + abs(rng.normal(0, 0.02)) * (step < 15)}
            for phase in phases for step in range(1, 16)]
