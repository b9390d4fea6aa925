"""The one loop: every pretraining objective and every phase of every strategy runs through `fit`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from trivium.training import averages, checkpoints, micro, mixup, private
from trivium.training.eager import AdamW
from trivium.training.feed import Feed
from trivium.training.guard import Guard

if TYPE_CHECKING:
    from accelerate import Accelerator

    from trivium.data.store import Batch
    from trivium.training.settings import Loop
    from trivium.training.sharded import Sharded

CHECKPOINT_EVERY = 30.0  # seconds; short runs never pay for one
VALIDATION_BATCH = 512


@dataclass(frozen=True)
class Schedule:
    """`steps` of `batch` samples at peak learning rate `lr` (warm-up, then cosine to 0).

    slower: by the id of a parameter, what its rate is multiplied with; 1 for the others.  soup: of how many evaluations
    the weights are kept, to be averaged at the end; see `averages.soup`.  name: what people call this run.
    noise: where it is private; then no loss of train rows is told. See `private`.
    """

    steps: int
    batch: int
    lr: float
    slower: Mapping[int, float] = field(default_factory=dict)
    soup: int = 1
    name: str = "Training"
    noise: private.Noise | None = None


def fit(
    objective: nn.Module, train: Feed, val: Feed, plan: Schedule, settings: Loop, accelerator: Accelerator, seed: int,
    report: Callable[[int], None] = lambda samples: None, checkpoint: Path | None = None,
    watch: Callable[[dict[str, Any]], None] = lambda row: None, last: bool = False,
) -> list[dict[str, Any]]:
    """Train what requires a gradient in `objective` and leave it with the weights of the lowest validation NLL, with a
    mean of the best ones that validation prefers, or with the `last` ones.

    AdamW, linear warm-up, cosine decay, gradient clipping. Validation is measured (see `validate`) before the first
    step and `settings.evaluations` times after it, once an epoch at most. `checkpoint` is a file from which a killed
    run goes on, to the same bytes. Steps without a finite loss and gradient change nothing: see `guard`. `watch` is
    shown each row of the history but the first, at once; what it raises ends the run.

    Returns the history, a row per evaluation: step, epoch, train_loss (mean since the row before; None in the first),
    val_nll, val_score; `bad`, where steps were (see `records.Bad`); and where a mean of weights was taken a last row of
    it, with `averaged`: of how many. Raises: UserError (more bad steps than `settings` allow).
    """
    objective.to(accelerator.device)
    rate = _warmup_cosine(plan.steps, settings.warmup)
    generator, shares = torch.Generator(), None
    parts: micro.Micro | private.Gradients | None = None
    if settings.micro_batches:
        micro.check(objective, settings.mixup)
    if settings.shard:
        from trivium.training import sharded

        sharded.check(objective)
        objective = shares = sharded.Sharded(objective, accelerator)
        optimizer: AdamW = sharded.Optimizer(shares, settings.weight_decay, settings.clip, plan.slower)
        parts = sharded.Parts(shares, settings.micro_batches, accelerator, seed)
    else:
        optimizer = AdamW((p for p in objective.parameters() if p.requires_grad), settings.weight_decay,
                          math.inf if plan.noise else settings.clip, plan.slower)
        if settings.micro_batches:
            parts = micro.Micro(objective, settings.micro_batches, accelerator, seed)
        if plan.noise is not None:
            parts = private.Gradients(objective, plan.noise, plan.batch, accelerator)
    sees_to_weights = getattr(objective, "after_step", None)
    state = _State(objective, optimizer, plan.soup, checkpoint, shares)
    measured = partial(validate, objective, val, accelerator,
                       plan.batch if getattr(objective, "as_trained", False) else VALIDATION_BATCH)
    fed = train if plan.noise is None else private.Drawn(train, plan.noise)
    guard = Guard(objective, fed, settings, plan.name, plan.steps, plan.batch,
                  sum(row["bad"]["count"] for row in state.history if "bad" in row))
    times = min(settings.evaluations, math.ceil(plan.steps * plan.batch / len(train)))  # never twice in one epoch
    marks = [round(plan.steps * k / times) for k in range(1, times + 1)]
    if not state.history:
        state.record({"step": 0, "epoch": 0.0, "train_loss": None} | measured())
    report(int(state.step * plan.batch))
    for known in state.history[1:]:  # of a run that goes on
        watch(known)
    for mark in (m for m in marks if m > state.step):
        _train(objective)
        torch.manual_seed(seed * 1_000_003 + state.step)  # dropout, where an encoder has it: the same after a restart
        np.random.seed((seed * 1_000_003 + state.step) % 2**32)  # wav2vec 2.0 and its kin hide spans by NumPy
        guard.begin(state.step)
        for step, batch in enumerate(fed.training(plan.batch, state.step, mark), state.step):
            guard.before()
            if parts is not None:
                loss = parts.backward(batch, step)
            else:
                generator.manual_seed(seed * 1_000_003 + step)
                with accelerator.autocast():
                    loss = mixup.loss(objective, batch, generator, settings.mixup)
                accelerator.backward(loss)
                seen_to(objective)
            loss = loss.detach()
            guard.after(optimizer.step(plan.lr * rate(step), loss), loss)
            if sees_to_weights is not None:
                sees_to_weights((step + 1) / plan.steps)
            report((step + 1) * plan.batch)
        state.step = mark
        row = {"step": mark, "epoch": round(mark * plan.batch / len(train), 4)} | guard.row()
        if plan.noise is not None:
            row["train_loss"] = None
        state.record(row | measured())
        watch(state.history[-1])
    history = state.finish(None if last else measured)
    if shares is not None:
        del optimizer, parts, state, measured  # what they hold is as large as the weights
        shares.release()
    return history


def seen_to(objective: nn.Module) -> None:
    """Gradients as the objective has its rule for them: behind each backward pass, before the step."""
    if (rule := getattr(objective, "after_backward", None)) is not None:
        rule()


@torch.no_grad()
def validate(objective: nn.Module, val: Feed, accelerator: Accelerator, batch: int = VALIDATION_BATCH,
             ) -> dict[str, float]:
    """NLL (see `objective.nll`) and score over `val`, `batch` samples at a time; a NLL that is not finite counts as
    1e9, so that it is never chosen.

    Without labels: the mean loss, and a score of 0. An objective whose loss means something else in a larger batch is
    `as_trained`: it is validated in batches of training's size.
    """
    objective.eval()

    def told(some: Batch) -> tuple[Tensor, Tensor]:
        with accelerator.autocast():
            return (objective.outputs(some).float() if objective.labels else  # type: ignore[operator]
                    (objective.score(some) * len(some)).double()), some.y  # type: ignore[operator]

    outputs, labels = zip(*micro.shared(val.once(batch), told, accelerator, hasattr(objective, "shares")),
                          strict=True)
    y = torch.cat(labels)
    if not objective.labels:
        return {"val_nll": _finite(torch.stack(outputs).sum().item() / len(y)), "val_score": 0.0}
    found = torch.cat(outputs)
    return {"val_nll": _finite(objective.nll(found, y)),  # type: ignore[operator]
            "val_score": objective.task.score_of(found, y)}  # type: ignore[union-attr, operator]


def _train(objective: nn.Module) -> None:
    """Training mode for what moves; what is frozen keeps its statistics and drops nothing, as when it is used."""
    objective.train()
    for part in objective.modules():
        weights = list(part.parameters())
        if weights and not any(w.requires_grad for w in weights):
            part.eval()


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 1e9


def _warmup_cosine(steps: int, warmup: float) -> Callable[[int], float]:
    ramp = max(1, round(steps * warmup))
    return lambda step: (step + 1) / ramp if step < ramp else 0.5 * (
        1 + math.cos(math.pi * (step - ramp) / max(1, steps - ramp)))


class _State:
    """What a run needs to go on after a kill, and the best weights so far, of as many evaluations as `soup` says."""

    def __init__(self, objective: nn.Module, optimizer: AdamW, soup: int, path: Path | None,
                 shares: Sharded | None) -> None:
        self.shares = shares
        self.objective, self.optimizer, self.soup, self.path = objective, optimizer, soup, path
        self.step, self.history, self.best = 0, list[dict[str, Any]](), list[tuple[float, averages.State]]()
        self._saved = time.monotonic()
        if kept := checkpoints.read(path, None if shares is None else shares.load):
            objective.load_state_dict(kept["task"])
            optimizer.load(kept["optimizer"])
            self.step, self.history, self.best = kept["step"], kept["history"], kept["best"]

    def record(self, row: dict[str, Any]) -> None:
        """Keep a row of the history, the weights when they are of the best, and now and then everything on disk."""
        if len(self.best) < self.soup or row["val_nll"] < self.best[-1][0]:
            self.best = sorted([*self.best, (row["val_nll"], averages.state(self.objective))],
                               key=lambda one: one[0])[: self.soup]
        self.history.append(row)
        due = time.monotonic() - self._saved > CHECKPOINT_EVERY
        if self.path is not None and (due if self.shares is None else self.shares.agreed(due)):
            kept = {"task": self.objective.state_dict(), "optimizer": self.optimizer.state(), "step": self.step,
                    "history": self.history, "best": self.best}
            save = partial(torch.save, kept) if self.shares is None else partial(self.shares.save, kept)
            checkpoints.write(self.path, save, self.shares is None or self.shares.rank == 0)
            self._saved = time.monotonic()

    def finish(self, measure: Callable[[], dict[str, float]] | None) -> list[dict[str, Any]]:
        """measure: what `validate` says of the weights that the objective has; None: the last ones stay."""
        if measure is not None:
            found = averages.soup(self.objective, self.best, measure)
            if found.of > 1:
                last = {key: self.history[-1][key] for key in ("step", "epoch")}
                self.history.append(last | {"train_loss": None, "averaged": found.of} | found.measured)
            self.objective.load_state_dict(found.weights)
        self.objective.eval()
        if self.path is not None:
            self.path.unlink(missing_ok=True)
        return self.history
