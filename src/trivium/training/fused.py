"""`encoders -> fusion -> head`, trained phase by phase; where the weights come from and what moves is the plan's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from trivium import encoders, models
from trivium.data.store import Batch, Store
from trivium.machine import device
from trivium.models import adapters, blocks, files, lora
from trivium.models.network import Multimodal
from trivium.objectives import network
from trivium.objectives.network.joint import Joint
from trivium.settings.errors import UserError
from trivium.strategies.base import Phase, Plan
from trivium.training import averages, balance, blended, components, private, probed, records, states
from trivium.training.feed import IN_MEMORY, Feed
from trivium.training.jobs import Report
from trivium.training.loop import VALIDATION_BATCH, Schedule, fit, validate
from trivium.training.planned import Planned, let_move, phases
from trivium.training.teachers import Teachers

if TYPE_CHECKING:
    from trivium.encoders import Described
    from trivium.encoders.base import Encoder
    from trivium.models.kept import Kept
    from trivium.training.settings import Loop
    from trivium.training.strategy import Unit, Watch


def train(unit: Unit, folder: Path, report: Report) -> records.Seed | records.Lacking:
    """Train and write `<folder>/model`. Returns the record for training.json."""
    plan, seed, loop, limit = unit.entry.plan, unit.seed, unit.loop, unit.limit
    store, batch = Store(unit.entry.start), loop.batch
    assert unit.fusion is not None
    parts = {s: _start(store, plan, s, seed) for s in store.streams}
    model = models.multimodal(parts, store.task_at(seed), unit.fusion, seed)
    pretraining, fitting = components.charged(store.recipe, seed), 0.0
    if plan.probe:
        fitting = _from_probe(model, store, seed)
    for name, added, room in (("lora", plan.lora, lora), ("adapters", plan.adapters, adapters)):
        with models.drawn(seed, name):
            if added:
                for part in parts.values():
                    room.add(part, *added)
    accelerator = device.prepare(device.kind(loop.device))
    model.to(accelerator.device)
    moves = any(phase.moves for phase in plan.phases)  # else kept vectors do
    read = [s for s in store.streams if moves or not _kept(model, store, s, seed)]
    added = plan.lora or plan.adapters
    above = states.uppers(model, store, seed, added[1]) if added and plan.probe else {}
    feeds = _feeds(store, seed, accelerator.device, [s for s in read if s not in above], loop)
    if above and states.hold(above, store, feeds):  # their pass is part of the one that the probe was charged for
        model.encoders.update(above)
    elif above:
        feeds = _feeds(store, seed, accelerator.device, read, loop)
    objectives = {phase.name: _objective(phase, model, store, seed).to(accelerator.device) for phase in plan.phases}
    history = list[records.Step]()
    first = objectives[plan.phases[0].name]
    estimate = blended.Estimate(first, store, seed, loop, (limit - pretraining) * plan.estimate) if plan.estimate else (
        None)
    fitting += estimate.flops if estimate else 0.0
    planned = phases(objectives, store, plan, (limit, pretraining + fitting), seed, loop)
    if isinstance(planned, float):
        return records.Lacking(budget=limit, needed=planned)
    blend = estimate.weigh(plan.phases[0].lr, accelerator, folder) if estimate else None
    every = sum(p.steps * batch + p.frozen * sum(map(len, feeds)) for p in planned)
    spent = counted_again = pretraining + fitting
    trained, seen, done = 0, 0, 0.0
    whole = sum(p.steps * batch * p.cost for p in planned)
    for p in planned:
        let_move(model, p.phase)
        trained = max(trained, sum(w.numel() for w in model.parameters() if w.requires_grad))
        used = feeds
        if p.frozen:
            used = tuple(_cached(model, store, feed, accelerator, partial(_further, report, every, before))
                         for feed, before in zip(feeds, (seen, seen + len(feeds[0])), strict=True))
            seen += sum(map(len, feeds))
            if loop.balance == "synthesis":
                used = balance.synthesised(used[0]), used[1]
        objective, last = objectives[p.phase.name], p is planned[-1]
        before = averages.state(objective) if plan.line and last else {}
        schedule = _schedule(model, p, unit, plan.soup if last else 1, len(used[0]))
        found = fit(objective, used[0], used[1], schedule, loop, accelerator, seed,
                    partial(_further, report, every, seen), folder / f"{p.phase.name}.pt",
                    partial(_shown, unit.watch, whole, done, p.cost * batch, spent + p.once - pretraining - done),
                    p.phase.keeps == "last")
        done += p.steps * batch * p.cost
        seen += p.steps * batch
        history += [records.Step(**row, phase=p.phase.name, flops=spent + p.once + row["step"] * batch * p.cost)
                    for row in found]
        spent += p.once + p.steps * batch * p.cost
        counted_again += p.once + p.steps * batch * p.cost_again
    tried = dict[str, records.Member]()
    if plan.line:
        measured = averages.along(objective, before, averages.state(objective), plan.line,
                                  partial(validate, objective, used[1], accelerator))
        tried = {f"{100 * share:.3g} % fine-tuned": records.Member(nll=one["val_nll"], score=one["val_score"])
                 for share, one in measured.items()}
    _calibrate(model, feeds[1] if len(read) == len(store.streams) else used[1])
    model.encoders.update(parts)
    for part in parts.values() if plan.lora else ():
        lora.merge(part)
    more = {"adapters": dict(zip(("width", "blocks"), plan.adapters, strict=True))} if plan.adapters else {}
    about = files.describe("fusion", _described(store, plan), store.specs, model.task, fusion=unit.fusion,
                           features=store.digest, **more,
                           apart={} if plan.teachers else components.apart(store.recipe, store.streams))
    models.save(model, about, folder / "model")
    reached, chosen = _reached(history, plan, tried)
    hidden = private.record(planned[-1].phase.private, schedule.noise, schedule.steps, batch / len(used[0]),
                            store.recipe)
    return records.Seed(
        seed=seed, history=history, blend=blend, calibration=model.calibration.tolist(), validation=reached,
        chosen=chosen, members=tried or None, private=hidden,
        flops=records.Spent(budget=limit, pretrain=pretraining, train=spent - pretraining, total=spent,
                            analytic=counted_again),
        parameters=records.Parameters(total=sum(p.numel() for p in model.parameters()), trained=trained))


def _kept(model: Multimodal, store: Store, stream: str, seed: int) -> Kept | None:
    """Vectors that were made once for all, where the fusion reads no more than these."""
    return None if model.readers[stream].whole else components.kept(store.recipe, stream, seed)


def _reached(history: list[records.Step], plan: Plan, tried: Mapping[str, records.Member],
             ) -> tuple[records.Reached, str | None]:
    """What the model that is kept reached on validation, and what it was taken for where there was a choice."""
    if tried:
        chosen = min(tried, key=lambda name: tried[name].nll)
        return records.Reached(**dict(tried[chosen])), chosen
    best = min((row for row in history if row.phase == plan.phases[-1].name),
               key=lambda row: (row.val_nll, -(row.averaged or 0)))
    chosen = f"the mean of {best.averaged} checkpoints" if best.averaged else "one checkpoint"
    return records.Reached(nll=best.val_nll, score=best.val_score), chosen if plan.soup > 1 else None


def _feeds(store: Store, seed: int, device: torch.device, read: list[str], loop: Loop) -> tuple[Feed, Feed]:
    """Of the train and validation rows, the streams in `read`."""
    train, val = (Feed(store, store.rows(seed, split), seed, device, only=read, augment=loop.augment)
                  for split in ("train", "val"))
    return balance.apply(train, loop.balance, store.labels(train.rows)), val


def _start(store: Store, plan: Plan, stream: str, seed: int) -> Encoder:
    """Where a stream's encoder starts: from the recipe's component, or from random weights where that one teaches."""
    if plan.teachers:
        return models.encoder(_described(store, plan)[stream], store.specs[stream], seed)
    return components.encoder(store.recipe, stream, seed)


def _described(store: Store, plan: Plan) -> dict[str, Described]:
    """What reads each stream: the recipe's encoders, or narrower ones."""
    return store.encoders if plan.student is None else {s: encoders.narrower(one, plan.student)
                                                        for s, one in store.encoders.items()}


def _objective(phase: Phase, model: Multimodal, store: Store, seed: int) -> Joint:
    """What the phase minimises; what it owns besides the model is drawn from the seed."""
    with models.drawn(seed, phase.objective["name"]):
        return network.build(phase.objective, model, Teachers(store, seed))


def _schedule(model: Multimodal, p: Planned, unit: Unit, soup: int, rows: int) -> Schedule:
    slower: dict[int, float] = {}
    for part in model.readers.values():
        rate = p.phase.published_lr if part.published else p.phase.encoder_lr
        slower |= {id(w): (rate or p.phase.lr) / p.phase.lr * p.phase.decay**depth
                   for depth, group in enumerate(reversed(blocks.groups(part)), 1) for w in group}
    name = f"`{unit.entry.name}`, phase `{p.phase.name}`, seed {unit.seed}"
    noise = private.noise(p.phase.private, p.steps, unit.loop.batch / rows, unit.secret)
    return Schedule(p.steps, unit.loop.batch, p.phase.lr, slower, soup, name, noise)


@torch.no_grad()
def _from_probe(model: Multimodal, store: Store, seed: int) -> float:
    """Start the head from the best additive linear probe on the encoders' vectors; returns what that cost (FLOPs)."""
    found, spent = probed.fit(store, model.readers, seed)
    weights, place = found.additive.weights, 0
    head = model.head
    head.weight.zero_()
    for k, s in enumerate(model.streams):
        width = model.readers[s].width
        if s in weights:
            head.weight[:, place: place + width] = torch.from_numpy(weights[s])
            head.weight[:, len(head.weight[0]) - len(model.streams) + k] = torch.from_numpy(found.additive.biases[s])
        place += width
    head.bias.copy_(torch.from_numpy(found.additive.intercept))
    return spent


def _further(report: Report, every: int, before: int, samples: int) -> None:
    report(before + samples, every)


def _shown(watch: Watch | None, whole: float, before: float, cost: float, besides: float,
           row: Mapping[str, Any]) -> None:
    """Show `watch` a row of a history: FLOPs of the loop are `before` this phase, `cost` a step, `whole` in the end."""
    if watch is not None:
        done = before + row["step"] * cost
        watch(done / whole, row["val_nll"], done + besides)


@torch.no_grad()
def _cached(model: Multimodal, store: Store, feed: Feed, accelerator: Any, report: Callable[[int], None]) -> Feed:
    """The frozen encoders' vectors of every sample of `feed`, once; those that are kept are read."""
    model.eval()
    kept = {s: found for s in store.streams if (found := _kept(model, store, s, feed.seed))}
    own = {s: encoder for s, encoder in model.encoders.items() if s not in kept}
    batches, done = list[Batch](), 0
    for batch in feed.once(VALIDATION_BATCH):
        with accelerator.autocast():
            vectors = {s: encoder(batch.inputs[s]).float() for s, encoder in own.items()}
        batches.append(replace(batch, inputs=vectors, encoded=True))
        if (needed := len(feed) / len(batch) * sum(x.nbytes for x in vectors.values())) > IN_MEMORY:
            raise UserError(f"{len(feed):,} samples of what the frozen encoders give need {needed / 1e9:.0f} GB of "
                            f"memory, more than {IN_MEMORY / 1e9:.0f}. Name a fusion that reads vectors and no tokens, "
                            "such as `concat`, or a strategy that trains the encoders.")
        done += len(batch)
        report(done)
    whole = Batch.joined(batches)
    vectors = whole.inputs | {s: one.take(feed.rows).to(whole.y.device) for s, one in kept.items()}
    made = Feed(replace(whole, inputs={s: vectors[s] for s in store.streams}), feed.rows, feed.seed, feed.device,
                store=store)
    made.weight, made.chance = feed.weight, feed.chance
    return made


@torch.no_grad()
def _calibrate(model: Multimodal, val: Feed) -> None:
    """Fitted on validation (Guo et al. 2017), in float32 as the model will answer; then what the task decides there."""
    objective = Joint(model)
    found, targets = zip(*((objective.outputs(batch), batch.y) for batch in val.once(VALIDATION_BATCH)), strict=True)
    outputs, y = torch.cat(found), torch.cat(targets)
    model.calibration.copy_(model.task.calibration(outputs, y))
    model.task = model.task.decided(model.task.answer(outputs, model.calibration), y)
