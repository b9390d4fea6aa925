"""What a model costs when it answers: time, size, energy. Measured, so never inside a cached out.

Energy is that of the whole device, from its own counter: RAPL for CPUs (Linux, where it may be read), NVML for NVIDIA
GPUs since Volta. None where there is no such counter.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trivium.data.store import Batch

ONE, MANY = 1, 64  # samples per call, for latency and for throughput
WARM_UP, REPEATS, ROUNDS = 3, 40, 4
POWERCAP = Path("/sys/class/powercap")


@torch.no_grad()
def inference(model: nn.Module, batch: Batch) -> dict[str, float | int | None]:
    """Seconds of one answer (batch 1, median and 95th percentile), samples per second at batch 64, joules per sample.

    `batch`: at least one sample, on the model's device; repeated where 64 are needed.
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
    return {
        "latency_p50_seconds": times[REPEATS // 2], "latency_p95_seconds": times[int(0.95 * REPEATS)],
        "samples_per_second": MANY / rounds[ROUNDS // 2], "parameters": sum(p.numel() for p in model.parameters()),
        "joules_per_sample": None if used is None else used / (ROUNDS * MANY),
    }


@contextmanager
def energy() -> Iterator[Callable[[], float | None]]:
    """Joules that CPU packages and GPUs use in the block: call what is given, after the block."""
    counters = [counter for counter in (_rapl(), _nvml()) if counter is not None]
    before = [counter() for counter in counters]
    used: list[float] = []
    try:
        yield lambda: sum(used) if used else None
    finally:
        for counter, start in zip(counters, before, strict=True):
            change = counter() - start
            if change >= 0:  # RAPL counters wrap around now and then
                used.append(change)


def _rapl() -> Callable[[], float] | None:
    """Joules of all CPU packages since some moment."""
    files = sorted(POWERCAP.glob("intel-rapl:[0-9]*/energy_uj"))
    packages = [file for file in files if file.parent.name.count(":") == 1]  # two colons: a part of a package
    try:
        for file in packages:
            file.read_text()
    except OSError:  # for root alone, on most systems
        return None
    return (lambda: sum(int(file.read_text()) for file in packages) / 1e6) if packages else None


def _nvml() -> Callable[[], float] | None:
    """Joules of all NVIDIA GPUs since the driver was loaded."""
    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None
    count = ctypes.c_uint()
    if nvml.nvmlInit_v2() != 0 or nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
        return None
    handles = [ctypes.c_void_p() for _ in range(count.value)]
    total = ctypes.c_ulonglong()  # millijoules
    for index, handle in enumerate(handles):
        if nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(handle)) != 0 or (
                nvml.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(total)) != 0):
            return None

    def read() -> float:
        joules = 0.0
        for handle in handles:
            nvml.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(total))
            joules += total.value / 1e3
        return joules

    return read if handles else None


def _seconds(model: nn.Module, batch: Batch) -> float:
    start = time.perf_counter()
    _answer(model, batch)
    return time.perf_counter() - start


def _answer(model: nn.Module, batch: Batch) -> Any:
    """The answers on the CPU, where they are needed: waits for a GPU to finish."""
    return model(batch.inputs, batch.present).cpu()
