"""One large encoder trained by several processes: the same bytes, and how much faster than one process with one thread.

Random data and fixed steps of the one training loop; seconds are those of the steps, without start and validation.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
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


LARGE, TINY = Size(512, 8, 16, 256, 5), Size(32, 1, 8, 32, 3)


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


def _trained(size: Size, parts: int, processes: int) -> dict[str, Any]:
    loop = Loop(batch=size.batch, weight_decay=0.05, warmup=0.1, clip=1.0, evaluations=1, augment=False, device="cpu",
                workers=1, micro_batches=parts, processes=processes)
    folder = Path(tempfile.mkdtemp(prefix="trivium-scale-"))
    try:
        found: dict[str, Any] = together.run(work, (size, loop), folder, lambda done, every: None, processes, "cpu")
    finally:
        shutil.rmtree(folder)
    print(f"{parts} parts, {processes} processes: {found['seconds']:.2f} s a step", flush=True)
    return found


def work(about: tuple[Size, Loop], folder: Path, report: Callable[[int, int], None]) -> dict[str, Any]:
    """Train, and tell seconds a step, parameters and a digest of the weights."""
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
    objective = Supervised(models.encoder(described, spec, 0), Classification(["a", "b"]))
    random = torch.Generator().manual_seed(0)
    rows = 2 * size.batch
    data = Batch({"text": torch.randint(3, 4096, (rows, size.length), generator=random)},
                 torch.ones(rows, 1, dtype=torch.bool), torch.randint(0, 2, (rows,), generator=random))
    train, val = Feed(data, np.arange(rows), 0), Feed(data[:8], np.arange(8), 0)
    times = list[float]()
    fit(objective, train, val, Schedule(size.steps, size.batch, 1e-4), loop, accelerator, 0,
        lambda samples: times.append(time.perf_counter()), last=True)
    digest = hashlib.sha256()
    for weight in objective.state_dict().values():
        digest.update(weight.numpy().tobytes())
    steps = np.diff(times[1:])  # the first report is before any step, the second behind the one that warms up
    return {"seconds": round(float(np.median(steps)), 3), "digest": digest.hexdigest(),
            "parameters": sum(weight.numel() for weight in objective.parameters())}
