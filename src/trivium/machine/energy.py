"""Joules that this machine used, from the counters of its CPUs (RAPL, where Linux lets one read it) and of its NVIDIA
GPUs (NVML, since Volta). Of the whole device: other programs count as well.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


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
