"""What training and evaluation leave behind, made up. See tests.report.project."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.evaluated import analyses, training
from tests.report.analyses import PIECES, STREAMS, analysis
from trivium.tasks.classification import Classification

TITLES = {
    "end_to_end": "End to end",
    "unimodal": "Best single stream",
    "ensemble": "Ensemble of single streams",
    "supervised_frozen": "Frozen supervised components",
    "supervised_lpft": "LP-FT",
    "selfsup_finetune": "Self-supervised components",
}
FILES = {"end_to_end": "joint", "supervised_frozen": "frozen", "supervised_lpft": "lpft", "selfsup_finetune": "joint"}
READ_BY = {"text": "words", "image": "patches", "audio": "bands"}
BUDGET = 1.94e12  # FLOPs
UNIT = {"objective": None, "flops": 0.0, "epochs": 0.0, "parameters": 57_000, "samples": 100, "validation": {},
        "history": []}


def save(value: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, sort_keys=True), encoding="utf-8")


def about(name: str) -> dict[str, Any]:
    """What every out says of a strategy."""
    start = {"end_to_end": "scratch", "selfsup_finetune": "selfsup"}.get(name, "supervised")
    objectives = {"scratch": [], "selfsup": ["masked"]}.get(start, ["supervised"])
    return {"entry": name, "title": TITLES.get(name, name), "strategy": FILES.get(name, name), "start": start,
            "recipe": {"objectives": objectives, "encoders": READ_BY, "published": [], "external": ""}}


def evaluate(
    root: Path, name: str, skill: float, y: np.ndarray, tests: list[np.ndarray], classes: list[str], extras: bool
) -> dict[str, Any]:
    """Predictions with a difficulty per sample that all strategies share, and their metrics."""
    hard = np.random.default_rng([1]).normal(0, 1.2, len(y))
    rows: dict[str, list[Any]] = {key: [] for key in ("seed", "sample", "y", "prediction", "answer")}
    seeds = []
    for seed, test in enumerate(tests):

        def answer(level: float, test: np.ndarray = test, seed: int = seed) -> np.ndarray:
            rng = np.random.default_rng([seed, *name.encode()])
            logits = rng.normal(0, 1, (len(test), len(classes)))
            confused = (y[test] + 1 + test % 2) % len(classes)
            logits[np.arange(len(test)), y[test]] += level - hard[test] * 0.6
            logits[np.arange(len(test)), confused] += 0.9 + hard[test] * 0.6
            p = np.exp(1.5 * logits)
            return p / p.sum(1, keepdims=True)

        p = answer(skill + 0.1 * seed)
        prediction = p.argmax(1)
        rows["seed"] += [seed] * len(test)
        rows["sample"] += [f"d{k:05}" for k in test]
        rows["y"] += y[test].tolist()
        rows["prediction"] += prediction.tolist()
        rows["answer"] += p.astype(np.float32).tolist()
        subsets = {}
        for size in (1, 2, 3):
            for subset in itertools.combinations(STREAMS, size):
                q = answer((skill + 0.1 * seed) * min(1, sum(PIECES[m] for m in subset) / 1.8 + 0.05))
                subsets["+".join(subset)] = {"score": float((q.argmax(1) == y[test]).mean()), "nll": 1.0}
        subsets["text+image+audio"]["score"] = float((prediction == y[test]).mean())
        confusion = np.zeros((len(classes), len(classes)), int)
        np.add.at(confusion, (y[test], prediction), 1)
        seeds.append(
            {
                "seed": seed,
                "n": len(test),
                "n_train": len(y) - len(test),
                "task": Classification(classes).plain(),
                "metrics": metrics(p, y[test], confusion),
                "subsets": subsets,
                "table": per_class(confusion, classes),
            }
            | {"training": training(**({"chosen": "audio" if seed else "text"} if name == "unimodal" else {}))}
            | (analysis(root, name, seed, test, y, classes) if extras else analyses())
        )
    schema = pa.schema(
        [
            ("seed", pa.int32()),
            ("sample", pa.string()),
            ("y", pa.int32()),
            ("prediction", pa.int32()),
            ("answer", pa.list_(pa.float32())),
        ]
    )
    folder = root / f"reports/evaluate/{name}"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(rows, schema=schema), folder / "predictions.parquet")
    found = about(name) | {"task": Classification(classes).plain(), "streams": list(STREAMS), "seeds": seeds}
    save(found, folder / "metrics.json")
    return found


def metrics(p: np.ndarray, y: np.ndarray, confusion: np.ndarray) -> dict[str, float]:
    sure, right = p.max(1), p.argmax(1) == y
    bins = np.minimum((sure * 15).astype(int), 14)
    ece = sum(abs((sure - right)[bins == k].sum()) for k in range(15)) / len(y)
    recall = confusion.diagonal() / np.maximum(confusion.sum(1), 1)
    values = {
        "accuracy": right.mean(),
        "balanced_accuracy": recall.mean(),
        "macro_precision": recall.mean() + 0.004,
        "macro_recall": recall.mean(),
        "macro_f1": recall.mean() - 0.003,
        "ece": ece,
        "nll": -np.log(p[np.arange(len(y)), y]).mean(),
        "brier": ((p - np.eye(p.shape[1])[y]) ** 2).sum(1).mean(),
    }
    return {key: float(value) for key, value in values.items()}


def per_class(confusion: np.ndarray, classes: list[str]) -> dict[str, dict[str, float]]:
    right, support, answered = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    precision, recall = right / np.maximum(answered, 1), right / np.maximum(support, 1)
    f1 = 2 * right / np.maximum(support + answered, 1)
    return {
        label: {
            "precision": float(precision[k]),
            "recall": float(recall[k]),
            "f1": float(f1[k]),
            "support": int(support[k]),
        }
        for k, label in enumerate(classes)
    }


def pretrain(root: Path, seeds: int) -> None:
    for recipe in ("supervised", "selfsup"):
        labelled = recipe == "supervised"
        units = [
            UNIT | {
                "streams": [stream],
                "seed": seed,
                "validation": {"nll": 0.5, "score": 0.8} if labelled else {"loss": 0.5},
                "history": [
                    {
                        "step": k,
                        "epoch": k,
                        "flops": BUDGET * k / 40,
                        "train_loss": None,
                        "val_nll": 2.3 / (1 + k * PIECES[stream]),
                        "val_score": PIECES[stream] * (1 - 0.9 * np.exp(-k / 4)) + 0.01 * seed if labelled else 0.0,
                    }
                    for k in range(12)
                ],
            }
            for stream in STREAMS
            for seed in range(seeds)
        ]
        told = {"recipe": recipe, "objectives": [recipe], "units": units}
        save(told, root / f"models/pretrain/{recipe}/training.json")
        save({"seconds": 90.0, "units": [8.0] * len(units)}, root / f"reports/measured/pretrain@{recipe}.json")
    units = [UNIT | {"streams": [s], "seed": k} for s in STREAMS for k in range(seeds)]
    save({"recipe": "scratch", "objectives": [], "units": units}, root / "models/pretrain/scratch/training.json")


def train(root: Path, name: str, evaluation: dict[str, Any]) -> None:
    spent = {"end_to_end": 0.0, "supervised_lpft": 0.5, "selfsup_finetune": 0.5}.get(name, 0.95)
    seeds = []
    for seed in evaluation["seeds"]:
        final = seed["metrics"]["accuracy"]
        parts = [
            {"phase": m, "step": k, "epoch": k, "flops": k * 1e10, "train_loss": None, "val_nll": 2.0 / k,
             "val_score": 0.1 * k}
            for m in STREAMS
            for k in range(1, 5)
        ]
        history = (
            parts
            if name in ("unimodal", "ensemble")
            else [
                {
                    "phase": "joint",
                    "step": 50 * k,
                    "epoch": k,
                    "flops": BUDGET * (spent + (1 - spent) * k / 15),
                    "train_loss": 1 / k,
                    "val_nll": 0.4 + 2 * np.exp(-k / 3) * (2 - spent) + 0.03 * seed["seed"],
                    "val_score": final * (1 - 0.8 * np.exp(-k / 3)),
                }
                for k in range(1, 16)
            ]
        )
        seeds.append(
            {
                "seed": seed["seed"],
                "history": history,
                "calibration": 1.2,
                "flops": {"budget": BUDGET, "pretrain": BUDGET * spent, "train": BUDGET * (1 - spent), "total": BUDGET},
                "parameters": {"total": 171_234, "trained": 171_234},
                "validation": {"nll": 0.45, "score": final},
            }
        )
    save(about(name) | {"fusion": None, "seeds": seeds}, root / f"models/{name}/training.json")
