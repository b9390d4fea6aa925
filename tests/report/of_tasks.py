"""Small finished projects of other tasks than classes: prices, rents with areas, tags, grades. What models answer is
made up, and what is said of it is `trivium.comparison`'s own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.report.analyses import STREAMS, answer
from tests.report.samples import write_samples
from tests.report.trained import BUDGET, about, pretrain, save
from trivium import tasks
from trivium.comparison import build as comparisons
from trivium.comparison.settings import Settings
from trivium.drawing.svg import drawing
from trivium.evaluation import predictions
from trivium.tasks import Task

SKILLS = {"end_to_end": 0.55, "unimodal": 0.6, "ensemble": 0.86, "supervised_frozen": 0.83}  # 0-1
BRINGS = {"text": 0.55, "image": 0.35, "audio": 0.1}  # share of the skill that a stream brings
TAGS = ("big", "metal", "old", "red", "round", "soft", "transparent", "wooden")
GRADES = ("poor", "fair", "good", "excellent")


@dataclass(frozen=True)
class Kind:
    """task: as the data has it.  y: [N, *T].  answer: rows, skill, random numbers -> stored answers [B, A].
    score: the key of the metric that the analyses measure.  fitted: a task as a model has it, from train targets
    """

    task: Task
    y: np.ndarray
    answer: Callable[[np.ndarray, float, np.random.Generator], np.ndarray]
    score: str


def prices(samples: int) -> Kind:
    """In EUR, most low and few high."""
    return _numbers({"price": "EUR"}, np.exp(np.random.default_rng(3).normal(4.6, 0.5, (samples, 1))))


def houses(samples: int) -> Kind:
    """Rents with areas: two numbers of different units."""
    rng = np.random.default_rng(4)
    area = rng.normal(80, 25, samples).clip(20)
    return _numbers({"rent": "EUR", "area": "m²"}, np.stack([11 * area + rng.normal(0, 150, samples), area], 1))


def _numbers(units: dict[str, str], values: np.ndarray) -> Kind:
    y, deviation = values.astype(np.float32), values.std(0)
    task = tasks.of({"name": "regression", "targets": units, "interval": 0.9, "scale": deviation.tolist()})

    def answer(rows: np.ndarray, skill: float, rng: np.random.Generator) -> np.ndarray:
        middle, spread = y.mean(0), deviation * np.sqrt(1 - skill**2)
        guess = middle + skill**2 * (y[rows] - middle) + skill * spread * rng.normal(size=(len(rows), y.shape[1]))
        return np.concatenate([guess, *(np.broadcast_to(part, guess.shape) for part in (1.55 * spread, spread))], 1)

    return Kind(task, y, answer, "r2")


def tagged(samples: int) -> Kind:
    """Things with up to eight tags, of which some are rare."""
    share = np.linspace(0.55, 0.06, len(TAGS))
    y = (np.random.default_rng(5).random((samples, len(TAGS))) < share).astype(np.uint8)
    thresholds = [0.4 + 0.02 * k for k in range(len(TAGS))]
    task = tasks.of({"name": "multilabel", "tags": list(TAGS), "thresholds": thresholds})

    def answer(rows: np.ndarray, skill: float, rng: np.random.Generator) -> np.ndarray:
        prior = np.log(share / (1 - share))
        signal = 3.2 * skill * (2 * y[rows].astype(float) - 1) * np.linspace(1.2, 0.6, len(TAGS))
        return 1 / (1 + np.exp(-(prior + signal + 1.4 * rng.normal(size=signal.shape))))

    return Kind(task, y, answer, "sample_f1")


def graded(samples: int) -> Kind:
    y = np.random.default_rng(6).choice(len(GRADES), samples, p=(0.2, 0.4, 0.3, 0.1)).astype(np.int64)

    def answer(rows: np.ndarray, skill: float, rng: np.random.Generator) -> np.ndarray:
        seen = y[rows] + (1.6 - 1.5 * skill) * rng.normal(size=len(rows))
        likely = np.exp(-((np.arange(len(GRADES)) - seen[:, None]) ** 2) / (2 * (1.3 - skill) ** 2))
        return likely / likely.sum(1, keepdims=True)

    return Kind(tasks.of({"name": "ordinal", "classes": list(GRADES)}), y, answer, "accuracy")


def build(root: Path, kind: Kind, seeds: int = 3, skills: dict[str, float] | None = None) -> Path:
    """A project below `root`, with all that the report can show."""
    skills, samples = skills or SKILLS, len(kind.y)
    _data(root, kind, seeds)
    for name, skill in skills.items():
        _strategy(root, kind, name, skill, seeds)
    save({"of": "end_to_end", "epochs": 20.0, "flops": [BUDGET]}, root / "models/budget.json")
    pretrain(root, seeds)
    for k, name in enumerate(skills):
        save({"seconds": 60.0 + 5 * k, "peak_memory_bytes": 6e8, "seeds": [20.0 + k] * seeds},
             root / f"reports/measured/train@{name}.json")
    settings = Settings(bootstrap=300, confidence=0.95, threshold=0.75)
    found = comparisons.build(settings, list(skills), "holdout", 15, root)
    found.write(root / "reports/comparison.json")
    _explained(root, kind, list(skills))
    assert samples == pq.read_metadata(root / "data/aligned/samples.parquet").num_rows
    return root


def _splits(samples: int, seeds: int) -> list[np.ndarray]:
    kinds = np.repeat(["train", "val", "test"], [samples // 2, samples * 15 // 100, samples - samples // 2
                                                 - samples * 15 // 100])
    return [np.random.default_rng([9, seed]).permutation(kinds) for seed in range(seeds)]


def _data(root: Path, kind: Kind, seeds: int) -> None:
    samples = len(kind.y)
    write_samples(root, np.arange(samples) % 10, [str(k) for k in range(10)], "", 60)
    path = root / "data/aligned/samples.parquet"
    table = pq.read_table(path)
    y = kind.task.column(kind.y)
    said = pa.array([kind.task.words(one) for one in kind.y])
    table = table.set_column(table.column_names.index("y"), "y", y)
    pq.write_table(table.set_column(table.column_names.index("label"), "label", said), path)
    title = {"regression": "Second-hand finds", "multilabel": "Things with tags"}.get(kind.task.name, "Graded things")
    meta = {"source": "manifest", "root": "data/raw", "title": title, "card": "", "world": None,
            "task": kind.task.plain(), "streams": {stream: stream for stream in STREAMS}}
    save(meta, root / "data/aligned/meta.json")
    columns = {f"seed_{seed}": split for seed, split in enumerate(_splits(samples, seeds))}
    (root / "data/features").mkdir(parents=True)
    pq.write_table(pa.table({"sample": table["sample"], "y": y, **columns}), root / "data/features/samples.parquet")
    save({"meta": meta}, root / "data/features/features.json")
    (root / "data/splits").mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"sample": table["sample"], **columns, "group": np.arange(samples)}),
                   root / "data/splits/splits.parquet")


def _strategy(root: Path, kind: Kind, name: str, skill: float, seeds: int) -> None:
    folder, tested, trained, pieces = root / f"reports/evaluate/{name}", [], [], []
    folder.mkdir(parents=True)
    for seed, split in enumerate(_splits(len(kind.y), seeds)):
        rows, rng = np.flatnonzero(split == "test"), np.random.default_rng([seed, *name.encode()])
        task = kind.task.fitted(kind.y[split == "train"])
        stored = kind.answer(rows, skill + 0.01 * seed, rng)
        result = task.outcome(stored, kind.y[rows])
        metrics = task.scores(result)
        pieces.append(predictions.table(task, seed, [f"d{row:05}" for row in rows], kind.y[rows], stored))
        score = metrics[kind.score]
        training = {"flops": {"budget": BUDGET, "pretrain": BUDGET / 2, "train": BUDGET / 2, "total": BUDGET},
                    "parameters": {"total": 171_234, "trained": 57_000}, "calibration": 1.2,
                    "validation": {"nll": 1.2 - score, "score": score}}
        tested.append({
            "seed": seed, "n": len(rows), "n_train": int((split == "train").sum()), "task": task.plain(),
            "metrics": metrics, "table": task.table(result), "training": training,
            "subsets": {"+".join(some): {"score": score * min(1.0, 0.1 + sum(BRINGS[m] for m in some)), "nll": 1.0}
                        for size in (1, 2, 3) for some in itertools.combinations(STREAMS, size)},
        } | _analysis(root, kind, name, seed, rows, score))
        history = [{"phase": "joint", "step": k, "epoch": k, "flops": BUDGET * (0.5 + k / 30), "train_loss": 1 / k,
                    "val_nll": 1.1 + 2 * np.exp(-k / 3) + 0.03 * seed, "val_score": score * (1 - np.exp(-k / 3))}
                   for k in range(1, 16)]
        trained.append(training | {"seed": seed, "history": history})
    with predictions.writer(folder / "predictions.parquet", kind.task) as add:
        for piece in pieces:
            add(piece)
    save(about(name) | {"streams": list(STREAMS), "task": kind.task.plain(), "seeds": tested}, folder / "metrics.json")
    save(about(name) | {"fusion": None, "seeds": trained}, root / f"models/{name}/training.json")


def _analysis(root: Path, kind: Kind, name: str, seed: int, rows: np.ndarray, score: float) -> dict[str, Any]:
    """As `trivium.evaluation.analyse` gives it."""
    import torch

    levels, given = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0), {m: score * BRINGS[m] for m in STREAMS}
    falls = {m: [score - given[m] * level for level in levels] for m in STREAMS}
    task = kind.task.fitted(kind.y)
    parts = task.parts(torch.from_numpy(kind.y[rows]))
    samples = []
    for k, why in enumerate(("closest", "furthest", "same") if seed == 0 else ()):
        path = root / "reports/evaluate" / name / f"pictures/{k}_{why}.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(drawing(918, 288))
        said = [kind.task.words(kind.y[row]) for row in (rows[k], rows[k + 7 if why == "furthest" else k])]
        samples.append({"sample": f"d{rows[k]:05}", "why": why, "label": said[0], "prediction": said[1], "support": 0.8,
                        "picture": f"pictures/{k}_{why}.svg", "tokens": {"text": [["seven", 0.8]]}})
    return {
        "contribution": {"score": given, "log_probability": given, "subsets": {}, "parts": {
            part: {m: given[m] * (1 - 0.1 * k) for m in STREAMS} for k, part in enumerate(parts)}},
        "robustness": {"corruption": {m: {"levels": levels, "score": falls[m], "relative": float(np.mean(falls[m]))}
                                      for m in STREAMS},
                       "misalignment": {m: {"0": score, "0.5": score - given[m] / 2, "1": score - given[m]}
                                        for m in STREAMS},
                       "shift": {}, "attacks": {}},
        "probes": {m: {"before": 0.1 * BRINGS[m], "after": score * BRINGS[m]} for m in STREAMS},
        "attribution": {"deletion": {m: {"area": 0.4, "random": 0.6} for m in STREAMS}, "samples": samples},
        "rows": {key: dict.fromkeys(STREAMS, len(rows))
                 for key in ("contribution", "corruption", "misalignment", "probes")},
    }


def _explained(root: Path, kind: Kind, names: list[str]) -> None:
    """A sample that changed, as `trivium.comparison.explained` leaves it."""
    said = [kind.task.words(one) for one in kind.y[:3]]
    answers = {name: answer(2, said[2], said[k % 2], 0.9, 0.1 + 0.4 * (k % 2)) for k, name in enumerate(names)}
    save({"seed": 0, "among": 8, "samples": [{"sample": "d00002", "label": said[2], "spread": 0.2,
                                              "picture": "changed_0.svg", "strategies": answers}]},
         root / "reports/explained/explained.json")
    (root / "reports/explained/changed_0.svg").write_text(drawing(900, 400))


KINDS = {"prices": prices, "houses": houses, "tagged": tagged, "graded": graded}
