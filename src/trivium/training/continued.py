"""A trained model goes on with further rows, at one seed: the weights that its strategy trains move once more, for a
share of the compute, with old rows among the new ones (replay), with a penalty for leaving the old weights (EWC), with
both, or with neither.

What is minimised is the task's loss of the whole network, whatever the strategy's own objective was; of an ensemble,
of each member alone. Train rows choose nothing: the best weights and the calibration are those of validation, on new
rows, and where old ones are replayed on old ones besides. A way that keeps no old rows has none to look back at.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from trivium import models
from trivium.data.reservoir import reservoir
from trivium.data.store import Batch, Store
from trivium.data.tables import digest, read_json
from trivium.encoders import Described
from trivium.machine import device as devices
from trivium.models import files, grown, lora
from trivium.models.network import Ensemble, Multimodal
from trivium.objectives.ewc import EWC, Weights, fisher
from trivium.objectives.network.joint import Joint
from trivium.objectives.network.prune import Prune
from trivium.objectives.supervised import Supervised
from trivium.strategies.base import ALL, MOST_EPOCHS
from trivium.training import budget, code, jobs, records
from trivium.training.feed import Feed
from trivium.training.jobs import Report
from trivium.training.loop import VALIDATION_BATCH, Schedule, fit
from trivium.training.replay import Replay

if TYPE_CHECKING:
    from trivium.strategies import Entry
    from trivium.tasks import Task
    from trivium.training.settings import Loop

MEASURED = 256  # old train rows, at most, that the Fisher information is measured on
KEPT = 4  # which random stream of a seed draws the rows that are kept


@dataclass(frozen=True)
class Unit:
    """A way to go on, at a seed. parent: the folder of the model.  first: rows of the store from here on are new.

    replay: share of each batch that old rows give, 0-1.  kept: of old train rows, how many are kept for that.
    ewc: lambda, with F weighed by old rows per new one, so that 1 is what Bayes' rule says; 0: none.
    lr: peak learning rate of what has no other one in the strategy's last phase.  limit: FLOPs that may be spent.
    """

    entry: Entry
    fusion: dict[str, Any] | None
    seed: int
    loop: Loop
    parent: Path
    first: int
    replay: float
    kept: int
    ewc: float
    lr: float
    limit: float

    def key(self, store: Store) -> str:
        """Of all that the weights depend on."""
        about = {"strategy": self.entry.strategy, "settings": self.entry.settings, "fusion": self.fusion,
                 "seed": self.seed, "loop": self.loop.decides(),
                 "limit": self.limit, "reads": store.digest, "first": self.first, "replay": self.replay,
                 "kept": self.kept if self.replay or self.ewc else 0, "ewc": self.ewc, "lr": self.lr,
                 "parent": digest((self.parent / "model.safetensors").read_bytes())}
        return jobs.key(code.of_strategy(store.encoders.values(), type(store.task), self.entry, __name__), about)


@dataclass
class _Part:
    """What is trained alone: a network, or a member of an ensemble. reads: the streams that it needs as inputs."""

    name: str
    objective: Any  # Joint or Supervised
    reads: tuple[str, ...]
    encoded: bool  # it is trained on the vectors of frozen encoders
    cost: float = 0.0  # FLOPs per sample of a step
    once: float = 0.0  # FLOPs per sample of a frozen pass
    fisher: Weights | None = None


def train(unit: Unit, folder: Path, report: Report) -> records.Seed:
    """Go on and write `<folder>/model`. Returns the record for training.json."""
    store, seed, batch = Store(unit.entry.start), unit.seed, unit.loop.batch
    accelerator = devices.prepare(devices.kind(unit.loop.device))
    model: Any = models.load(unit.parent)
    model.kept.clear()  # those are of the old rows alone
    rows = _rows(store, unit)
    adapters = _let_move(model, unit)
    model.to(accelerator.device)
    parts = _parts(model, unit)
    for part in parts:
        part.once = _pass(part, store) if part.encoded else 0.0
        if unit.ewc:
            part.fisher = fisher(part.objective, _feed(store, part, rows["measured"], unit, accelerator).once(1))
    grown.grow(model, _task(model.task, store), seed)
    _let_heads_move(model)
    parts = [replace(new, once=old.once, fisher=old.fisher)
             for old, new in zip(parts, _parts(model, unit), strict=True)]
    model.to(accelerator.device)
    for part in parts:
        part.cost = _cost(part, store)
    whole, history, spent, done = sum(part.cost for part in parts), list[records.Step](), 0.0, 0
    planned = [_steps(part, unit, rows, unit.limit * part.cost / whole) for part in parts]
    every = batch * sum(steps for steps, _ in planned)
    for part, (steps, before) in zip(parts, planned, strict=True):
        objective: nn.Module = part.objective
        if part.fisher is not None:
            strength = unit.ewc * len(rows["old"]) / len(rows["train"])
            objective = EWC(objective, strength, part.fisher)
        feed, val = (_feed(store, part, rows[which], unit, accelerator) for which in ("train", "val"))
        if unit.replay:
            feed = cast(Feed, Replay(feed, _feed(store, part, rows["kept"], unit, accelerator), unit.replay))
        name = f"`{unit.entry.name}` with further rows, its {part.name}, seed {seed}"
        plan = Schedule(steps, batch, unit.lr, _slower(model, unit), name=name)

        def further(samples: int, before: int = done) -> None:
            report(before + samples, every)

        found = fit(objective, feed, val, plan, unit.loop, accelerator, seed, further, folder / f"{part.name}.pt")
        done += steps * batch
        history += [records.Step(**row, phase=part.name, flops=spent + before + row["step"] * batch * part.cost)
                    for row in found]
        spent += before + steps * batch * part.cost
    reached = _calibrate(model, store, rows["val"], seed)
    for encoder in adapters:
        lora.merge(encoder)
    model.cpu()
    models.save(model, _describe(model, store, unit), folder / "model")
    weights = list(model.parameters())
    return records.Seed(
        seed=seed, history=history, validation=reached,
        calibration=(model.calibrations if isinstance(model, Ensemble) else model.calibration).tolist(),
        flops=records.Spent(budget=unit.limit, pretrain=0.0, train=spent, total=spent),
        parameters=records.Parameters(total=sum(w.numel() for w in weights),
                                      trained=sum(w.numel() for w in weights if w.requires_grad)))


def _rows(store: Store, unit: Unit) -> dict[str, np.ndarray]:
    """old, train: old and new train rows;  kept, measured: of the old ones, for replay and for EWC;  val."""
    train, val = store.rows(unit.seed, "train"), store.rows(unit.seed, "val")
    old = train[train < unit.first]
    kept = reservoir(old.tolist(), unit.kept, np.random.default_rng([unit.seed, KEPT]))
    measured = reservoir(old.tolist(), MEASURED, np.random.default_rng([unit.seed, KEPT + 1]))
    return {"old": old, "train": train[train >= unit.first], "kept": kept, "measured": measured,
            "val": val if unit.replay else val[val >= unit.first]}


def _task(task: Task, store: Store) -> Task:
    """What the model predicts from here on: the store's task where it has further outputs; scales stay the model's."""
    return store.task if store.task.outputs > task.outputs else task


def _let_move(model: Any, unit: Unit) -> list[Any]:
    """What any phase of the strategy trains; returns encoders that have got low-rank updates for that."""
    if isinstance(model, Ensemble):
        model.requires_grad_(True)
        return []
    moves = {part for phase in unit.entry.plan.phases for part in phase.train}
    adapted = []
    if "lora" in moves:
        assert unit.entry.plan.lora is not None
        with models.drawn(unit.seed, "lora/further"):
            adapted = [encoder for encoder in model.encoders.values() if lora.add(encoder, *unit.entry.plan.lora)]
    for part in ALL:
        getattr(model, part).requires_grad_(part in moves)
    for name, weight in model.encoders.named_parameters():
        if lora.MARK in name:
            weight.requires_grad_("lora" in moves)
    return adapted


def _let_heads_move(model: Any) -> None:
    """New heads as well: every strategy trains its head."""
    for head in [model.head] if isinstance(model, Multimodal) else [one.head for one in model.members.values()]:
        head.requires_grad_(True)


def _parts(model: Multimodal | Ensemble, unit: Unit) -> list[_Part]:
    if isinstance(model, Multimodal):
        frozen = not any(weight.requires_grad for weight in model.encoders.parameters())
        last = unit.entry.plan.phases[-1].objective
        objective = Prune(model, last["sparsity"], False) if last["name"] == "prune" else Joint(model)  # zeros stay
        return [_Part("network", objective, model.streams, frozen)]
    found = []
    for s, member in model.members.items():
        objective = Supervised(member.encoder, model.task)  # type: ignore[arg-type]
        objective.model = member  # type: ignore[assignment]
        found.append(_Part(s, objective, (s,), False))
    return found


def _feed(store: Store, part: _Part, rows: np.ndarray, unit: Unit, accelerator: Any) -> Feed:
    """Of rows that have what the part reads; of frozen encoders, their vectors."""
    has = np.any([store.has(s)[rows] for s in part.reads], 0)
    feed = Feed(store, rows, unit.seed, accelerator.device, None if has.all() else has, part.reads,
                unit.loop.augment and not part.encoded)
    return (Feed(_encoded(part, feed, accelerator), rows[has], unit.seed, accelerator.device, store=store)
            if part.encoded else feed)


@torch.no_grad()
def _encoded(part: _Part, feed: Feed, accelerator: Any) -> Batch:
    part.objective.eval()
    model, found = part.objective.model, list[Batch]()
    for batch in feed.once(VALIDATION_BATCH):
        with accelerator.autocast():
            found.append(replace(batch, inputs={s: x.float() for s, x in model.vectors(batch.inputs).items()},
                                 encoded=True))
    return Batch.joined(found)


def _example(part: _Part, store: Store) -> Batch:
    return budget.example({s: store.specs[s] for s in part.reads}, part.objective.task, among=store.streams)


def _cost(part: _Part, store: Store) -> float:
    """Training FLOPs per sample of one real step."""
    copy: Any = deepcopy(part.objective).cpu()
    batch = _example(part, store)
    if part.encoded:
        with torch.no_grad():
            batch = replace(batch, inputs=copy.model.vectors(batch.inputs), encoded=True)
    return budget.counted(lambda: copy.loss(batch, torch.Generator().manual_seed(0)), module=copy)


def _pass(part: _Part, store: Store) -> float:
    """FLOPs per sample of a pass through frozen encoders."""
    copy: Any = deepcopy(part.objective).cpu()
    batch = _example(part, store)

    def vectors() -> Tensor:
        return sum((x.sum() for x in copy.model.vectors(batch.inputs).values()), torch.zeros(()))

    return budget.counted(vectors, module=copy)


def _steps(part: _Part, unit: Unit, rows: Mapping[str, np.ndarray], allowed: float) -> tuple[int, float]:
    """Steps that `allowed` FLOPs pay for, and FLOPs that are spent before the first one."""
    used = ["train", *(["kept"] if unit.replay else []), *(["measured"] if unit.ewc else [])]
    before = part.once * sum(len(rows[which]) for which in used)
    before += part.cost * len(rows["measured"]) if unit.ewc else 0.0
    steps = budget.steps(max(0.0, allowed - before), part.cost, unit.loop.batch)
    if part.encoded:  # a head's steps are nearly free, and more of them only overfit
        steps = min(steps, -(-MOST_EPOCHS * len(rows["train"]) // unit.loop.batch))
    return steps, before


def _slower(model: Any, unit: Unit) -> dict[int, float]:
    """As in the strategy's last phase: by the id of a weight, what its rate is multiplied with."""
    found: dict[int, float] = {}
    for phase in unit.entry.plan.phases[-1:]:
        for encoder in model.readers.values():
            rate = phase.published_lr if encoder.published else phase.encoder_lr
            if rate is not None:
                found |= {id(weight): rate / phase.lr for weight in encoder.parameters()}
    return found


@torch.no_grad()
def _calibrate(model: Any, store: Store, rows: np.ndarray, seed: int) -> records.Reached:
    """On the validation rows, in float32 as the model will answer; then what the task decides there."""
    model.eval()
    device = next(model.parameters()).device
    parts = [store.batch(rows[k: k + VALIDATION_BATCH], seed).to(device) for k in range(0, len(rows), VALIDATION_BATCH)]
    val = Batch.joined([replace(part, inputs=model.vectors(part.inputs), encoded=True) for part in parts])
    task = model.task
    if isinstance(model, Ensemble):
        for k, (s, member) in enumerate(model.members.items()):
            has = val.present[:, model.streams.index(s)]
            outputs: Tensor = member.head(val.inputs[s][has])  # type: ignore[operator]
            model.calibrations[k] = task.calibration(outputs, val.y[has])
    else:
        model.calibration.copy_(task.calibration(model.outputs(val.inputs, val.present), val.y))
    answers = model.answer(val.inputs, val.present)
    model.task = task.decided(answers, val.y)
    return records.Reached(nll=-task.log_likelihood(answers, val.y).mean().item(),
                           score=model.task.score(answers, val.y))


def _describe(model: Any, store: Store, unit: Unit) -> dict[str, Any]:
    """Published weights are kept with the model: it stands alone. Its encoders may be narrower than the recipe's."""
    if isinstance(model, Ensemble):
        return files.describe("ensemble", store.encoders, store.specs, model.task, members=list(model.members),
                              features=store.digest)
    built = {s: Described.of(one) for s, one in read_json(unit.parent / "model.json")["encoders"].items()}
    return files.describe("fusion", built, store.specs, model.task, fusion=unit.fusion, features=store.digest)
