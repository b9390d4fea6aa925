"""Joules that this machine used, from the counters of its CPUs (RAPL, where Linux lets one read it) and of its NVIDIA
GPUs (NVML, since Volta). Of the whole device: other programs count as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from trivium.machine import nvidia

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
            if change >= 0:  # neither unknown nor wrapped around, as RAPL counters do now and then
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
    """Joules of all NVIDIA GPUs since the driver was loaded; not a number where one does not tell (any more)."""
    if not (gpus := nvidia.handles()):
        return None
    import pynvml

    def read() -> float:
        try:
            return sum(pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu) for gpu in gpus) / 1e3  # millijoules
        except pynvml.NVMLError:
            return math.nan

    return read
