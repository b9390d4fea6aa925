"""Each piece of a run done once, in small, by the code that does it in full: how fast it is here.

What is measured is processor time on one core, which other programs disturb less than the clock; on a GPU, the clock.
The models are untrained, and rows are those of train: nobody reads the test set for it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trivium.data.store import Store
from trivium.experiments.speeds import FEWEST, Speed

if TYPE_CHECKING:
    from torch import Tensor

    from trivium.evaluation.settings import Settings
    from trivium.params import Params

STEPS = 6  # of training that are timed, after one that is not
FIT, JUDGE = 256, 128  # train and validation rows that a linear probe is fitted on
PASSED = 32  # rows whose way through the encoders is timed
LONG = 3.0  # seconds: analyses whose passes take longer are not done in full


class Drawn:
    """Vectors at random, where a run has kept those of a published encoder."""

    def __init__(self, width: int) -> None:
        self.width = width

    def take(self, rows: np.ndarray) -> Tensor:
        """float32 [B, D]"""
        import torch

        return torch.randn(len(rows), self.width, generator=torch.Generator().manual_seed(len(rows)))


def measure(params: Params) -> dict[str, Speed]:
    """By recipe, each in a process of its own, so that its memory can be told; those with the same encoders and the
    same sort of model once.
    """
    from trivium.machine import device
    from trivium.machine.workers import processes
    from trivium.training import pretrain

    found = dict[tuple[str, bool, tuple[str, ...]], Speed]()
    speeds = {}
    for recipe in params.pretrain:
        store = Store(recipe)
        kept = tuple(s for group in params.recipe(recipe).groups if pretrain.seedless(store, group)
                     for s in group.streams)
        key = str({s: one.plain() for s, one in store.encoders.items()}), _fused(params, recipe) is not None, kept
        if key not in found:
            with processes(1, device.gpus(device.kind(params.loop.device))) as alone:
                found[key] = next(iter(alone(_of_recipe, [(params, recipe, kept)])))[1]
        speeds[recipe] = found[key]
    return speeds


def _fused(params: Params, recipe: str) -> Mapping[str, Any] | None:
    """The fusion of the first strategy that starts from it with one, a plain one where it is only trained; None where
    probes are all that stands on its vectors.
    """
    from trivium.training.strategy import chosen_fusion

    mine = [entry for entry in params.entries.values() if entry.start == recipe]
    chosen = [fusion for entry in mine if (fusion := chosen_fusion(entry))]
    if params.recipe(recipe).objectives or any(entry.plan.combine in ("best", "ensemble") for entry in mine):
        chosen.append({"name": "concat"})
    return chosen[0] if chosen else None


def _of_recipe(task: tuple[Params, str, tuple[str, ...]]) -> Speed:
    from trivium import models
    from trivium.machine import device
    from trivium.training import memory

    params, recipe, kept = task
    where = device.kind(params.loop.device)
    device.deterministic(where)
    clock = time.process_time if where == "cpu" else time.perf_counter
    store, fusion = Store(recipe, device=where), _fused(params, recipe)
    parts: dict[str, Any] = {s: models.encoder(store.encoders[s], store.specs[s], 0).eval().to(where)
                             for s in store.streams}
    rates, seconds = _passed(store, parts, clock)
    once = sum(seconds[s] for s in kept)
    found = dict[str, float]()
    if fusion:
        model: Any = models.multimodal(parts, store.task_at(0), fusion, 0).to(where)
        found |= _steps(model, store, params, clock)
    if not fusion or any(entry.start == recipe and entry.plan.combine not in ("fusion", "best", "ensemble")
                         for entry in params.entries.values()):
        probes, found["fitted"] = _probed(store, parts, clock)
        model = model if fusion else probes
    found |= _evaluated(model.eval(), store, params, kept, rates, clock) | {"exported": _exported(model, clock)}
    if fusion:
        need = memory.of_network(store, fusion, params.loop)
        found |= {"trained": need.weights + need.samples, "trained_each": need.batch / params.loop.batch}
    return Speed(passed=sum(seconds.values()) - once, once=once, rows=params.evaluate.analysis_rows,
                 **found, **_memory(store, parts, params))  # type: ignore[arg-type]


def _exported(model: Any, clock: Callable[[], float]) -> float:
    """Nothing where it cannot be: `latency` then leaves it, too."""
    from trivium.serving.export import graph
    from trivium.settings.errors import UserError

    model.kept.clear()
    begun = clock()
    with tempfile.TemporaryDirectory() as folder, suppress(UserError):
        graph.write(model.cpu(), Path(folder) / "graph.onnx")
    return clock() - begun


def _memory(store: Store, parts: Mapping[str, Any], params: Params) -> dict[str, Any]:
    """Of evaluation: a batch's way through the dearest encoder, with what a gradient of the input needs."""
    from trivium.training import budget, memory

    def of(s: str) -> tuple[float, int]:
        x, weights = budget.inputs({s: store.specs[s]})[s], list(parts[s].parameters())
        if not weights:
            return 0.0, 0
        need = memory.need(parts[s], lambda: parts[s](x).square().sum(), budget.PROBE, params.loop, 0)
        return need.batch / params.loop.batch, sum(weight.nbytes for weight in weights)

    found = [of(s) for s in parts]
    return {"evaluated": sum(weights for _, weights in found), "evaluated_each": max(each for each, _ in found)}


def _passed(store: Store, parts: Mapping[str, Any], clock: Callable[[], float],
            ) -> tuple[dict[str, float], dict[str, float]]:
    """By stream, FLOPs a second on the way through its encoder, 0 where nothing is computed; and seconds of a sample.
    """
    import torch

    from trivium.evaluation import affordable, encoded

    rows, rates, seconds = store.rows(0, "train")[:PASSED], dict[str, float](), dict[str, float]()
    with torch.no_grad():
        for s, part in parts.items():
            x = store.batch(rows, 0, [s]).inputs[s]
            encoded.rows_through(part, store, s, rows[:2], 0, PASSED)
            begun = clock()
            encoded.rows_through(part, store, s, rows, 0, PASSED)
            seconds[s] = (clock() - begun) / len(rows)
            tokens = encoded.lengths(x).float().mean().item() if store.specs[s].kind == "tokens" else 0.0
            rates[s] = affordable.per_pass(part, store.specs[s])(tokens) / max(seconds[s], 1e-9)
    return rates, seconds


def _steps(model: Any, store: Store, params: Params, clock: Callable[[], float]) -> dict[str, float]:
    """Of the real loop."""
    import torch

    from trivium.data.store import Batch
    from trivium.machine import device
    from trivium.objectives.network.joint import Joint
    from trivium.training import budget
    from trivium.training.feed import Feed
    from trivium.training.loop import Schedule, fit

    loop, accelerator = params.loop, device.prepare(device.kind(params.loop.device))
    train, val = store.rows(0, "train")[: STEPS * loop.batch], store.rows(0, "val")[:2]
    there = accelerator.device

    def timed(feed: Feed, judge: Feed) -> float:
        for steps in (1, STEPS):
            begun = clock()
            fit(Joint(model), feed, judge, Schedule(steps, loop.batch, 1e-4), loop, accelerator, 0)
        return (clock() - begun) / STEPS  # of a step

    def cost(batch: Batch) -> float:
        model.train()
        return budget.counted(lambda: Joint(model).outputs(batch).square().sum(), module=model)

    one = budget.example(store.specs, store.task).to(there)
    step = timed(Feed(store, train, 0, there, augment=loop.augment), Feed(store, val, 0, there))
    found = {"flops": cost(one), "step": step / loop.batch}
    model.encoders.requires_grad_(False)
    with torch.no_grad():
        vectors = [Batch(model.vectors(some.inputs), some.present, some.y, encoded=True)
                   for some in (store.batch(train, 0), store.batch(val, 0), one)]
    found |= {"head": timed(Feed(vectors[0], train, 0, there), Feed(vectors[1], val, 0, there)),
              "head_flops": cost(vectors[2])}
    model.encoders.requires_grad_(True)
    return found


def _probed(store: Store, parts: Mapping[str, Any], clock: Callable[[], float]) -> tuple[Any, float]:
    """A model of linear probes, and the seconds that they took per train row."""
    import torch

    from trivium.evaluation import encoded
    from trivium.training import linear, pretrain, probed

    rows = {"train": store.rows(0, "train")[:FIT], "val": store.rows(0, "val")[:JUDGE]}

    def read(s: str, these: np.ndarray) -> Any:
        part = parts[s]
        if store.specs[s].kind == "counts":
            return part.transform(store.ragged(s).csr(these, part.buckets))
        return encoded.rows_through(part, store, s, these, 0, FIT).float().cpu().numpy()

    for s in parts:
        if store.specs[s].kind == "counts":
            pretrain.fit_idf(parts[s], store, s, 0)
    with torch.no_grad():
        x = {split: {s: read(s, these) for s in parts} for split, these in rows.items()}
        there = {split: {s: store.has(s)[these] for s in parts} for split, these in rows.items()}
        begun = clock()
        found = linear.fit(x["train"], there["train"], store.labels(rows["train"]), x["val"], there["val"],
                           store.labels(rows["val"]), store.task_at(0), weight=store.weights(rows["train"]))
        spent = clock() - begun
        return probed.model(store, dict(parts), found), spent / len(rows["train"])


def _evaluated(model: Any, store: Store, params: Params, kept: Sequence[str], rates: Mapping[str, float],
               clock: Callable[[], float]) -> dict[str, float]:
    """As `evaluate` does it, but for the way of the test rows through the encoders, which `passed` says. What would
    take long is done with fewer rows; for what the others cost, the FLOPs of their passes and the encoders' `rates`.
    """
    from trivium.evaluation import analyse, encoded, evaluate

    whole = params.evaluate.model_copy(update={"analysis_flops": params.evaluate.analysis_flops / params.seeds})
    fewer = whole.model_copy(update={"analysis_rows": FEWEST})
    model.kept |= {s: Drawn(part.width) for s, part in model.readers.items() if s in kept}
    rows = {seed: store.rows(seed, "train")[: len(store.rows(seed, "test"))] for seed in (0, 1)}
    batch = {seed: encoded.encode_rows(model, store, rows[seed], seed, whole.batch) for seed in rows}

    def done(seed: int, settings: Settings) -> float:
        begun = clock()
        evaluate.subsets(model, batch[seed], store.streams, settings.batch)
        with tempfile.TemporaryDirectory() as folder:
            analyse.analyse(model, store, seed, rows[seed], batch[seed], settings, Path(folder))
        return clock() - begun

    def passes(seed: int, settings: Settings) -> float:
        """Seconds of what passes the encoders."""
        found = analyse.flops(model, store, seed, rows[seed], batch[seed], settings)
        return sum(flops / rates[s] for s, flops in found.items() if rates[s])

    def seconds(seed: int, settings: Settings) -> float:
        if passes(seed, settings) < LONG:
            return done(seed, settings)
        little = fewer.model_copy(update={"analysis_flops": LONG * min(rates.values())})
        return done(seed, little) + passes(seed, settings) - passes(seed, little)

    return {"first": seconds(0, whole), "further": seconds(1, whole), "fewer": seconds(1, fewer)}
