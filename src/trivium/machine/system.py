"""What the machine did while a stage ran: processor, memory and GPU, once a second, without MLflow.

`trivium sync` shows the series under the names that MLflow itself uses (`system/cpu_utilization_percentage`, ...).
"""

from __future__ import annotations

import ctypes
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from trivium.machine import files

KEEP = 240  # points; a longer series is thinned by half, and then sampled half as often
NVML = "libnvidia-ml.so.1"  # comes with the driver
Reading = dict[str, float]


class Sampler:
    """Samples in a thread while the block runs, then writes `path` (JSON).

    `{"started": seconds since 1970, "seconds": [since the start], "series": {name: [values]}}`; all lists are
    equally long. A block that fails writes nothing. A machine that cannot be read is no reason to stop a stage.
    """

    def __init__(self, path: str | Path, interval: float = 1.0) -> None:
        self.path, self.interval = Path(path), interval
        self._seconds: list[float] = []
        self._readings: list[Reading] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="system-sampler", daemon=True)

    def __enter__(self) -> Sampler:
        self._started, self._clock = time.time(), time.monotonic()
        with suppress(Exception):  # no psutil, a broken driver
            self._read = reader()  # here, not in the thread: a fork must not meet a half-done import
            self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        if kind is None and self._readings:
            series = {name: [reading[name] for reading in self._readings] for name in self._readings[0]}
            content = {"started": round(self._started, 3), "seconds": self._seconds, "series": series}
            files.write(self.path, json.dumps(content, sort_keys=True) + "\n")

    def _work(self) -> None:
        interval = self.interval
        with suppress(Exception):  # a driver that goes away: what was read so far is kept
            self._read()  # the first reading of a thread has nothing to compare with
            while not self._stop.wait(interval):
                self._readings.append(self._read())
                self._seconds.append(round(time.monotonic() - self._clock, 2))
                if len(self._readings) >= KEEP:
                    self._readings, self._seconds = self._readings[1::2], self._seconds[1::2]
                    interval *= 2


def reader() -> Callable[[], Reading]:
    """A function that reads the whole machine: percent, megabytes, watts."""
    import psutil

    gpus = _nvml()

    def read() -> Reading:
        memory = psutil.virtual_memory()
        values = {
            "cpu_utilization_percentage": psutil.cpu_percent(),
            "system_memory_usage_megabytes": round((memory.total - memory.available) / 1e6, 1),
            "system_memory_usage_percentage": memory.percent,
        }
        return values | (gpus() if gpus else {})

    return read


def gpu_count() -> int:
    """NVIDIA GPUs as the driver counts them, whatever torch was built for."""
    try:
        nvml = ctypes.CDLL(NVML)
    except OSError:
        return 0
    count = ctypes.c_uint()
    if nvml.nvmlInit_v2() != 0 or nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
        return 0
    return count.value


class _Utilization(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))  # percent of the last sampling period


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))  # bytes


def _nvml() -> Callable[[], Reading] | None:
    """A reader of all NVIDIA GPUs through the driver's own library; None where there is none."""
    count = gpu_count()
    if not count:
        return None
    nvml = ctypes.CDLL(NVML)
    handles = [ctypes.c_void_p() for _ in range(count)]
    for index, handle in enumerate(handles):
        if nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(handle)) != 0:
            return None

    def read() -> Reading:
        values: Reading = {}
        for index, handle in enumerate(handles):
            use, memory, power = _Utilization(), _Memory(), ctypes.c_uint()
            nvml.nvmlDeviceGetUtilizationRates(handle, ctypes.byref(use))
            nvml.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory))
            nvml.nvmlDeviceGetPowerUsage(handle, ctypes.byref(power))  # milliwatts
            values[f"gpu_{index}_utilization_percentage"] = float(use.gpu)
            values[f"gpu_{index}_memory_usage_megabytes"] = round(memory.used / 1e6, 1)
            values[f"gpu_{index}_power_usage_watts"] = round(power.value / 1e3, 1)
        return values

    return read
