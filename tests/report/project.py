"""A small finished project, made up but consistent: media files, tables, metrics, comparison."""

from __future__ import annotations

import copy
import itertools
import json
import string
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from PIL import Image, ImageDraw, ImageFont

from tests.report.analyses import PIECES, STREAMS, additions, analysis
from trivium.comparison.budgets import VARIANTS, Variant, gather
from trivium.tasks.classification import Classification

STRATEGIES = {  # name -> skill
    "end_to_end": 2.2,
    "unimodal": 3.0,
    "ensemble": 3.5,
    "supervised_frozen": 3.3,
    "supervised_lpft": 3.4,
    "selfsup_finetune": 2.3,
}
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
WORDS = ("null", "eins", "deux", "tres", "four", "cinque", "six", "sieben", "acht", "nine")


def build(
    root: Path,
    samples: int = 120,
    seeds: int = 3,
    classes: list[str] | None = None,
    evil: str = "",
    strategies: dict[str, float] | None = None,
    extras: bool = False,
    **verdict: Any,
) -> Path:
    """`evil` is put into every text, label and title; `extras` adds the sections that later stages feed; `verdict`:
    other values for its keys.
    """
    classes = sorted(f"{label}{evil}" for label in classes or list(string.digits))
    strategies = strategies or STRATEGIES
    rng = np.random.default_rng([7, samples, seeds])
    y = rng.integers(len(classes), size=samples)
    write_samples(root, y, classes, evil)
    tests = [np.sort(rng.permutation(samples)[: samples * 35 // 100]) for _ in range(seeds)]
    found = {name: evaluate(root, name, skill, y, tests, classes, extras) for name, skill in strategies.items()}
    for name in strategies:
        train(root, name, found[name])
    compare(root, found, evil, extras, verdict)
    measured: dict[str, Any] = {
        f"train@{name}": {
            "seconds": 60.0 + 5 * k,
            "peak_memory_bytes": 6e8,
            "seeds": [20.0 + k] * seeds,
        }
        for k, name in enumerate(strategies)
    }
    for k, name in enumerate(strategies):
        times = {"latency_p50_seconds": 0.0021 + 1e-4 * k, "latency_p95_seconds": 0.0031, "samples_per_second": 2400.0}
        measured[f"evaluate@{name}"] = {"seconds": 9.0, "inference": times | {"joules_per_sample": None}}
    for stage, values in measured.items():
        save(values, root / f"reports/measured/{stage}.json")
    pretrain(root, seeds)
    outs = [{"path": "data/raw", "md5": "0123456789abcdef0123456789abcdef.dir"}]
    (root / "dvc.lock").write_text(json.dumps({"stages": {"ingest": {"outs": outs}}}))
    return root


def save(value: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, sort_keys=True), encoding="utf-8")


def write_samples(root: Path, y: np.ndarray, classes: list[str], evil: str) -> None:
    media = root / "data/raw/media"
    media.mkdir(parents=True)
    rows: dict[str, list[Any]] = {"sample": [], "label": [], "y": [], "text": [], "image": [], "audio": []}
    for k, label in enumerate(y):
        rng = np.random.default_rng([k])
        rows["sample"].append(f"d{k:05}")
        rows["label"].append(classes[label])
        rows["y"].append(int(label))
        rows["text"].append(None if k % 17 == 3 else f"the number is {WORDS[label % 10]}{evil}")
        rows["image"].append(None if k % 23 == 5 else f"media/{k}.png")
        rows["audio"].append(f"media/{k}.flac")
        picture = Image.new("L", (32, 32), 20)
        ImageDraw.Draw(picture).text(rng.uniform(4, 14, 2), str(label), 230, ImageFont.load_default(size=22))
        noisy = np.clip(np.asarray(picture) + rng.normal(0, 18, (32, 32)), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(media / f"{k}.png")
        seconds = np.arange(11_200) / 16_000
        tone = np.sin(2 * np.pi * (180 + 60 * label) * seconds) * np.hanning(len(seconds)) * 0.3
        soundfile.write(media / f"{k}.flac", tone + rng.normal(0, 0.01, len(tone)), 16_000)
    table = pa.table(rows)
    for modality in STREAMS:
        present = pa.array([value is not None for value in rows[modality]])
        table = table.append_column(f"has_{modality}", present)
    (root / "data/aligned").mkdir(parents=True)
    pq.write_table(table, root / "data/aligned/samples.parquet")
    world = {
        "name": "dominant",
        "bits": {"text": 1.01, "image": 0.45, "audio": 1.5, "all": 1.75},
        "bayes": {"text": 0.78, "image": 0.55, "audio": 0.925, "all": 0.961},
    }
    card = (
        "Real handwriting, synthesised speech and number words, **paired by class**, not by nature" + evil + ".\n\n"
        "- handwriting: UCI digits, 8×8 pixels, scaled\n- speech: `espeak-ng`, many voices\n- text: number words "
        "with typos\n"
    )
    save(
        {
            "source": "digits",
            "root": "data/raw",
            "title": f"Digits, world dominant{evil}",
            "card": card,
            "world": world,
            "task": Classification(classes).plain(),
        },
        root / "data/aligned/meta.json",
    )
    bad = [
        {
            "table": "image",
            "key": f"k{k}",
            "sample": f"q{k}",
            "reason": f"the file cannot be decoded{evil}",
            "value": "x.png",
        }
        for k in range(3)
    ]
    (root / "data/valid").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(bad), root / "data/valid/quarantine.parquet")
    rules = [
        {
            "says": f"every {m} can be read",
            "success": m != "image",
            "level": "row",
            "unexpected": 3 * (m == "image"),
            "percent": 0.3,
            "expectation": "expect_column_values_to_be_null",
            "columns": ["error"],
        }
        for m in STREAMS
    ]
    save(
        {
            "suites": [
                {"name": m, "rows": len(y), "expectations": [rule]} for m, rule in zip(STREAMS, rules, strict=True)
            ],
            "tables": {m: {"rows": len(y), "quarantined": 3 * (m == "image")} for m in STREAMS},
            "duplicates": {"groups": 1, "samples": 2, "largest": 2},
        },
        root / "reports/validation.json",
    )
    counts = {"train": len(y) // 2, "val": len(y) * 15 // 100, "test": len(y) * 35 // 100, "unlabelled": 0, "unused": 0}
    save({"seeds": [{"seed": 0, "counts": counts}], "warnings": []}, root / "data/splits/splits.json")


def evaluate(
    root: Path, name: str, skill: float, y: np.ndarray, tests: list[np.ndarray], classes: list[str], extras: bool
) -> dict[str, Any]:
    """Predictions with a difficulty per sample that all strategies share, and their metrics."""
    hard = np.random.default_rng([1]).normal(0, 1.2, len(y))
    rows: dict[str, list[Any]] = {key: [] for key in ("seed", "sample", "y", "prediction", "probabilities")}
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
        rows["probabilities"] += p.astype(np.float32).tolist()
        subsets = {}
        for size in (1, 2, 3):
            for subset in itertools.combinations(STREAMS, size):
                q = answer((skill + 0.1 * seed) * min(1, sum(PIECES[m] for m in subset) / 1.8 + 0.05))
                subsets["+".join(subset)] = {"accuracy": float((q.argmax(1) == y[test]).mean()), "nll": 1.0}
        subsets["text+image+audio"]["accuracy"] = float((prediction == y[test]).mean())
        confusion = np.zeros((len(classes), len(classes)), int)
        np.add.at(confusion, (y[test], prediction), 1)
        seeds.append(
            {
                "seed": seed,
                "n": len(test),
                "metrics": metrics(p, y[test], confusion),
                "subsets": subsets,
                    "per_class": per_class(confusion, classes),
            }
            | {"training": {"chosen": "audio" if seed else "text"} if name == "unimodal" else {}}
            | (analysis(root, name, seed, test, y, classes) if extras else {})
        )
    schema = pa.schema(
        [
            ("seed", pa.int32()),
            ("sample", pa.string()),
            ("y", pa.int32()),
            ("prediction", pa.int32()),
            ("probabilities", pa.list_(pa.float32())),
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
            {
                "streams": [stream],
                "seed": seed,
                "validation": {"nll": 0.5, "accuracy": 0.8} if labelled else {"loss": 0.5},
                "history": [
                    {
                        "step": k,
                        "epoch": k,
                        "flops": BUDGET * k / 40,
                        "train_loss": None,
                        "val_nll": 2.3 / (1 + k * PIECES[stream]),
                        "val_accuracy": PIECES[stream] * (1 - 0.9 * np.exp(-k / 4)) + 0.01 * seed if labelled else None,
                    }
                    for k in range(12)
                ],
            }
            for stream in STREAMS
            for seed in range(seeds)
        ]
        save({"recipe": recipe, "units": units}, root / f"models/pretrain/{recipe}/training.json")
        save({"seconds": 90.0, "units": [8.0] * len(units)}, root / f"reports/measured/pretrain@{recipe}.json")
    save({"recipe": "scratch", "units": [{"streams": [s], "seed": k, "history": []} for s in STREAMS
                                         for k in range(seeds)]}, root / "models/pretrain/scratch/training.json")


def train(root: Path, name: str, evaluation: dict[str, Any]) -> None:
    spent = {"end_to_end": 0.0, "supervised_lpft": 0.5, "selfsup_finetune": 0.5}.get(name, 0.95)
    seeds = []
    for seed in evaluation["seeds"]:
        final = seed["metrics"]["accuracy"]
        parts = [
            {"phase": m, "step": k, "flops": k * 1e10, "val_nll": 2.0 / k, "val_accuracy": 0.1 * k}
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
                    "val_accuracy": final * (1 - 0.8 * np.exp(-k / 3)),
                }
                for k in range(1, 16)
            ]
        )
        seeds.append(
            {
                "seed": seed["seed"],
                "history": history,
                "temperature": 1.2,
                "flops": {"budget": BUDGET, "pretrain": BUDGET * spent, "train": BUDGET * (1 - spent), "total": BUDGET},
                "parameters": {"total": 171_234, "trained": 171_234},
                "validation": {"nll": 0.45, "accuracy": final},
            }
        )
    save(about(name) | {"seeds": seeds}, root / f"models/{name}/training.json")


def about(name: str) -> dict[str, Any]:
    """What every out says of a strategy."""
    start = {"end_to_end": "scratch", "selfsup_finetune": "selfsup"}.get(name, "supervised")
    objectives = {"scratch": [], "selfsup": ["masked"]}.get(start, ["supervised"])
    return {"entry": name, "title": TITLES.get(name, name), "strategy": FILES.get(name, name), "start": start,
            "recipe": {"objectives": objectives, "encoders": READ_BY, "published": []}}


def compare(root: Path, found: dict[str, Any], evil: str, extras: bool, changed: dict[str, Any]) -> None:
    entries: dict[str, Any] = {}
    for number, (name, evaluation) in enumerate(found.items()):
        keys = evaluation["seeds"][0]["metrics"]
        values = {key: np.array([seed["metrics"][key] for seed in evaluation["seeds"]]) for key in keys}
        told = {key: value for key, value in about(name).items() if key != "entry"}
        chosen = {str(seed["seed"]): seed["training"].get("chosen") for seed in evaluation["seeds"]}
        entries[name] = told | {key: interval(value) for key, value in values.items()} | {
            "learned": True,
            "one_class": 0.2,
            "over_budget": 1.0,
            **({"chosen": chosen} if all(chosen.values()) else {}),
            "failed_share": 0.2 if name == "end_to_end" else 0.0,
            "flops": BUDGET * (0.95 if number in (1, 2) else 1.0),
            "parameters": 171_234 if name != "unimodal" else 57_000,
            "seeds": {str(seed["seed"]): seed["metrics"] for seed in evaluation["seeds"]},
        }
    order = sorted(entries, key=lambda name: -entries[name]["accuracy"]["mean"])
    for rank, name in enumerate(order, 1):
        entries[name]["rank"] = rank
    pairs = []
    for a, b in itertools.combinations(order, 2):
        gap = entries[a]["accuracy"]["mean"] - entries[b]["accuracy"]["mean"]
        sure = gap > 0.03
        pairs.append(
            {"a": a, "b": b, "difference": gap, "low": gap - 0.028, "high": gap + 0.028}
            | {"p_outperform": float(np.clip(0.5 + 12 * gap, 0.01, 0.99)), "p_value_holm": 0.0004 if sure else 0.31}
            | {"mcnemar_p": 0.001 if sure else 0.4, "beats": sure, "verdict": "better" if sure else "open"}
        )
    best, worst, title = order[0], order[-1], lambda name: TITLES.get(name, name)
    gap = entries[best]["accuracy"]["mean"] - entries[worst]["accuracy"]["mean"]
    verdict = {
        "learned": True,
        "winner": None,
        "tied": order[:2],
        "behind": [],
        "recommended": best,
        "within": best,
        "simple": False,
        "sentence": f"Take “{title(best)}”. “{title(order[1])}” cannot be told apart from it, and they cost about the "
        f"same{evil}.",
        "reason": f"“{title(best)}” is ahead of “{title(worst)}” by {100 * gap:.1f} points of accuracy (95 % interval "
        f"{100 * gap - 2.8:.1f} to {100 * gap + 2.8:.1f}){evil}.",
    } | changed
    comparison: dict[str, Any] = {
        "dataset": {"title": f"Digits, world dominant{evil}", "train": 60.0,
                    "test": float(found[best]["seeds"][0]["n"])},
        "metric": "accuracy",
        "constant": {"label": f"7{evil}", "accuracy": 0.14, "balanced_accuracy": 0.1, "macro_f1": 0.025, "nll": 2.29},
        "strategies": entries,
        "skipped": {},
        "pairs": pairs,
        "verdict": verdict,
        "settings": {"seeds": len(found[best]["seeds"]), "bootstrap": 2000, "confidence": 0.95, "threshold": 0.75},
    }
    save(comparison | (additions(order) if extras else {}), root / "reports/comparison.json")
    if extras:
        save(gather(comparison, {variant.name: elsewhere(comparison, variant) for variant in VARIANTS}),
             root / "reports/curves.json")


def elsewhere(comparison: dict[str, Any], variant: Variant) -> dict[str, Any]:
    """The same comparison with less or more compute or labels."""
    changed = copy.deepcopy(comparison)
    changed["dataset"]["train"] *= variant.labels
    for entry in changed["strategies"].values():
        entry["flops"] *= variant.compute
        for end in ("mean", "low", "high"):
            entry["accuracy"][end] += 0.04 * np.log2(variant.compute * variant.labels)
    return changed


def interval(values: np.ndarray) -> dict[str, float]:
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values)) + 0.01
    return {
        "mean": float(values.mean()),
        "low": float(values.mean() - half),
        "high": float(values.mean() + half),
        "sd": float(values.std(ddof=1)),
    }
