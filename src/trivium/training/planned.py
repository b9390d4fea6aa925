"""What the phases of a plan cost, counted on real steps, and how many steps of each a budget pays for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trivium.data.store import Batch, Store
from trivium.models import adapters, blocks, lora
from trivium.models.network import Multimodal
from trivium.models.upper import Upper
from trivium.objectives.network.joint import Joint
from trivium.strategies.base import ALL, MOST_EPOCHS, Phase, Plan
from trivium.training import balance, budget, components, mixup
from trivium.training.loop import seen_to

if TYPE_CHECKING:
    from trivium.training.settings import Loop


@dataclass(frozen=True)
class Planned:
    """A phase in numbers: steps of the loop, training FLOPs per sample (counted twice), and FLOPs spent `once`."""

    phase: Phase
    frozen: bool
    steps: int
    cost: float
    cost_again: float
    once: float


def phases(objectives: Mapping[str, Joint], store: Store, plan: Plan, funds: tuple[float, float], seed: int,
           loop: Loop) -> list[Planned] | float:
    """The phases of `plan`; or the budget that it needs, where this one does not pay for an epoch of what moves.

    funds: the budget, and what pretraining took of it (FLOPs).
    """
    found, (limit, pretraining), batch = list[Planned](), funds, loop.batch
    spent, size = pretraining, len(store.rows(seed, "train"))
    for phase in plan.phases:
        objective = objectives[phase.name]
        model = objective.model
        let_move(model, phase)
        frozen = not phase.moves
        once = _once(model, store, seed) if frozen else 0.0  # each sample passes the encoders once
        if frozen and loop.balance == "synthesis":
            counts = store.task.tally(store.labels(store.rows(seed, "train"))).tolist()
            once += balance.cost(counts, sum(part.width for part in model.readers.values()))
        cost, again = (count(objective, store, "head" if frozen else "all", loop.mixup) for count in (_cost, _analytic))
        last = phase is plan.phases[-1]
        allowed = limit - spent if last else (limit - pretraining) * phase.share
        if not frozen and allowed < cost * size:
            return spent + cost * size if last else limit * cost * size / max(allowed, 1.0)
        steps = budget.steps(max(0.0, allowed - once), cost, batch)
        if frozen:  # at least an epoch, even where the pass took all there is: a head costs next to nothing
            steps = max(min(steps, -(-MOST_EPOCHS * size // batch)), -(-size // batch))
        found.append(Planned(phase, frozen, steps, cost, again, once))
        spent += once + steps * batch * cost
    return found


def let_move(model: Multimodal, phase: Phase) -> None:
    for part in ALL:
        getattr(model, part).requires_grad_(part in phase.train)
    for encoder in model.readers.values() if phase.last else ():
        for group in blocks.groups(encoder)[-phase.last:]:
            for weight in group:
                weight.requires_grad_(True)
    for part, mark in (("lora", lora.MARK), ("adapters", adapters.MARK)):
        for name, weight in model.encoders.named_parameters() if part in phase.train else ():
            weight.requires_grad_(mark in name)


def _once(model: Multimodal, store: Store, seed: int) -> float:
    """FLOPs of one pass of the train rows of `seed` through the encoders; of kept vectors, what their pass cost."""
    rows, total = store.rows(seed, "train"), 0.0
    for s in store.streams:
        kept = components.kept(store.recipe, s, seed)
        total += float(kept.flops[rows].sum()) if kept else len(rows) * _cost(Joint(model), store, s)
    return total


def _cost(objective: Joint, store: Store, what: str, alpha: float = 0.0) -> float:
    """Training FLOPs per sample of one real step on `all` of the network, or on its `head` and fusion alone; or those
    of a pass through one stream's encoder. alpha: of mixup.
    """
    copy = deepcopy(objective).cpu()
    loss, turns = _loss(copy, store, what, alpha), getattr(copy, "turns", 1)
    return sum(budget.counted(loss, module=copy, after=partial(seen_to, copy)) for _ in range(turns)) / turns


def _analytic(objective: Joint, store: Store, what: str, alpha: float = 0.0) -> float:
    copy = deepcopy(objective).cpu()
    loss, turns = _loss(copy, store, what, alpha), getattr(copy, "turns", 1)
    return sum(budget.analytic(copy, loss) for _ in range(turns)) / turns


def _loss(objective: Joint, store: Store, what: str, alpha: float) -> Callable[[], Tensor]:
    model, batch = objective.model, budget.example(store.specs, objective.task)
    if what in model.encoders:
        return lambda: model.encoders[what](batch.inputs[what])
    for s, part in model.encoders.items():
        if isinstance(part, Upper):
            batch.inputs[s] = part.below(batch.inputs[s])
    if what == "head":
        with torch.no_grad():
            batch = Batch(model.vectors(batch.inputs), batch.present, batch.y, encoded=True)
    return lambda: mixup.loss(objective, batch, torch.Generator().manual_seed(0), alpha)
