"""Strategies that add nothing to the pretrained unimodal classifiers but a choice (unimodal) or a pool (ensemble)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from trivium import models
from trivium.data.store import Batch, Store
from trivium.machine import device as devices
from trivium.models import files, pools
from trivium.models.network import Ensemble, Unimodal
from trivium.models.pools import Mean
from trivium.tasks import Task
from trivium.training import components, pooling, records
from trivium.training.jobs import Report
from trivium.training.loop import VALIDATION_BATCH

if TYPE_CHECKING:
    from trivium.training.strategy import Unit


@torch.no_grad()
def combine(unit: Unit, folder: Path, report: Report) -> records.Seed:
    """Calibrate each unimodal classifier on validation, keep the best or pool them; write `<folder>/model`."""
    kind, seed, best = devices.kind(unit.loop.device), unit.seed, unit.entry.plan.combine == "best"
    way = unit.entry.plan.way
    devices.deterministic(kind)
    store = Store(unit.entry.start, device=kind)
    task = store.task_at(seed)
    members, val, calibrations = calibrated(store, seed, report)
    scores = {s: _score({s: member}, store, task, val, [calibrations[s]])[1] for s, member in members.items()}
    chosen, spent, weights = list(store.streams), 0.0, None
    if best:
        chosen = [min(scores, key=lambda s: scores[s].nll)]
    if best or way == "product":
        model, validation = _score({s: members[s] for s in chosen}, store, task, val, [calibrations[s] for s in chosen])
    else:
        model, validation, spent = _pooled(way, members, store, task, val, calibrations, seed)
        if way == "selection" and isinstance(model.pool, Mean):
            weights = dict(zip(model.members, model.pool.weights.tolist(), strict=True))
        chosen = list(model.members)
    kept = [calibrations[s] for s in chosen]
    about = files.describe("ensemble", store.encoders, store.specs, model.task, members=chosen, features=store.digest,
                           **({"pool": pools.about(model.pool)} if model.pool is not None else {}))
    models.save(model, about, folder / "model")
    size = sum(p.numel() for p in model.parameters())
    paid = components.charged(store.recipe, seed)
    named = "+".join(chosen) if best or way == "selection" else None
    return records.Seed(
        seed=seed, history=_history(store.recipe, seed, chosen), validation=validation,
        members={s: records.Member(**dict(one)) for s, one in scores.items()}, chosen=named,
        weights=weights, calibration=[one.tolist() for one in kept],
        flops=records.Spent(budget=unit.limit, pretrain=paid, train=spent, total=paid + spent),
        parameters=records.Parameters(total=size, trained=size))


def calibrated(store: Store, seed: int, report: Report) -> tuple[dict[str, Unimodal], Batch, dict[str, Tensor]]:
    """The recipe's classifiers on the store's device, by stream; the validation samples, with their vectors; and each
    one's calibration on those that have its stream.
    """
    members, task = dict[str, Unimodal](), store.task_at(seed)
    for s in store.streams:
        member = components.load(store.recipe, s, seed)
        assert isinstance(member, Unimodal)
        members[s] = member.to(store.device)
    val = _encoded(members, store, store.rows(seed, "val"), seed, report)
    found = {}
    for k, (s, member) in enumerate(members.items()):
        has = val.present[:, k]
        found[s] = task.calibration(member.head(val.inputs[s][has]), val.y[has])
    return members, val, found


@torch.no_grad()
def ensemble(store: Store, seed: int, way: str) -> Ensemble:
    """What the recipe's classifiers say together, calibrated as `combine` does it; way: product or mean, which cost
    nothing to fit.
    """
    members, val, calibrations = calibrated(store, seed, lambda *_: None)
    task = store.task_at(seed)
    if way == "product":
        return _score(members, store, task, val, list(calibrations.values()))[0]
    return _pooled(way, members, store, task, val, calibrations, seed)[0]


def _encoded(members: dict[str, Unimodal], store: Store, rows: np.ndarray, seed: int, report: Report) -> Batch:
    """The samples of `rows` with the vectors of all members as inputs."""
    model, parts = Ensemble(members, store.streams, store.task).eval(), list[Batch]()
    for k in range(0, len(rows), VALIDATION_BATCH):
        part = store.batch(rows[k: k + VALIDATION_BATCH], seed)
        parts.append(Batch(model.vectors(part.inputs), part.present, part.y, encoded=True))
        report(k + len(part), len(rows))
    return Batch.joined(parts)


def _score(members: dict[str, Unimodal], store: Store, task: Task, val: Batch, calibrations: list[Tensor],
           ) -> tuple[Ensemble, records.Reached]:
    """The ensemble of some `members`; its NLL and score on all of `val`, samples without the stream included."""
    model = Ensemble(members, store.streams, task).to(val.y.device).eval()
    model.calibrations.copy_(torch.stack(calibrations))
    answers = model.answer(val.inputs, val.present)
    model.task = task.decided(answers, val.y)
    nll = -task.log_likelihood(answers, val.y).mean().item()
    return model, records.Reached(nll=nll, score=model.task.score(answers, val.y))


def _pooled(way: str, members: dict[str, Unimodal], store: Store, task: Task, val: Batch,
            calibrations: dict[str, Tensor], seed: int) -> tuple[Ensemble, records.Reached, float]:
    """The `members` that have a weight, pooled in another way than by their product; and what that cost (FLOPs)."""
    together, _ = _score(members, store, task, val, list(calibrations.values()))
    nothing = task.nothing(store.labels(store.rows(seed, "train")))
    answers, seen = together.answers(val.inputs, val.present)
    found = pooling.fit(way, answers, seen, val.y, nothing, task)
    pool, kept = found.pool, list(members)
    if isinstance(pool, Mean):
        kept = [s for s, weight in zip(members, pool.weights.tolist(), strict=True) if weight]
        pool = Mean(pool.weights[pool.weights > 0], pool.calibration)
    model = Ensemble({s: members[s] for s in kept}, store.streams, task.decided(found.answers, val.y), pool)
    model.to(val.y.device).eval().calibrations.copy_(torch.stack([calibrations[s] for s in kept]))
    nll = -task.log_likelihood(found.answers, val.y).mean().item()
    return model, records.Reached(nll=nll, score=model.task.score(found.answers, val.y)), found.flops


def _history(recipe: str, seed: int, chosen: list[str]) -> list[records.Step]:
    """The members' own learning curves, one phase per stream."""
    units = {unit.streams[0]: unit for unit in components.told(recipe).units if unit.seed == seed}
    return [records.Step(**dict(row), phase=s) for s in chosen for row in units[s].history]
