"""What a model costs when it answers: time, size, energy. Measured, so never inside a cached out."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import nn

from trivium.data.store import Batch
from trivium.machine.energy import energy
from trivium.machine.measured import Inference

ONE, MANY = 1, 64  # samples per call, for latency and for throughput
WARM_UP, REPEATS, ROUNDS = 3, 40, 4


@torch.no_grad()
def inference(model: nn.Module, batch: Batch) -> Inference:
    """`batch`: at least one sample, on the model's device; repeated where 64 are needed.
    """
    one = batch[:ONE]
    many = batch[torch.arange(MANY) % len(batch)]
    for _ in range(WARM_UP):
        _answer(model, one)
    times = sorted(_seconds(model, one) for _ in range(REPEATS))
    _answer(model, many)
    with energy() as joules:
        rounds = sorted(_seconds(model, many) for _ in range(ROUNDS))
    used = joules()
    return Inference(
        latency_p50_seconds=times[REPEATS // 2], latency_p95_seconds=times[int(0.95 * REPEATS)],
        samples_per_second=MANY / rounds[ROUNDS // 2], parameters=sum(p.numel() for p in model.parameters()),
        device=batch.y.device.type, joules_per_sample=None if used is None else used / (ROUNDS * MANY))


def _seconds(model: nn.Module, batch: Batch) -> float:
    start = time.perf_counter()
    _answer(model, batch)
    return time.perf_counter() - start


def _answer(model: nn.Module, batch: Batch) -> Any:
    """The answers on the CPU, where they are needed: waits for a GPU to finish."""
    return model(batch.inputs, batch.present).cpu()
