"""What the machine did while a stage ran: processor, memory and GPU, once a second, without MLflow.

`trivium sync` shows the series under the names that MLflow itself uses (`system/cpu_utilization_percentage`, ...).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from trivium.machine import files, nvidia
from trivium.machine.measured import Sampled

KEEP = 240  # points; a longer series is thinned by half, and then sampled half as often
Reading = dict[str, float]


class Sampler:
    """Samples in a thread while the block runs, then writes `path`, a `Sampled`.

    A block that fails writes nothing. A machine that cannot be read is no reason to stop a stage.
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
            found = Sampled(started=round(self._started, 3), seconds=self._seconds, series=series)
            files.write(self.path, json.dumps(found.model_dump(), sort_keys=True) + "\n")

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


def _nvml() -> Callable[[], Reading] | None:
    """A reader of what each NVIDIA GPU tells; None where there is none."""
    if not (gpus := nvidia.handles()):
        return None
    import pynvml

    gauges: dict[str, Callable[[], float]] = {}
    for index, gpu in enumerate(gpus):
        for name, gauge in (
            ("utilization_percentage", lambda gpu: float(pynvml.nvmlDeviceGetUtilizationRates(gpu).gpu)),
            ("memory_usage_megabytes", lambda gpu: round(pynvml.nvmlDeviceGetMemoryInfo(gpu).used / 1e6, 1)),
            ("power_usage_watts", lambda gpu: round(pynvml.nvmlDeviceGetPowerUsage(gpu) / 1e3, 1)),  # milliwatts
        ):
            with suppress(pynvml.NVMLError):  # a part of a GPU (MIG) does not know all of it
                gauge(gpu)
                gauges[f"gpu_{index}_{name}"] = partial(gauge, gpu)
    return (lambda: {name: gauge() for name, gauge in gauges.items()}) if gauges else None
