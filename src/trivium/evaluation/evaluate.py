"""What one strategy's models say of their test sets, at every seed, and of the domain that is held out, if one is.

Nothing before this reads a sample of either.
"""

from __future__ import annotations

from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import nn

from trivium import models
from trivium.config import Config
from trivium.data import tables
from trivium.data.store import Batch, Store
from trivium.data.workers import processes
from trivium.evaluation import cost, domain, encoded, metrics
from trivium.evaluation.analyse import analyse
from trivium.progress import track
from trivium.training import device as devices


def evaluate(config: Config, strategy: str, out: Path) -> dict[str, Any]:
    """Write `<out>/predictions.parquet`, `<out>/metrics.json` and what `analyse` keeps, the seeds side by side; and
    `<out>/held_out.parquet`, predictions for the held-out domain, where there is one.

    Returns what the first model costs when it answers (see `cost.inference`): measured, so not part of the outs.
    """
    device = devices.kind(config.train)
    training = tables.read_json(Path("models") / strategy / "training.json")
    records = training["seeds"]
    with processes(min(len(records), devices.workers(config.train, device)), devices.gpus(device)) as run:
        found = run(partial(_seed, config, strategy, out, device), records)
        done = [result for _, result in track(found, f"evaluate {strategy}", len(records), "seed")]
    for name in done[0][1]:
        tables.write(pa.concat_tables([answers[name] for _, answers in done]), out / f"{name}.parquet")
    devices.deterministic(device)
    store = Store(device=device)
    tables.write_json({"strategy": strategy, "start": training["start"], "classes": list(store.classes),
                       "modalities": list(store.modalities), "world": store.world, "seeds": [row for row, _ in done]},
                      out / "metrics.json")
    first = records[0]["seed"]
    some = store.batch(store.rows(first, "test")[: cost.MANY], first)
    return cost.inference(models.load(Path("models") / strategy / f"seed_{first}").to(device), some)


@torch.no_grad()
def _seed(config: Config, strategy: str, out: Path, device: str, record: dict[str, Any],
          ) -> tuple[dict[str, Any], dict[str, pa.Table]]:
    """The metrics of the model of one seed and its answers, by file; `record`: of training.json."""
    devices.deterministic(device)
    store, seed = Store(device=device), record["seed"]
    model = models.load(Path("models") / strategy / f"seed_{seed}").to(device)
    test = store.rows(seed, "test")
    batch = encoded.encode_rows(model, store, test, seed, config.evaluate.batch)
    probabilities = predict(model, batch, config.evaluate.batch)
    y = batch.y.cpu().numpy()
    prediction = probabilities.argmax(1)
    counts = metrics.confusion(y, prediction, len(store.classes))
    answers = {"predictions": _table(store, seed, test, y, prediction, probabilities)}
    elsewhere: dict[str, Any] = {}
    if by := domain.within(store, test, prediction == y):
        elsewhere["by"] = by
    if len(held := store.rows(seed, "domain")):
        found = encoded.encode_rows(model, store, held, seed, config.evaluate.batch)
        p, labels = predict(model, found, config.evaluate.batch), found.y.cpu().numpy()
        elsewhere["held_out"] = domain.held_out(store, held, p, labels, config.evaluate.calibration_bins)
        answers["held_out"] = _table(store, seed, held, labels, p.argmax(1), p)
    kept = ("flops", "parameters", "validation", "temperature", "chosen", "members")
    row = {
        "seed": seed, "n": len(test), "n_train": len(store.rows(seed, "train")),
        "metrics": metrics.score(probabilities, y, config.evaluate.calibration_bins),
        "subsets": subsets(model, batch, store.modalities, config.evaluate.batch),
        "per_class": metrics.per_class(counts, store.classes),
        "training": {key: record[key] for key in kept if key in record},
    } | ({"domain": elsewhere} if elsewhere else {}) | analyse(model, store, seed, test, batch, config, out)
    return row, answers


def predict(model: nn.Module, batch: Batch, size: int) -> np.ndarray:
    """Probabilities, float64 [B, C]."""
    parts = [model(one.inputs, one.present) for one in (batch[k : k + size] for k in range(0, len(batch), size))]
    return torch.cat(parts).double().softmax(-1).cpu().numpy()


def subsets(model: nn.Module, batch: Batch, modalities: tuple[str, ...], size: int) -> dict[str, dict[str, float]]:
    """Accuracy and NLL when a sample shows no more than the modalities of a subset, for every non-empty subset."""
    found: dict[str, dict[str, float]] = {}
    for count in range(1, len(modalities) + 1):
        for shown in combinations(modalities, count):
            mask = torch.tensor([m in shown for m in modalities], device=batch.present.device)
            seen = Batch(batch.inputs, batch.present & mask, batch.y)
            scores = metrics.score(predict(model, seen, size), batch.y.cpu().numpy())
            found["+".join(shown)] = {"accuracy": scores["accuracy"], "nll": scores["nll"]}
    return found


def _table(store: Store, seed: int, rows: np.ndarray, y: np.ndarray, prediction: np.ndarray, probabilities: np.ndarray,
           ) -> pa.Table:
    classes = probabilities.shape[1]
    flat = pa.array(probabilities.astype(np.float32).reshape(-1))
    offsets = pa.array(np.arange(0, len(rows) * classes + 1, classes, dtype=np.int32))
    return pa.table({
        "seed": pa.array(np.full(len(rows), seed), pa.int32()),
        "sample": pa.array([store.samples[k] for k in rows], pa.string()),
        "y": pa.array(y, pa.int32()), "prediction": pa.array(prediction, pa.int32()),
        "probabilities": pa.ListArray.from_arrays(offsets, flat),
    })
