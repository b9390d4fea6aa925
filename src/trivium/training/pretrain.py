"""Components by a recipe: every group of streams at every seed.

A recipe may spend `share` of the budget over all streams, and each stream gets the same number of epochs, so that
together they cost what the recipe may spend.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from trivium.data.store import Store
from trivium.machine.measured import Measured
from trivium.training import code, jobs, records
from trivium.training.recipes import Group, Recipe, shares_space
from trivium.training.settings import Loop


@dataclass(frozen=True)
class Unit:
    """A group of streams at a seed; null: at all seeds, since nothing depends on it. limit: the budget, FLOPs."""

    recipe: Recipe
    group: Group
    seed: int | None
    loop: Loop
    limit: float


def pretrain(recipe: Recipe, loop: Loop, budgets: Sequence[float], out: Path) -> Measured:
    """Train and write `<out>/<stream>/seed_<k>/` (or `all`) and `<out>/training.json`. Returns what it cost.

    budgets: FLOPs per seed. What they do not pay for one epoch is not begun: `training.json` then says so.
    """
    from trivium.machine import device, engines

    device.deterministic(engines.chosen().device(loop.device))  # one thread: units are forked from here
    store = Store(recipe.name)
    about = records.Pretrained(recipe=recipe.name, objectives=recipe.objectives, units=[],
                               skipped=_lacking(store, recipe, budgets[0], loop.mixup))
    if about.skipped:
        about.write(out / "training.json")
        return Measured()
    todo = [Unit(recipe, group, seed, loop, limit) for group in recipe.groups for seed, limit in
            ([(None, 0.0)] if seedless(store, group) else list(enumerate(budgets)))]
    named = [(f"{unit.group.name}_{_place(unit)}", unit, _key(store, unit)) for unit in todo]
    mixed = sorted(named, key=lambda one: one[1].seed or 0)  # so that the first ones say how long all take
    trained = [group for group in recipe.groups if group.objective]
    need = partial(_need, store, trained, loop) if trained else None
    done = jobs.run(f"pretrain {recipe.name}", _work, mixed, loop, store.inputs, need)
    for name, unit, _ in named:
        for s in unit.group.streams:
            jobs.copy(done[name][0] / s, out / s / _place(unit))
    about.model_copy(update={"units": [done[name][1].record for name, *_ in named]}).write(out / "training.json")
    return jobs.measured({name: done[name] for name, *_ in named}, "units")


def _need(store: Store, groups: Sequence[Group], loop: Loop, units: int) -> str:
    """What training takes of memory, of the group that takes most of it; in words."""
    import torch

    from trivium.training import budget, memory, mixup

    found = []
    for group in groups:
        objective, specs = _objective(store, group, 0), {s: store.specs[s] for s in group.streams}
        batch = budget.example(specs, store.task, among=store.streams)
        loss = partial(mixup.loss, objective, batch, torch.Generator().manual_seed(0), loop.mixup)
        rows = len(_rows(store, group, 0)) + len(store.rows(0, "val"))
        found.append(memory.need(objective, loss, budget.PROBE, loop, memory.held(specs.values(), rows)))
    return memory.said(max(found, key=lambda one: one.own), loop, units)


def _place(unit: Unit) -> str:
    return "all" if unit.seed is None else f"seed_{unit.seed}"


def seedless(store: Store, group: Group) -> bool:
    """Whether published weights read the same inputs at every seed."""
    reads = [store.reads.streams[s] for s in group.streams]
    return group.objective is None and all(
        store.encoders[s].weights and len(set(read.columns)) == 1 and all(one == read.statistics[0] for one in
                                                                          read.statistics)
        for s, read in zip(group.streams, reads, strict=True))


def _lacking(store: Store, recipe: Recipe, limit: float, alpha: float) -> records.Lacking | None:
    """None where the budget pays for an epoch."""
    if not recipe.objectives:
        return None
    one, there = _per_epoch(store, recipe, 0, alpha), recipe.share * limit
    return records.Lacking(budget=limit, needed=limit * one / there) if there < one else None


def _key(store: Store, unit: Unit) -> str:
    """Of all that the weights depend on; names of recipes and encoders are no part of it."""
    reads = [store.reads.streams[s].model_dump(mode="json", exclude={"entry"}) for s in unit.group.streams]
    about: dict[str, Any] = {"group": asdict(unit.group), "seed": unit.seed, "samples": store.reads.samples,
                             "reads": reads}
    if unit.group.objective:
        recipe, loop = unit.recipe, unit.loop.decides()
        about |= {"groups": [asdict(group) for group in recipe.groups], "share": recipe.share, "lr": recipe.lr,
                  "published_lr": recipe.published_lr, "loop": loop, "limit": unit.limit, "all": store.digest}
    modules = code.of_recipe(store.encoders.values(), type(store.task), unit.recipe.objectives)
    return jobs.key(modules, about)


def _work(unit: Unit, folder: Path, report: jobs.Report) -> records.Unit:
    store = Store(unit.recipe.name)
    return _trained(store, unit, folder, report) if unit.group.objective else (
        _as_they_come(store, unit, folder, report))


def _as_they_come(store: Store, unit: Unit, folder: Path, report: jobs.Report) -> records.Unit:
    """Random weights, or published ones: nothing is trained. The latter see every sample once."""
    from trivium import models
    from trivium.machine import device
    from trivium.models import files, kept
    from trivium.training import budget

    where = device.kind(unit.loop.device)
    device.deterministic(where)
    size = 0
    for s in unit.group.streams:
        encoder: Any = models.encoder(store.encoders[s], store.specs[s], unit.seed or 0).eval()
        if store.specs[s].kind == "counts":
            fit_idf(encoder, store, s, unit.seed or 0)
        about = files.describe("encoder", store.encoders, {s: store.specs[s]}, store.task)
        models.save(encoder, about, folder / s)
        size += sum(p.numel() for p in encoder.parameters())
        if unit.seed is None:
            cost = budget.passes(copy.deepcopy(encoder), store.specs[s])  # counted on the CPU
            kept.write(encoder.to(where), store, s, cost, folder / s, report)
    return records.Unit(
        streams=list(unit.group.streams), seed=unit.seed, objective=None, flops=0.0, epochs=0.0, parameters=size,
        samples=0, validation=records.Validation(), history=[])


def fit_idf(encoder: Any, store: Store, stream: str, seed: int) -> None:
    """How rare each n-gram is among the train rows of the seed."""
    import torch

    from trivium.encoders import tfidf

    rows = store.rows(seed, "train")
    counts = store.ragged(stream).csr(rows[store.has(stream)[rows]], encoder.buckets)
    encoder.idf.copy_(torch.from_numpy(tfidf.fit_idf(counts)))


def _trained(store: Store, unit: Unit, folder: Path, report: jobs.Report) -> records.Unit:
    from trivium import models
    from trivium.machine import device
    from trivium.models import files, space
    from trivium.training import balance, budget
    from trivium.training.feed import Feed
    from trivium.training.loop import Schedule, fit

    recipe, group, seed, loop = unit.recipe, unit.group, unit.seed, unit.loop
    assert seed is not None
    epochs = recipe.share * unit.limit / _per_epoch(store, recipe, seed, loop.mixup)
    objective, rows = _objective(store, group, seed), _rows(store, group, seed)
    cost = _cost(store, group, seed, loop.mixup)
    steps = budget.steps(epochs * len(rows) * cost, cost, loop.batch)
    accelerator = device.prepare(device.kind(loop.device))
    order, val = store.rows(seed, "train"), store.rows(seed, "val")
    if not objective.labels:
        order = np.concatenate([order, store.rows(seed, "unlabelled")])

    def feed(these: np.ndarray) -> Feed:
        return Feed(store, these, seed, accelerator.device, keep=_has(store, group)[these], only=group.streams,
                    augment=loop.augment)

    slower = {id(weight): recipe.published_lr / recipe.lr for part in objective.modules()
              if getattr(part, "published", False) for weight in part.parameters()}
    name = f"Pretraining `{recipe.name}` of {', '.join(group.streams)}, seed {seed}"
    plan = Schedule(steps, loop.batch, recipe.lr, slower, name=name)
    train = feed(order)
    if objective.labels:
        train = balance.apply(train, loop.balance, store.labels(order))
    history = fit(objective, train, feed(val), plan, loop, accelerator, seed,
                  lambda samples: report(samples, steps * loop.batch), folder / "checkpoint.pt")
    for s in group.streams:
        kind, model = ("unimodal", objective.model) if hasattr(objective, "model") else (
            "encoder", objective.encoders[s])
        models.save(model, files.describe(kind, store.encoders, {s: store.specs[s]}, store.task_at(seed)), folder / s)
        if shares_space(group):
            space.save(objective.project[s].weight, objective.sharpness.exp().clamp(max=space.SHARPEST), folder / s)
    best = min(history, key=lambda row: row["val_nll"])
    return records.Unit(
        streams=list(group.streams), seed=seed, objective=(group.objective or {})["name"],
        flops=steps * loop.batch * cost, epochs=round(steps * loop.batch / len(rows), 3),
        parameters=sum(p.numel() for p in objective.parameters()), samples=len(rows),
        validation=(records.Validation(nll=best["val_nll"], score=best["val_score"]) if objective.labels else
                    records.Validation(loss=best["val_nll"])),
        history=[records.Evaluation(**row, flops=row["step"] * loop.batch * cost) for row in history])


def _per_epoch(store: Store, recipe: Recipe, seed: int, alpha: float) -> float:
    """FLOPs of one epoch of all that the recipe trains. alpha: of mixup."""
    return sum(len(_rows(store, each, seed)) * _cost(store, each, seed, alpha)
               for each in recipe.groups if each.objective)


def _objective(store: Store, group: Group, seed: int) -> Any:
    from trivium import models, objectives

    assert group.objective is not None
    encoders = {s: models.encoder(store.encoders[s], store.specs[s], seed) for s in group.streams}
    with models.drawn(seed, f"{group.name}/{group.objective['name']}"):
        return objectives.build(group.objective, encoders, store.streams, store.task_at(seed))


def _has(store: Store, group: Group) -> np.ndarray:
    """bool, by row: whether a sample has any of the streams."""
    return np.any([store.has(s) for s in group.streams], axis=0)


def _rows(store: Store, group: Group, seed: int) -> np.ndarray:
    """Samples that an objective may read: train, and without labels the unlabelled ones as well; where present."""
    rows = store.rows(seed, "train")
    if not _reads_labels(group):
        rows = np.concatenate([rows, store.rows(seed, "unlabelled")])
    return rows[_has(store, group)[rows]]


def _reads_labels(group: Group) -> bool:
    from trivium import objectives

    assert group.objective is not None
    return objectives.get(group.objective["name"], "objective").LABELS


def _cost(store: Store, group: Group, seed: int, alpha: float) -> float:
    """Training FLOPs per sample, of one real step of the objective. alpha: of mixup."""
    import torch

    from trivium.training import budget, mixup

    objective = _objective(store, group, seed)
    batch = budget.example({s: store.specs[s] for s in group.streams}, store.task, among=store.streams)
    random = torch.Generator().manual_seed(0)
    return budget.counted(lambda: mixup.loss(objective, batch, random, alpha), module=objective)
