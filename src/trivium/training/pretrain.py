"""Encoders from one modality alone: every recipe of `pretrain` in params.yaml at every seed.

A recipe may spend `share` of the budget over all modalities, and each modality gets the same number of epochs, so that
together they cost what the recipe may spend.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from trivium.config import Config
from trivium.data.store import Store
from trivium.data.tables import write_json
from trivium.training import units


def pretrain(config: Config, modality: str, out: Path) -> dict[str, Any]:
    """Train and write `<out>/<recipe>/seed_<k>/` and `<out>/training.json`. Returns what it cost (`units.measured`)."""
    inputs, name = [Path("data/features")], f"pretrain/{modality}"
    todo = [(f"{recipe}_seed_{seed}", (modality, recipe, seed)) for recipe in config.pretrain
            for seed in range(config.seeds)]
    mixed = sorted(todo, key=lambda unit: unit[1][2])  # so that the first ones say how long all take
    done = units.run(config, f"pretrain {modality}", name, _unit, mixed, inputs)
    records = []
    for unit, (_, recipe, seed) in todo:
        folder, record = done[unit]
        shutil.copytree(folder / "model", out / recipe / f"seed_{seed}")
        records.append(record["record"])
    write_json({"modality": modality, "units": records}, out / "training.json")
    units.clean(config, name, inputs)
    return units.measured({unit: done[unit] for unit, _ in todo}, "units")


def epochs(config: Config, store: Store, recipe: str, seed: int) -> tuple[float, dict[str, float]]:
    """How many epochs of each modality `recipe` may spend, and the FLOPs that one sample of each costs."""
    from trivium.training import budget

    per_sample = {m: budget.counted(_counting(config, store, m, recipe, seed)) for m in store.modalities}
    per_epoch = sum(len(_rows(config, store, m, recipe, seed)) * cost for m, cost in per_sample.items())
    return config.pretrain[recipe].share * budget.total(config, store, seed) / per_epoch, per_sample


def charged(config: Config, store: Store, recipe: str, seed: int) -> float:
    """FLOPs that pretraining with `recipe` costs a strategy, all modalities together."""
    from trivium.training import budget

    count, per_sample = epochs(config, store, recipe, seed)
    total = 0.0
    for m, cost in per_sample.items():
        available = count * len(_rows(config, store, m, recipe, seed)) * cost
        total += budget.steps(available, cost, config.train.batch) * config.train.batch * cost
    return total


def _unit(config: Config, unit: tuple[str, str, int], folder: Path, report: units.Report) -> dict[str, Any]:
    modality, name, seed = unit
    from trivium import models
    from trivium.machine import device
    from trivium.models import files
    from trivium.training import budget
    from trivium.training.feed import Feed
    from trivium.training.loop import Schedule, fit

    recipe, store = config.pretrain[name], Store()
    count, per_sample = epochs(config, store, name, seed)
    task = _task(config, store, modality, name, seed)
    rows, val = _rows(config, store, modality, name, seed), store.rows(seed, "val")
    cost = per_sample[modality]
    steps = budget.steps(count * len(rows) * cost, cost, config.train.batch)
    accelerator = device.prepare(device.kind(config.train))
    order = store.rows(seed, "train")
    if not task.labels:
        order = np.concatenate([order, store.rows(seed, "unlabelled")])

    def feed(these: np.ndarray) -> Feed:
        return Feed(store, these, seed, accelerator.device, keep=store.has(modality)[these], only=modality,
                    augment=config.train.augment)

    history = fit(
        task, feed(order), feed(val),
        Schedule(steps, config.train.batch, recipe.lr), config.train, accelerator, seed,
        lambda samples: report(samples, steps * config.train.batch), folder / "checkpoint.pt",
    )
    kind, model = ("unimodal", task.model) if task.labels else ("encoder", task.encoder)
    about = files.describe(kind, config.encoder.model_dump(), {modality: store.specs[modality]}, store.classes)
    models.save(model, about, folder / "model")
    spent = steps * config.train.batch * cost
    best = min(history, key=lambda row: row["val_nll"])
    return {
        "recipe": name, "seed": seed, "flops": spent, "epochs": round(steps * config.train.batch / len(rows), 3),
        "parameters": sum(p.numel() for p in task.parameters()), "samples": len(rows),
        "validation": ({"nll": best["val_nll"], "accuracy": best["val_accuracy"]} if task.labels else
                       {"loss": best["val_nll"]}),
        "history": [row | {"flops": row["step"] * config.train.batch * cost} for row in history],
    }


def _task(config: Config, store: Store, modality: str, recipe: str, seed: int) -> Any:
    from trivium import models
    from trivium import objectives as pretraining
    from trivium.models.build import drawn

    encoder = models.encoder(config.encoder.model_dump(), store.specs[modality], seed)
    with drawn(seed, f"{modality}/{recipe}"):
        return pretraining.build(encoder, len(store.classes), config.pretrain[recipe])


def _rows(config: Config, store: Store, modality: str, recipe: str, seed: int) -> np.ndarray:
    """Samples that a recipe may read: train, and without labels the unlabelled ones as well; where present."""
    rows = store.rows(seed, "train")
    if config.pretrain[recipe].objective != "supervised":
        rows = np.concatenate([rows, store.rows(seed, "unlabelled")])
    return rows[store.has(modality)[rows]]


def _counting(config: Config, store: Store, modality: str, recipe: str, seed: int) -> Callable[[], Any]:
    import torch

    from trivium.training import budget

    task = _task(config, store, modality, recipe, seed)
    batch = budget.example({modality: store.specs[modality]})
    return lambda: task.loss(batch, torch.Generator().manual_seed(0))
