"""The strategy `selection` at a seed: classifiers and probes on frozen vectors, weighed by their use on validation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from trivium import models
from trivium.data.store import Store
from trivium.machine import device as devices
from trivium.models import files, selected
from trivium.models.linear import Linear
from trivium.models.network import Unimodal
from trivium.models.pools import Mean
from trivium.models.selected import Selected
from trivium.tasks import weighing
from trivium.training import components, probed, records, vectors
from trivium.training.jobs import Report

if TYPE_CHECKING:
    from trivium.tasks import Task
    from trivium.training.linear import Fitted
    from trivium.training.strategy import Unit

NAMES = {"mean": "mean of probes", "concatenation": "probe of all streams"}


@torch.no_grad()
def train(unit: Unit, folder: Path, report: Report) -> records.Seed:
    """Fit, choose and write `<folder>/model`. Returns the record for training.json."""
    seed, kind = unit.seed, devices.kind(unit.loop.device)
    devices.deterministic(kind)
    store = Store(unit.entry.start, device=kind)
    parts: dict[str, Any] = {s: components.load(store.recipe, s, seed).to(kind) for s in store.streams}
    encoders = {s: part.encoder if isinstance(part, Unimodal) else part for s, part in parts.items()}
    found, own = probed.fit(store, encoders, seed)
    report(1, 1)
    rows, task = store.rows(seed, "val"), store.task_at(seed)
    y, present = torch.from_numpy(store.labels(rows)), _present(store, rows)
    seen = {s: vectors.of(store, s, encoders[s], rows, seed) for s in store.streams}
    heads = {s: part.head.cpu() for s, part in parts.items() if isinstance(part, Unimodal)}
    members = _classifiers(store, heads, seen, present, y, found.nothing, task) | _probes(store, encoders, found)
    answers, counts = selected.answers(list(members.values()), seen, present, task)
    pool = Mean.fitted(weighing.greedy(answers, counts, y, task), answers, counts, y, task)
    model, told = Selected.of(encoders, members, pool, task), pool(answers, counts, task)
    model.task = task.decided(told, y)
    about = files.describe("selected", store.encoders, store.specs, model.task, selected=model.about(),
                           features=store.digest, apart=components.apart(store.recipe, model.readers))
    models.save(model.cpu(), about, folder / "model")
    spent = components.charged(store.recipe, seed)
    return records.Seed(
        seed=seed, history=[], chosen="+".join(model.readers), calibration=[
            one.calibration.tolist() for one in model.members],
        validation=_reached(told, y, model.task),
        members={name: _member(answer, y, task) for name, answer in zip(members, answers, strict=True)},
        weights=dict(zip(model.names, model.pool.weights.tolist(), strict=True)),
        flops=records.Spent(budget=unit.limit, pretrain=spent, train=own, total=spent + own),
        parameters=records.Parameters(total=sum(p.numel() for p in model.parameters()),
                                      trained=sum(p.numel() for p in model.members.parameters())))


def _present(store: Store, rows: np.ndarray) -> Tensor:
    return torch.from_numpy(np.stack([store.has(s)[rows] for s in store.streams], 1))


def _classifiers(store: Store, heads: dict[str, Any], seen: dict[str, Tensor], present: Tensor, y: Tensor,
                 nothing: np.ndarray, task: Task) -> dict[str, Linear]:
    """The recipe's own classifiers, calibrated on validation, as linear models on their streams' vectors."""
    found = {}
    for s, head in heads.items():
        here = present[:, store.streams.index(s)]
        calibration = task.calibration(head(seen[s][here]), y[here])
        found[f"classifier of {s}"] = Linear.of(
            store.streams, "mean", {s: head.weight.numpy()}, {s: head.bias.numpy()},
            np.zeros(task.outputs, np.float32), nothing, calibration, {})
    return found


def _probes(store: Store, encoders: dict[str, Any], found: Fitted) -> dict[str, Linear]:
    made = {}
    for answer, tried in zip(found.answers, found.tried, strict=True):
        idf = {s: encoders[s].idf.cpu().numpy() for s in answer.weights if store.specs[s].kind == "counts"}
        name = NAMES[answer.way] if len(answer.weights) > 1 else f"probe of {next(iter(answer.weights))}"
        made[name] = Linear.of(store.streams, answer.way, answer.weights, answer.biases, answer.intercept,
                               found.nothing, tried.calibration, idf)
    return made


def _member(answers: Tensor, y: Tensor, task: Task) -> records.Member:
    return records.Member(**dict(_reached(answers, y, task.decided(answers, y))))


def _reached(answers: Tensor, y: Tensor, task: Task) -> records.Reached:
    return records.Reached(nll=-task.log_likelihood(answers, y).mean().item(), score=task.score(answers, y))
