"""What one strategy's models say of their test sets, at every seed, and of the domain that is held out, if one is.

Nothing before this reads a sample of either.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trivium import models
from trivium.data.store import Batch, Store
from trivium.evaluation import contribution, cost, domain, encoded, predictions
from trivium.evaluation.analyse import analyse
from trivium.evaluation.metrics import Domain, Evaluation, Seed, Shown
from trivium.evaluation.settings import Settings
from trivium.machine import device as devices
from trivium.machine import engines
from trivium.machine.measured import Inference
from trivium.machine.progress import Progress
from trivium.machine.workers import one_thread
from trivium.models.network import Model
from trivium.models.pools import Stack
from trivium.tasks.base import Outcome, joined
from trivium.training import components, records
from trivium.training.records import Result, Trained


def evaluate(entry: str, settings: Settings, device: str, workers: Any, out: Path) -> Inference | None:
    """Write `<out>/predictions.parquet`, `<out>/metrics.json` and what `analyse` keeps, the seeds side by side; and
    `<out>/validation.parquet`, predictions for validation, where it fitted no model, and `<out>/held_out.parquet`, for
    the held-out domain, where there is one.

    entry: of `train` in params.yaml;  device, workers: `loop.device` and `loop.workers`.

    Returns what the first model costs when it answers: measured, so not part of the outs.
    """
    engine = engines.chosen()
    there = engine.device(device)  # where the seeds are evaluated; how fast a model answers is measured here
    device = devices.kind("cpu" if there == "cpu" else "auto")
    training = Trained.read(Path("models") / entry / "training.json")
    store = Store(training.start, device=device)
    about = training.model_dump(include={"entry", "title", "strategy", "start", "recipe", "skipped"}) | {
        "task": store.task.plain(), "streams": list(store.streams)}
    if training.skipped:
        Evaluation.model_validate(about | {"seeds": []}).write(out / "metrics.json")
        return None
    records = training.seeds
    settings = settings.model_copy(update={"analysis_flops": settings.analysis_flops / len(records)})  # of one seed
    tasks = [engines.Task(record, out / (name := f"seed_{record.seed}"), name) for record in records]
    needs = engines.Needs(workers, there, [*components.inputs(store), Path("models") / entry])
    with Progress(f"evaluate {entry}", len(records), "seed") as progress:
        rows = engine.run(partial(_seed, training.start, entry, settings, there), tasks, needs,
                          partial(_show, progress))
        progress.at(len(records))
    for task in tasks:
        _merge(task.folder, out)
    for name in ("predictions", "validation", "held_out"):
        if (parts := [out / _part(name, record.seed) for record in records])[0].exists():
            predictions.join(parts, out / f"{name}.parquet")
    devices.deterministic(device)
    Evaluation.model_validate(about | {"seeds": rows}).write(out / "metrics.json")
    first = records[0].seed
    some = store.batch(store.rows(first, "test")[: cost.MANY], first)
    return cost.inference(models.load(Path("models") / entry / f"seed_{first}").to(device), some)


def _show(progress: Progress, told: Sequence[int]) -> None:
    progress.at(sum(told[::2]))


def _merge(part: Path, out: Path) -> None:
    """Move the files of a seed, which have names of their own, to where those of all seeds are."""
    for file in sorted(path for path in part.rglob("*") if path.is_file()):
        target = out / file.relative_to(part)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
    shutil.rmtree(part)


@torch.no_grad()
def _seed(recipe: str, entry: str, settings: Settings, device: str, record: records.Seed, out: Path,
          report: engines.Report) -> Seed:
    """The answers of the model go to files of their own."""
    one_thread()
    devices.deterministic(device)
    store, seed = Store(recipe, device=device), record.seed
    size, bins = settings.batch, settings.calibration_bins
    model: Any = models.load(Path("models") / entry / f"seed_{seed}").to(device)
    test = store.rows(seed, "test")
    batch = encoded.encode_rows(model, store, test, seed, size)
    result, right = _write(out / _part("predictions", seed), model, batch, store, seed, test, size)
    if not isinstance(getattr(model, "pool", None), Stack):  # which was fitted on these rows, and knows them
        known = store.rows(seed, "val")
        _write(out / _part("validation", seed), model, encoded.encode_rows(model, store, known, seed, size), store,
               seed, known, size)
    weight = store.weights(test)
    by, elsewhere = domain.within(store, test, right), None
    if len(held := store.rows(seed, "domain")):
        far = encoded.encode_rows(model, store, held, seed, size)
        answers, _ = _write(out / _part("held_out", seed), model, far, store, seed, held, size)
        elsewhere = domain.held_out(store, held, model.task, answers, bins)
    found = Seed(
        seed=seed, n=len(test), n_train=len(store.rows(seed, "train")), task=model.task.plain(),
        metrics=model.task.scores(result, weight=weight, bins=bins),
        subsets=subsets(model, batch, store.streams, size),
        table=model.task.table(result),
        training=Result.model_validate(record.model_dump(include=set(Result.model_fields))),
        domain=Domain(by=by, held_out=elsewhere) if by or elsewhere else None,
        **dict(analyse(model, store, seed, test, batch, settings, out)),
    )
    report(1, 1)
    return found


def answers(model: Model, batch: Batch, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The task's answers [B, A] and the targets [B, *T], of `size` samples at a time."""
    for one in (batch[k : k + size] for k in range(0, len(batch), size)):
        yield encoded.answer(model, one), one.y


def subsets(model: Model, batch: Batch, streams: tuple[str, ...], size: int) -> dict[str, Shown]:
    """For every set of streams that is not empty; see `contribution.subsets` for many streams."""
    found: dict[str, Shown] = {}
    for shown in filter(None, contribution.subsets(streams)):
        mask = torch.tensor([s in shown for s in streams], device=batch.present.device)
        seen = replace(batch, present=batch.present & mask)
        parts = [(model.task.right(one, y), model.task.log_likelihood(one, y))
                 for one, y in answers(model, seen, size)]
        right, own = (torch.cat(part).double().mean().item() for part in zip(*parts, strict=True))
        found["+".join(shown)] = Shown(score=right, nll=-own)
    return found


def _write(path: Path, model: Model, batch: Batch, store: Store, seed: int, rows: np.ndarray, size: int,
           ) -> tuple[Outcome, np.ndarray]:
    """Keep the answers to every sample at `path`; returns what the metrics need of them, and `Task.right` [B]."""
    task, outcomes, right = model.task, list[Outcome](), list[np.ndarray]()
    with predictions.writer(path, task) as add:
        for k, (found, y) in enumerate(answers(model, batch, size)):
            stored, targets = task.stored(found), y.cpu().numpy()
            add(predictions.table(task, seed, [store.samples[row] for row in rows[k * size : (k + 1) * size]], targets,
                                  stored))
            outcomes.append(task.outcome(stored, targets))
            right.append(task.right(found, y).cpu().numpy())
    return joined(outcomes), np.concatenate(right)


def _part(name: str, seed: int) -> str:
    return f"{name}_{seed}.parquet"
