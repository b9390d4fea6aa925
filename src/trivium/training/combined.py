"""Strategies that add nothing to the pretrained unimodal classifiers but a choice (unimodal) or a sum (ensemble)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from trivium import models
from trivium.config import Config
from trivium.data.store import Store
from trivium.data.tables import read_json
from trivium.evaluation.calibration import temperature as fit_temperature
from trivium.models import files
from trivium.models.network import Ensemble, Unimodal
from trivium.strategies.base import Plan
from trivium.training import budget
from trivium.training.pretrain import charged
from trivium.training.strategy import PRETRAINED


@torch.no_grad()
def combine(config: Config, plan: Plan, seed: int, folder: Path) -> dict[str, Any]:
    """Calibrate each unimodal classifier on validation, keep the best or sum them; write `<folder>/model`."""
    store = Store()
    assert plan.start is not None
    torch.set_num_threads(1)
    members: dict[str, Unimodal] = {}
    temperatures, scores = [], {}
    val = store.rows(seed, "val")
    for m in store.modalities:
        member = models.load(PRETRAINED / m / plan.start / f"seed_{seed}")
        assert isinstance(member, Unimodal)
        batch = store.batch(val[store.has(m)[val]], seed, m)
        logits = member(batch.inputs[m])
        temperatures.append(fit_temperature(logits.numpy(), batch.y.numpy()))
        members[m] = member
        scores[m] = _score(store, val, seed, Ensemble({m: member}, store.modalities), temperatures[-1:])
    chosen = list(store.modalities) if plan.combine == "ensemble" else [min(scores, key=lambda m: scores[m]["nll"])]
    model = Ensemble({m: members[m] for m in chosen}, store.modalities)
    kept = [t for m, t in zip(store.modalities, temperatures, strict=True) if m in chosen]
    validation = _score(store, val, seed, model, kept)
    about = files.describe("ensemble", config.encoder.model_dump(), store.specs, store.classes,
                           members=chosen, modalities=list(store.modalities))
    models.save(model, about, folder / "model")
    size = sum(p.numel() for p in model.parameters())
    spent = charged(config, store, plan.start, seed)
    return {
        "seed": seed, "history": _history(plan.start, seed, chosen), "validation": validation, "members": scores,
        "temperature": kept, **({"chosen": chosen[0]} if plan.combine == "best" else {}),
        "flops": {"budget": budget.total(config, store, seed), "pretrain": spent, "train": 0.0, "total": spent},
        "parameters": {"total": size, "trained": size},
    }


def _score(store: Store, rows: np.ndarray, seed: int, model: Ensemble, temperatures: list[float]) -> dict[str, float]:
    """NLL and accuracy on all of `rows`, those without the modality included."""
    model.eval()
    model.temperatures.copy_(torch.tensor(temperatures))
    batch = store.batch(rows, seed)
    log_probabilities = model(batch.inputs, batch.present)
    nll = torch.nn.functional.nll_loss(log_probabilities, batch.y).item()
    return {"nll": nll, "accuracy": (log_probabilities.argmax(1) == batch.y).double().mean().item()}


def _history(recipe: str, seed: int, chosen: list[str]) -> list[dict[str, Any]]:
    """The members' own learning curves, one phase per modality."""
    rows = []
    for m in chosen:
        units = read_json(PRETRAINED / m / "training.json")["units"]
        record = next(unit for unit in units if unit["recipe"] == recipe and unit["seed"] == seed)
        rows += [row | {"phase": m} for row in record["history"]]
    return rows
