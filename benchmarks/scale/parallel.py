"""One large encoder trained by several processes: the same bytes, and how much faster than one process with one thread.
And the same in shares: how much of it a process holds.

Random data and fixed steps of the one training loop; seconds are those of the steps, without start and validation.
"""

from __future__ import annotations

import gc
import hashlib
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trivium.training import together
from trivium.training.settings import Loop

PROCESSES = (1, 2, 4)


@dataclass(frozen=True)
class Size:
    """Of the encoder and of its training. length: tokens a sample.  steps: the first one warms up."""

    width: int
    depth: int
    length: int
    batch: int
    steps: int


LARGE, TINY = Size(512, 9, 16, 512, 5), Size(32, 1, 8, 32, 3)
LARGER = Size(512, 12, 16, 64, 3)


def measure(size: Size = LARGE) -> dict[str, Any]:
    """The part `data_parallel` of scale.json."""
    found = {name: _trained(size, *how) for name, how in {
        "in one piece": (0, 1), **{f"{count}": (8, count) for count in PROCESSES}}.items()}
    seconds = {name: one["seconds"] for name, one in found.items()}
    return {
        "processes": list(PROCESSES), "parameters": found["1"]["parameters"],
        "same_bytes": len({found[str(count)]["digest"] for count in PROCESSES}) == 1,
        "speedup": round(seconds["in one piece"] / seconds["2"], 2),
        "seconds_per_step": seconds, "size": vars(size),
    }


def shared_out(size: Size = LARGER) -> dict[str, Any]:
    """The part `shard` of scale.json: of the first process, and of each way in a process that did nothing before.

    held: bytes of weights, moments and the best weights so far, behind a step.  peak: bytes that steps and validation
    took at most above what the process had before it built the model; gradients and activations count.
    """
    found = dict[str, Any]()
    for shard in (False, True):
        for processes in PROCESSES[shard:]:
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as run:
                found[f"{processes}{', in shares' if shard else ''}"] = run.submit(
                    _trained, size, 8, processes, shard).result()
    shares = {one["digest"] for name, one in found.items() if "shares" in name}
    return {"parameters": found["1"]["parameters"], "size": vars(size), "same_bytes_in_shares": len(shares) == 1,
            "same_bytes_as_whole": shares == {found["1"]["digest"]},
            "ways": {name: {key: one[key] for key in ("seconds", "held", "peak")} for name, one in found.items()}}


def _trained(size: Size, parts: int, processes: int, shard: bool = False) -> dict[str, Any]:
    loop = Loop(batch=size.batch, weight_decay=0.05, warmup=0.1, clip=1.0, evaluations=1, augment=False, device="cpu",
                workers=1, micro_batches=parts, processes=processes, shard=shard)
    folder = Path(tempfile.mkdtemp(prefix="trivium-scale-"))
    try:
        found: dict[str, Any] = together.run(work, (size, loop), folder, lambda done, every: None, processes, "cpu")
    finally:
        shutil.rmtree(folder)
    print(f"{parts} parts, {processes} processes{', in shares' if shard else ''}: {found['seconds']:.2f} s a step, "
          f"{found['peak'] / 1e6:.0f} MB", flush=True)
    return found


def work(about: tuple[Size, Loop], folder: Path, report: Callable[[int, int], None]) -> dict[str, Any]:
    """Train, and tell seconds a step, parameters, bytes and a digest of the weights."""
    import numpy as np
    import torch

    from trivium import models
    from trivium.data.store import Batch
    from trivium.encoders import describe
    from trivium.machine import device
    from trivium.modalities.spec import Spec
    from trivium.objectives.supervised import Supervised
    from trivium.tasks.classification import Classification
    from trivium.training.feed import Feed
    from trivium.training.loop import Schedule, fit

    size, loop = about
    accelerator = device.prepare("cpu")
    spec = Spec("text", "tokens", (size.length,), 4096)
    described = describe("large", {"modality": "text", "architecture": "transformer", "width": size.width,
                                   "depth": size.depth, "processor": {"length": size.length, "vocab": 4096}})
    before = _memory("VmRSS")
    with models.drawn(0, "head"):  # the same in every process
        objective = Supervised(models.encoder(described, spec, 0), Classification(["a", "b"]))
    random = torch.Generator().manual_seed(0)
    rows = 2 * size.batch
    data = Batch({"text": torch.randint(3, 4096, (rows, size.length), generator=random)},
                 torch.ones(rows, 1, dtype=torch.bool), torch.randint(0, 2, (rows,), generator=random))
    train, val = Feed(data, np.arange(rows), 0), Feed(data[:8], np.arange(8), 0)
    times, held, peaks = list[float](), list[int](), list[int]()

    def look(samples: int) -> None:
        if not times:
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew, behind the start
        peaks.append(_memory("VmHWM") - before)
        if samples == size.batch:
            tensors = [one for one in gc.get_objects() if type(one) in (torch.Tensor, torch.nn.Parameter)]
            storages = [one.untyped_storage() for one in tensors if one.is_floating_point()]
            held.append(sum({one.data_ptr(): one.nbytes() for one in storages}.values()))
        times.append(time.perf_counter())

    fit(objective, train, val, Schedule(size.steps, size.batch, 1e-4), loop, accelerator, 0,
        look, last=True)
    digest = hashlib.sha256()
    for weight in objective.state_dict().values():
        digest.update(weight.numpy().tobytes())
    steps = np.diff(times[1:])  # the first report is before any step, the second behind the one that warms up
    return {"seconds": round(float(np.median(steps)), 3), "digest": digest.hexdigest(),
            "held": held[0], "peak": peaks[-1], "parameters": sum(weight.numel() for weight in objective.parameters())}


def _memory(name: str) -> int:
    """Bytes of this process: VmRSS, what it has; VmHWM, the most that it had."""
    told = Path("/proc/self/status").read_text()
    return 1024 * int(told.split(f"{name}:")[1].split()[0])
