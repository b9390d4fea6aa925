"""`encoders -> fusion -> head`, trained phase by phase; where the weights come from and what moves is the plan's."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from trivium import models
from trivium.config import Config
from trivium.data.store import Batch, Store
from trivium.machine import device
from trivium.models import files
from trivium.models.calibration import calibrated_nll
from trivium.models.calibration import temperature as fit_temperature
from trivium.models.network import Multimodal, Unimodal
from trivium.strategies.base import ALL, MOST_EPOCHS, Phase, Plan
from trivium.training import budget
from trivium.training.feed import Feed
from trivium.training.loop import VALIDATION_BATCH, Schedule, fit
from trivium.training.pretrain import charged
from trivium.training.strategy import PRETRAINED
from trivium.training.units import Report


class Joint(nn.Module):
    """Cross-entropy of the whole network."""

    labels = True

    def __init__(self, model: Multimodal) -> None:
        super().__init__()
        self.model = model

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        return nn.functional.cross_entropy(self.logits(batch), batch.y)

    def logits(self, batch: Batch) -> Tensor:
        return self.model.logits(batch.inputs, batch.present)

    def nll(self, logits: Tensor, y: Tensor) -> float:
        """Of the calibrated answer, since the model is calibrated once it is trained. Without, weights that are right
        and too sure of it would lose to worse ones, even to untrained ones.
        """
        return calibrated_nll(logits, y)


def train(config: Config, plan: Plan, seed: int, folder: Path, report: Report) -> dict[str, Any]:
    """Train at `seed` and write `<folder>/model`. Returns the record for training.json."""
    store, batch = Store(), config.train.batch
    model = models.multimodal(config.encoder.model_dump(), store.specs, len(store.classes), plan.fusion, seed)
    limit, pretraining = budget.total(config, store, seed), 0.0
    if plan.start is not None:
        pretraining = charged(config, store, plan.start, seed)
        for m, encoder in model.encoders.items():
            encoder.load_state_dict(pretrained(plan.start, m, seed).state_dict())
    accelerator = device.prepare(device.kind(config.train))
    model.to(accelerator.device)
    feeds = tuple(Feed(store, store.rows(seed, split), seed, accelerator.device, augment=config.train.augment)
                  for split in ("train", "val"))
    task, history = Joint(model), list[dict[str, Any]]()
    planned = _planned(model, store, plan, (limit, pretraining), len(feeds[0]), batch)
    every = sum(p.steps * batch + p.frozen * sum(map(len, feeds)) for p in planned)
    spent, counted_again, trained, seen = pretraining, pretraining, 0, 0
    for p in planned:
        _let_move(model, p.phase)
        trained = max(trained, sum(w.numel() for w in model.parameters() if w.requires_grad))
        used = feeds
        if p.frozen:
            used = tuple(_cached(model, feed, accelerator, partial(_further, report, every, before))
                         for feed, before in zip(feeds, (seen, seen + len(feeds[0])), strict=True))
            seen += sum(map(len, feeds))
        rows = fit(task, used[0], used[1], Schedule(p.steps, batch, p.phase.lr), config.train, accelerator, seed,
                   partial(_further, report, every, seen), folder / f"{p.phase.name}.pt")
        seen += p.steps * batch
        history += [row | {"phase": p.phase.name, "flops": spent + p.once + row["step"] * batch * p.cost}
                    for row in rows]
        spent += p.once + p.steps * batch * p.cost
        counted_again += p.once + p.steps * batch * p.cost_again
    scale = _temperature(task, feeds[1])
    model.temperature.fill_(scale)
    about = files.describe("fusion", config.encoder.model_dump(), store.specs, store.classes,
                           fusion=plan.fusion, modalities=list(store.modalities), features=store.digest)
    models.save(model, about, folder / "model")
    best = min((row for row in history if row["phase"] == plan.phases[-1].name), key=lambda row: row["val_nll"])
    return {
        "seed": seed, "history": history, "temperature": scale,
        "validation": {"nll": best["val_nll"], "accuracy": best["val_accuracy"]},
        "flops": {"budget": limit, "pretrain": pretraining, "train": spent - pretraining, "total": spent,
                  "analytic": counted_again},
        "parameters": {"total": sum(p.numel() for p in model.parameters()), "trained": trained},
    }


@dataclass(frozen=True)
class _Planned:
    """A phase in numbers: steps of the loop, training FLOPs per sample (counted twice), and FLOPs spent `once`."""

    phase: Phase
    frozen: bool
    steps: int
    cost: float
    cost_again: float
    once: float


def _planned(model: Multimodal, store: Store, plan: Plan, funds: tuple[float, float], size: int, batch: int,
             ) -> list[_Planned]:
    """The phases of `plan` on `size` samples; funds: the budget, and what pretraining took of it (FLOPs)."""
    found, (limit, pretraining) = list[_Planned](), funds
    spent = pretraining
    for phase in plan.phases:
        _let_move(model, phase)
        frozen = "encoders" not in phase.train
        once = _cost(model, store, "encode") * size if frozen else 0.0  # each sample passes the encoders once
        cost, again = (count(model, store, "head" if frozen else "all") for count in (_cost, _analytic))
        last = phase is plan.phases[-1]
        allowed = limit - spent if last else (limit - pretraining) * phase.share
        steps = budget.steps(max(0.0, allowed - once), cost, batch)
        if frozen:
            steps = min(steps, -(-MOST_EPOCHS * size // batch))
        found.append(_Planned(phase, frozen, steps, cost, again, once))
        spent += once + steps * batch * cost
    return found


def _let_move(model: Multimodal, phase: Phase) -> None:
    for part in ALL:
        getattr(model, part).requires_grad_(part in phase.train)


def _further(report: Report, every: int, before: int, samples: int) -> None:
    report(before + samples, every)


def pretrained(recipe: str, modality: str, seed: int) -> nn.Module:
    """The encoder that `recipe` made."""
    model = models.load(PRETRAINED / modality / recipe / f"seed_{seed}")
    return model.encoder if isinstance(model, Unimodal) else model


def _loss(model: Multimodal, store: Store, what: str) -> Callable[[], Tensor]:
    batch = budget.example(store.specs)
    if what == "encode":
        return lambda: model.vectors(batch.inputs)
    inputs = batch.inputs
    if what == "head":
        with torch.no_grad():
            inputs = {"vectors": model.vectors(batch.inputs)}
    return lambda: model.logits(inputs, batch.present).square().sum()


def _cost(model: Multimodal, store: Store, what: str) -> float:
    """Training FLOPs per sample of `all` of the network, of its `head` and fusion alone, or of one `encode` pass."""
    copy = deepcopy(model).cpu()
    return budget.counted(_loss(copy, store, what))


def _analytic(model: Multimodal, store: Store, what: str) -> float:
    copy = deepcopy(model).cpu()
    return budget.analytic(copy, _loss(copy, store, what))


@torch.no_grad()
def _cached(model: Multimodal, feed: Feed, accelerator: Any, report: Callable[[int], None]) -> Feed:
    """The frozen encoders' vectors [N, M, D] of every sample of `feed`, once."""
    model.eval()
    batches, done = [], 0
    for batch in feed.once(VALIDATION_BATCH):
        with accelerator.autocast():
            batches.append((model.vectors(batch.inputs).float(), batch.present, batch.y))
        done += len(batch)
        report(done)
    vectors, present, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
    return Feed(Batch({"vectors": vectors}, present, y), feed.rows, feed.seed, feed.device)


@torch.no_grad()
def _temperature(task: Joint, val: Feed) -> float:
    """Fitted on validation (Guo et al. 2017), in float32 as the model will answer."""
    outputs, labels = zip(*((task.logits(batch), batch.y) for batch in val.once(VALIDATION_BATCH)), strict=True)
    return fit_temperature(torch.cat(outputs), torch.cat(labels))
