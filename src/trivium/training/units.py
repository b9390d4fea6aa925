"""Independent pieces of work (a recipe or a strategy, at one seed), side by side, resumed after a kill.

Each unit works in a folder of its own under `.cache/checkpoints/<fingerprint>/`, which the finished stage removes. The
fingerprint covers settings, data and code, so that nothing stale is ever picked up.
"""

from __future__ import annotations

import hashlib
import json
import math
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from trivium.config import Config
from trivium.data.tables import read_json, write_json
from trivium.machine import device as devices
from trivium.machine.progress import Progress
from trivium.machine.workers import killed, obey, pool, see_one_gpu, turns

CHECKPOINTS = Path(".cache/checkpoints")
CODE = ("data", "encoders", "fusion", "machine", "modalities", "models", "objectives", "strategies", "training")

Report = Callable[[int, int], None]  # (samples done, of how many in all): how far a unit is
Work = Callable[[Config, Any, Path, Report], dict[str, Any]]  # work(config, unit, folder, report) -> record

_progress: Any = None  # shared array, two numbers a unit: what it last reported; set in each worker


def fingerprint(config: Config, name: str, inputs: Sequence[Path]) -> str:
    """Of everything that a unit's result depends on."""
    known = config.model_dump(mode="json", include={"seeds", "pretrain", "budget", "train", "encoder", "strategy"})
    hasher = hashlib.blake2b(json.dumps([name, known], sort_keys=True).encode(), digest_size=12)
    room = Path(__file__).parent.parent
    for path in sorted(p for part in CODE for p in (room / part).glob("*.py")):
        hasher.update(path.read_bytes())
    for path in sorted(p for folder in inputs for p in folder.rglob("*") if p.is_file()):
        status = path.stat()
        hasher.update(f"{path} {status.st_size} {status.st_mtime_ns}".encode())
    return hasher.hexdigest()


def run(config: Config, title: str, name: str, work: Work, units: Sequence[tuple[str, Any]],
        inputs: Sequence[Path]) -> dict[str, tuple[Path, dict[str, Any]]]:
    """`units`: (name, argument of `work`). Returns name -> (its folder, its record).

    Call `clean` with the same arguments once the outs are written.
    """
    global _progress
    home = CHECKPOINTS / fingerprint(config, name, inputs)
    home.mkdir(parents=True, exist_ok=True)
    device = devices.kind(config.train)
    todo = [unit for unit in units if not (home / unit[0] / "record.json").exists()]
    if len(todo) < len(units):
        print(f"{title}: {len(units) - len(todo)} of {len(units)} were finished before; the rest goes on", flush=True)
    count = min(devices.workers(config.train, device), max(1, len(todo)))
    context = multiprocessing.get_context("spawn" if device == "cuda" or sys.platform == "darwin" else "fork")
    shared: Any = context.RawArray("q", 2 * len(todo))  # without a lock, which a killed worker would keep
    with Progress(title, math.inf, "samples") as progress:
        if count == 1:
            _progress = shared
            for k, unit in enumerate(todo):
                _work(work, config, unit, home, k, lambda: _show(progress, shared))
        else:
            turn = turns(context, count, devices.gpus(device))
            with pool(count, context, _start, shared, turn) as executor:
                try:
                    pending = {executor.submit(_work, work, config, unit, home, k) for k, unit in enumerate(todo)}
                    while pending:
                        done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                        _show(progress, shared)
                        for future in done:
                            future.result()
                except BaseException as error:
                    for process in list(executor._processes.values()):
                        process.kill()  # all at once: what the others would still do is for nobody
                    if isinstance(error, BrokenProcessPool):
                        raise killed("`train.workers` or `train.batch` smaller") from None
                    raise
    return {unit[0]: (home / unit[0], read_json(home / unit[0] / "record.json")) for unit in units}


def _show(progress: Progress, shared: Any) -> None:
    """A unit that has not begun is taken to be as long as those that have."""
    done, lengths = sum(shared[::2]), [length for length in shared[1::2] if length]
    if lengths:
        progress.total = sum(lengths) * len(shared[::2]) / len(lengths)
    progress.at(done)


def measured(done: Mapping[str, tuple[Path, Mapping[str, Any]]], name: str) -> dict[str, Any]:
    """For reports/measured, of what `run` returned: `<name>`, seconds of each unit, and `peak_gpu_memory_bytes`, the
    most of any unit's process, where a GPU was used.
    """
    records = [record for _, record in done.values()]
    memory = [record["gpu_bytes"] for record in records if record["gpu_bytes"] is not None]
    seconds = {name: [record["seconds"] for record in records]}
    return seconds | ({"peak_gpu_memory_bytes": max(memory)} if memory else {})


def clean(config: Config, name: str, inputs: Sequence[Path]) -> None:
    """Remove what the units left, now that the outs hold it."""
    shutil.rmtree(CHECKPOINTS / fingerprint(config, name, inputs), ignore_errors=True)


def _start(shared: Any, turn: Any) -> None:
    global _progress
    _progress = shared
    see_one_gpu(turn)
    obey()


def _work(work: Work, config: Config, unit: tuple[str, Any], home: Path, index: int,
          shown: Callable[[], None] | None = None) -> None:
    last = time.monotonic()

    def report(samples: int, every: int) -> None:
        nonlocal last
        _progress[2 * index : 2 * index + 2] = [samples, every]
        if time.monotonic() - last > 1:
            last = time.monotonic()
            if shown is not None:
                shown()

    folder = home / unit[0]
    folder.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    record = work(config, unit[1], folder, report)
    memory = devices.peak_memory_bytes(devices.kind(config.train))
    write_json({"seconds": time.perf_counter() - started, "gpu_bytes": memory, "record": record},
               folder / "record.part")
    os.replace(folder / "record.part", folder / "record.json")
