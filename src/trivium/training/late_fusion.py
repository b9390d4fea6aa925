"""Strategies that add nothing to the pretrained unimodal classifiers but a choice (unimodal) or a sum (ensemble)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from trivium import models
from trivium.data.store import Batch, Store
from trivium.machine import device as devices
from trivium.models import files
from trivium.models.network import Ensemble, Unimodal
from trivium.tasks import Task
from trivium.training import components, records
from trivium.training.jobs import Report
from trivium.training.loop import VALIDATION_BATCH

if TYPE_CHECKING:
    from trivium.training.strategy import Unit


@torch.no_grad()
def combine(unit: Unit, folder: Path, report: Report) -> records.Seed:
    """Calibrate each unimodal classifier on validation, keep the best or sum them; write `<folder>/model`."""
    kind, seed, best = devices.kind(unit.loop.device), unit.seed, unit.entry.plan.combine == "best"
    devices.deterministic(kind)
    store = Store(unit.entry.start, device=kind)
    members: dict[str, Unimodal] = {}
    for s in store.streams:
        member = components.load(store.recipe, s, seed)
        assert isinstance(member, Unimodal)
        members[s] = member.to(kind)
    val = _encoded(members, store, store.rows(seed, "val"), seed, report)
    calibrations, scores, task = {}, {}, store.task_at(seed)
    for k, (s, member) in enumerate(members.items()):
        has = val.present[:, k]
        calibrations[s] = task.calibration(member.head(val.inputs[s][has]), val.y[has])
        scores[s] = _score({s: member}, store, task, val, [calibrations[s]])[1]
    chosen = [min(scores, key=lambda s: scores[s].nll)] if best else list(store.streams)
    kept = [calibrations[s] for s in chosen]
    model, validation = _score({s: members[s] for s in chosen}, store, task, val, kept)
    about = files.describe("ensemble", store.encoders, store.specs, model.task, members=chosen,
                           features=store.digest)
    models.save(model, about, folder / "model")
    size = sum(p.numel() for p in model.parameters())
    spent = components.charged(store.recipe, seed)
    return records.Seed(
        seed=seed, history=_history(store.recipe, seed, chosen), validation=validation,
        members={s: records.Member(**dict(one)) for s, one in scores.items()}, chosen=chosen[0] if best else None,
        calibration=[one.tolist() for one in kept],
        flops=records.Spent(budget=unit.limit, pretrain=spent, train=0.0, total=spent),
        parameters=records.Parameters(total=size, trained=size))


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


def _history(recipe: str, seed: int, chosen: list[str]) -> list[records.Step]:
    """The members' own learning curves, one phase per stream."""
    units = {unit.streams[0]: unit for unit in components.told(recipe).units if unit.seed == seed}
    return [records.Step(**dict(row), phase=s) for s in chosen for row in units[s].history]
