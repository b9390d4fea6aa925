"""Strategies that add nothing to the pretrained unimodal classifiers but a choice (unimodal) or a sum (ensemble)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from trivium import models
from trivium.config import Config
from trivium.data.store import Batch, Store
from trivium.data.tables import read_json
from trivium.machine import device as devices
from trivium.models import files
from trivium.models.calibration import temperature as fit_temperature
from trivium.models.network import Ensemble, Unimodal
from trivium.strategies.base import Plan
from trivium.training import budget
from trivium.training.loop import VALIDATION_BATCH
from trivium.training.pretrain import charged
from trivium.training.strategy import PRETRAINED
from trivium.training.units import Report


@torch.no_grad()
def combine(config: Config, plan: Plan, seed: int, folder: Path, report: Report) -> dict[str, Any]:
    """Calibrate each unimodal classifier on validation, keep the best or sum them; write `<folder>/model`."""
    kind = devices.kind(config.train)
    devices.deterministic(kind)
    store = Store(device=kind)
    assert plan.start is not None
    members: dict[str, Unimodal] = {}
    for m in store.modalities:
        member = models.load(PRETRAINED / m / plan.start / f"seed_{seed}")
        assert isinstance(member, Unimodal)
        members[m] = member.to(kind)
    val = _encoded(members, store, store.rows(seed, "val"), seed, report)
    temperatures, scores = [], {}
    for k, (m, member) in enumerate(members.items()):
        has = val.present[:, k]
        logits = member.head(val.inputs["vectors"][has, k])
        temperatures.append(fit_temperature(logits, val.y[has]))
        scores[m] = _score({m: member}, store.modalities, val, temperatures[-1:])[1]
    chosen = list(store.modalities) if plan.combine == "ensemble" else [min(scores, key=lambda m: scores[m]["nll"])]
    kept = [t for m, t in zip(store.modalities, temperatures, strict=True) if m in chosen]
    model, validation = _score({m: members[m] for m in chosen}, store.modalities, val, kept)
    about = files.describe("ensemble", config.encoder.model_dump(), store.specs, store.classes,
                           members=chosen, modalities=list(store.modalities), features=store.digest)
    models.save(model, about, folder / "model")
    size = sum(p.numel() for p in model.parameters())
    spent = charged(config, store, plan.start, seed)
    return {
        "seed": seed, "history": _history(plan.start, seed, chosen), "validation": validation, "members": scores,
        "temperature": kept, **({"chosen": chosen[0]} if plan.combine == "best" else {}),
        "flops": {"budget": budget.total(config, store, seed), "pretrain": spent, "train": 0.0, "total": spent},
        "parameters": {"total": size, "trained": size},
    }


def _encoded(members: dict[str, Unimodal], store: Store, rows: np.ndarray, seed: int, report: Report) -> Batch:
    """The samples of `rows` with the vectors [N, M, D] of all members as inputs."""
    model, parts = Ensemble(members, store.modalities).eval(), []
    for k in range(0, len(rows), VALIDATION_BATCH):
        part = store.batch(rows[k: k + VALIDATION_BATCH], seed)
        parts.append((model.vectors(part.inputs), part.present, part.y))
        report(k + len(part), len(rows))
    vectors, present, y = (torch.cat(of) for of in zip(*parts, strict=True))
    return Batch({"vectors": vectors}, present, y)


def _score(members: dict[str, Unimodal], modalities: tuple[str, ...], val: Batch, temperatures: list[float],
           ) -> tuple[Ensemble, dict[str, float]]:
    """The ensemble of some `members`; its NLL and accuracy on all of `val`, samples without the modality included."""
    model = Ensemble(members, modalities).to(val.y.device).eval()
    model.temperatures.copy_(torch.tensor(temperatures))
    vectors = val.inputs["vectors"][:, [modalities.index(m) for m in members]]
    log_probabilities = model({"vectors": vectors}, val.present)
    nll = torch.nn.functional.nll_loss(log_probabilities, val.y).item()
    return model, {"nll": nll, "accuracy": (log_probabilities.argmax(1) == val.y).double().mean().item()}


def _history(recipe: str, seed: int, chosen: list[str]) -> list[dict[str, Any]]:
    """The members' own learning curves, one phase per modality."""
    rows = []
    for m in chosen:
        units = read_json(PRETRAINED / m / "training.json")["units"]
        record = next(unit for unit in units if unit["recipe"] == recipe and unit["seed"] == seed)
        rows += [row | {"phase": m} for row in record["history"]]
    return rows
