"""What each loss is worth, for `gradient_blending` (Wang et al. 2020, arXiv 1905.12681, section 3.2, the offline form).

Copies of each stream's encoder, with a head of their own, and one of the whole network learn for the same number of
epochs (the super-epoch) from four fifths of the train rows, and are measured on both parts before and after. With
G = how far the loss of the held-out part fell, O = how far the gap between it and that of the learned part grew, and
mean losses throughout, the weight of a loss is |G| / O^2, all together 1. Rows are drawn one by one: where several
belong to one group, the held-out part is easier than new groups are.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from trivium import models
from trivium.training import budget, records
from trivium.training.feed import Feed
from trivium.training.loop import VALIDATION_BATCH, Schedule, fit

if TYPE_CHECKING:
    from trivium.data.store import Store
    from trivium.training.settings import Loop

HELD = 0.2  # share of the train rows
LEAST = 1e-12  # of O^2: a gap that did not move at all is no reason to divide by zero
JOINT = ""  # no stream is called so

Losses = tuple[float, float]  # mean loss of the part that is learned from, and of the held-out one


class Estimate:
    """objective: a `gradient_blending`.  flops: what it will spend, of `limit` at most, but for one step of each."""

    def __init__(self, objective: Any, store: Store, seed: int, loop: Loop, limit: float) -> None:
        self.store, self.seed, self.loop, self.rows = store, seed, loop, store.rows(seed, "train")
        self.objective = objective
        with models.drawn(seed, "blended"):
            self.copies: dict[str, Any] = objective.copies()
        order = np.random.default_rng(seed).permutation(len(self.rows))
        self.held = np.isin(np.arange(len(self.rows)), order[: round(HELD * len(self.rows))])
        counts = {name: int((~self.held & self._has(name)).sum()) for name in self.copies}
        step = {name: self._cost(name, learn=True) for name in self.copies}
        look = sum(2 * int(self._has(name).sum()) * self._cost(name, learn=False) for name in self.copies)
        epoch = sum(counts[name] * step[name] for name in self.copies)
        epochs = max(0.0, limit - look) / epoch
        self.steps = {name: budget.steps(epochs * counts[name] * step[name], step[name], loop.batch)
                      for name in self.copies}
        self.flops = look + sum(self.steps[name] * loop.batch * step[name] for name in self.copies)

    def weigh(self, lr: float, accelerator: Any, folder: Path) -> records.Blend:
        """Tell the objective its weights; and what they are."""
        before, after = dict[str, Losses](), dict[str, Losses]()
        loop = self.loop.model_copy(update={"evaluations": 1})
        for name, objective in self.copies.items():
            objective.to(accelerator.device)
            learned, held = (self._feed(name, one, accelerator.device) for one in (~self.held, self.held))
            before[name] = _mean(objective, learned, accelerator), _mean(objective, held, accelerator)
            fit(objective, self._feed(name, ~self.held, accelerator.device, loop.augment), held,
                self._schedule(name, lr), loop, accelerator, self.seed,
                checkpoint=folder / f"estimate_{name or 'joint'}.pt", last=True)
            after[name] = _mean(objective, learned, accelerator), _mean(objective, held, accelerator)
        found = blend(before, after)
        told = records.Blend(joint=found.pop(JOINT), streams=found)
        self.objective.weigh(told.joint, told.streams)
        return told

    def _schedule(self, name: str, lr: float) -> Schedule:
        told = f"The look at what {f'`{name}`' if name else 'all streams together'} would be worth, seed {self.seed}"
        return Schedule(self.steps[name], self.loop.batch, lr, name=told)

    def _has(self, name: str) -> np.ndarray:
        """bool, of the train rows: which of them the copy reads."""
        return self.store.has(name)[self.rows] if name else np.ones(len(self.rows), bool)

    def _feed(self, name: str, part: np.ndarray, device: torch.device, augment: Any = False) -> Feed:
        return Feed(self.store, self.rows, self.seed, device, keep=part & self._has(name),
                    only=[name] if name else None, augment=augment)

    def _cost(self, name: str, learn: bool) -> float:
        """FLOPs per sample of a training step, or of a look."""
        objective = deepcopy(self.copies[name]).cpu()
        specs = {name: self.store.specs[name]} if name else self.store.specs
        batch = budget.example(specs, objective.task, among=self.store.streams)
        return budget.counted(lambda: objective.loss(batch, torch.Generator()) if learn else
                              objective.outputs(batch).detach(), module=objective)


@torch.no_grad()
def _mean(objective: Any, feed: Feed, accelerator: Any) -> float:
    """The mean loss of the samples of `feed`; 0 of none."""
    objective.eval()
    total = count = 0.0
    for batch in feed.once(VALIDATION_BATCH):
        with accelerator.autocast():
            outputs = objective.outputs(batch)
        each = objective.task.losses(outputs.float(), batch.y).double()
        weight = torch.ones_like(each) if batch.weight is None else batch.weight.double()
        total, count = total + float((each * weight).sum()), count + float(weight.sum())
    return total / count if count else 0.0


def blend(before: Mapping[str, Losses], after: Mapping[str, Losses]) -> dict[str, float]:
    """The weights, together 1; all the same where nothing was learned at all."""
    worth = {}
    for name, (learned, held) in before.items():
        gap = (after[name][1] - after[name][0]) - (held - learned)
        worth[name] = abs(held - after[name][1]) / max(gap**2, LEAST)
    total = sum(worth.values())
    return {name: one / total if total else 1 / len(worth) for name, one in worth.items()}
