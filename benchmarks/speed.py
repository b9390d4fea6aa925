"""How fast: the loop against a plain PyTorch loop, and the pipeline from empty, unchanged and changed; and whether two
trainings end with the same weights.

    make bench            everything
    python -m benchmarks.speed loop     the loop alone
    python -m benchmarks.speed twice    two trainings in processes of their own
    python -m benchmarks.speed fixed    what a stage costs before it does anything

Writes benchmarks/results/speed.json (speed-cuda.json on a GPU), with the machine's description.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks import stages
from benchmarks.machine import machine
from trivium.machine import files

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 7  # the two loops take turns, so that a drift of the machine's speed hits both
STEPS = {"cpu": 60, "cuda": 250}  # a few seconds a round
FEW = 30  # steps, to see whether two trainings end alike


def loop() -> dict[str, Any]:
    """Samples per second of `trivium.training.loop.fit` and of a plain loop, same modules, batch and threads."""
    import torch

    from trivium.machine import device as devices
    from trivium.params import load

    params = load(ROOT / "params.yaml")
    device = devices.kind(params.loop.device)
    accelerator = devices.prepare(device)
    ours, plain = [], []
    for k in range(ROUNDS + 1):
        one, other = _ours(params, accelerator), _plain(params, accelerator)
        if k:  # the first round warms up
            ours.append(one)
            plain.append(other)
    return {
        "device": device, "threads": torch.get_num_threads(), "batch": params.loop.batch, "rounds": ROUNDS,
        "ours_samples_per_second": statistics.median(ours), "plain_samples_per_second": statistics.median(plain),
        "ratio": statistics.median(a / b for a, b in zip(ours, plain, strict=True)),
        "ratios": sorted(a / b for a, b in zip(ours, plain, strict=True)),
    }


def _data(params: Any, samples: int = 1024) -> Any:
    """Random inputs of the shapes that the default data has."""
    import torch

    from trivium import modalities
    from trivium.data.store import Batch

    specs = {}
    for s, described in _encoders(params).items():
        name, settings = described.processor
        part = modalities.processor(name)
        specs[s] = replace(part.spec(part.Settings.model_validate(settings)), name=s)
    generator = torch.Generator().manual_seed(0)
    inputs = {}
    for m, spec in specs.items():
        inputs[m] = (torch.randint(3, spec.vocab, (samples, *spec.shape), generator=generator) if spec.kind == "tokens"
                     else torch.randn(samples, *spec.shape, generator=generator))
    present = torch.ones(samples, len(specs), dtype=torch.bool)
    return specs, Batch(inputs, present, torch.randint(0, 10, (samples,), generator=generator))


def _encoders(params: Any) -> dict[str, Any]:
    """What the recipe `scratch` reads each stream with."""
    return {s: params.encoders[entry] for s, entry in params.read_by("scratch").items()}


def _task(classes: int) -> Any:
    from trivium.tasks.classification import Classification

    return Classification([str(k) for k in range(classes)])


def _network(described: Any, specs: Any, classes: int = 10, fusion: str = "concat") -> Any:
    """Random weights of seed 0."""
    from trivium import fusion as fusions
    from trivium import models

    parts = {s: models.encoder(described[s], spec, 0) for s, spec in specs.items()}
    return models.multimodal(parts, _task(classes), fusions.chosen(fusion, "fusion"), 0)


def _ours(params: Any, accelerator: Any) -> float:
    import numpy as np

    from trivium.objectives.network.joint import Joint
    from trivium.training.feed import Feed
    from trivium.training.loop import Schedule, fit

    specs, data = _data(params)
    task = Joint(_network(_encoders(params), specs))
    train = Feed(data, np.arange(len(data)), 0, accelerator.device)
    val = Feed(data[:1], np.arange(1), 0, accelerator.device)
    fit(task, train, val, Schedule(3, params.loop.batch, 1e-3), params.loop, accelerator, 0)
    return _rate(lambda steps: fit(task, train, val, Schedule(steps, params.loop.batch, 1e-3), params.loop,
                                   accelerator, 0), params.loop.batch, accelerator)


def _plain(params: Any, accelerator: Any) -> float:
    import torch

    specs, data = _data(params)
    model = _network(_encoders(params), specs).to(accelerator.device)
    data = data.to(accelerator.device)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    kind = accelerator.device.type

    def steps(count: int) -> None:
        order = torch.randperm(len(data), device=data.y.device)
        for k in range(count):
            index = order.roll(-k * params.loop.batch)[: params.loop.batch]
            with torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda"):
                vectors = model.vectors({s: x[index] for s, x in data.inputs.items()})
                logits = model.outputs(vectors, data.present[index])
                loss = torch.nn.functional.cross_entropy(logits, data.y[index])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    steps(3)
    return _rate(steps, params.loop.batch, accelerator)


def twice() -> dict[str, Any]:
    """Whether two trainings in fresh processes end with the same weights, bit for bit; and on what machine."""
    command = [sys.executable, "-m", "benchmarks.speed", "weights"]
    one, other = (json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
                  for _ in range(2))
    here = machine()
    return {"on": one.pop("device"), "processor": here["processor"], "gpus": here["gpus"], "steps": FEW,
            "same_weights": {name: digest == other[name] for name, digest in one.items()}}


def weights() -> dict[str, str]:
    """A digest of the weights after `FEW` steps of each kind of encoder, fusion and objective, on the default shapes;
    and the device.
    """
    import hashlib

    import numpy as np

    from trivium import models, objectives
    from trivium.machine import device as devices
    from trivium.objectives.network.joint import Joint
    from trivium.params import load
    from trivium.training.augment import Augment
    from trivium.training.feed import Feed
    from trivium.training.loop import Schedule, fit

    params = load(ROOT / "params.yaml")
    device = devices.kind(params.loop.device)
    accelerator = devices.prepare(device)
    specs, data = _data(params, 256)
    cnn, transformer = ({s: replace(described, architecture=kind) for s, described in _encoders(params).items()}
                        for kind in ("cnn", "transformer"))
    tasks: dict[str, Any] = {"concat of cnn": Joint(_network(cnn, specs)),
                             "attention of transformer": Joint(_network(transformer, specs, fusion="attention"))}
    for s, spec in specs.items():
        with models.drawn(0, s):
            tasks[f"masked {s}"] = objectives.build(objectives.chosen("masked", "objective"),
                                                    {s: models.encoder(cnn[s], spec, 0)}, tuple(specs), _task(10))
    found = {"device": device}
    for name, task in tasks.items():
        feeds = [Feed(data, np.arange(len(data)), 0, accelerator.device) for _ in range(2)]
        feeds[0].augment = Augment(specs, 0)
        fit(task, feeds[0], feeds[1], Schedule(FEW, 16, 1e-3), params.loop, accelerator, 0)
        hasher = hashlib.sha256()
        for _, value in sorted(task.state_dict().items()):
            hasher.update(value.cpu().numpy().tobytes())
        found[name] = hasher.hexdigest()
    return found


def waits(store: Any) -> dict[str, float]:
    """Share of the training time, 0-1, in which the loop waits for its next batch, in memory and streamed from disk; on
    a GPU with encoders of the size of a ViT-B as well, which are worth one.

    A GPU does what it was told while the loop goes on. So it is waited for before the clock starts and before it stops:
    what is counted is the time until a batch is on the GPU, none of the steps before it, as if nothing overlapped.
    """
    from trivium.machine import device as devices
    from trivium.objectives.network.joint import Joint
    from trivium.params import load
    from trivium.training import feed as feeds
    from trivium.training.loop import Schedule, fit

    class Timed(feeds.Feed):
        waited = 0.0

        def training(self, batch: int, start: int, stop: int) -> Any:
            found = super().training(batch, start, stop)
            for _ in range(start, stop):
                _wait(self.device)
                started = time.perf_counter()
                one = next(found)
                _wait(self.device)
                self.waited += time.perf_counter() - started
                yield one

    params, shares, limit = load(ROOT / "params.yaml"), {}, feeds.IN_MEMORY
    accelerator = devices.prepare(devices.kind(params.loop.device))
    val = Timed(store, store.rows(0, "val")[:1], 0, accelerator.device)
    encoders = {"": store.encoders}
    if accelerator.device.type == "cuda":
        large = {"width": 768, "depth": 12}
        encoders["_large"] = {s: replace(one, architecture="transformer", settings=large)
                              for s, one in store.encoders.items()}
    for (size, encoder), (name, most) in product(encoders.items(), (("in_memory", limit), ("streamed", 0))):
        feeds.IN_MEMORY = most
        train = Timed(store, store.rows(0, "train"), 0, accelerator.device, augment=params.loop.augment)
        task = Joint(_network(encoder, store.specs, store.task.outputs))
        arguments = (params.loop, accelerator, 0)
        fit(task, train, val, Schedule(3, params.loop.batch, 1e-3), *arguments)
        train.waited, started = 0.0, time.perf_counter()
        steps = STEPS[accelerator.device.type]
        fit(task, train, val, Schedule(steps, params.loop.batch, 1e-3), *arguments)  # waits for the device at its end
        shares[name + size] = train.waited / (time.perf_counter() - started)
    feeds.IN_MEMORY = limit
    return shares


def _wait(device: Any) -> None:
    """Until a GPU has done all that it was told."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize()


def _rate(work: Any, batch: int, accelerator: Any) -> float:
    steps = STEPS[accelerator.device.type]
    _wait(accelerator.device)
    started = time.perf_counter()
    work(steps)
    _wait(accelerator.device)
    return steps * batch / (time.perf_counter() - started)


if __name__ == "__main__":
    what = sys.argv[1:] or ["loop", "twice", "encoding", "published", "fixed", "pipeline"]
    if what == ["weights"]:
        print(json.dumps(weights()))
        sys.exit()
    here = machine()
    results: dict[str, Any] = {"command": "make bench"}
    if {"loop", "published", "fixed", "pipeline"} & set(what):
        results["machine"] = here
    if "loop" in what:
        results["loop"] = loop()
        print(f"loop: {results['loop']['ours_samples_per_second']:,.0f} samples/s, plain PyTorch "
              f"{results['loop']['plain_samples_per_second']:,.0f}, ratio {results['loop']['ratio']:.3f}", flush=True)
    if "twice" in what:
        results["twice"] = twice()
        same = results["twice"]["same_weights"]
        print(f"two trainings in fresh processes ({results['twice']['on']}), the same weights bit for bit: "
              + ", ".join(f"{name} {'yes' if same[name] else 'NO'}" for name in same), flush=True)
    if "encoding" in what:
        from benchmarks import encoding

        results["encode"], results["cached"] = encoding.encode(), encoding.cached()
        results["lora"] = encoding.lora()
        print(f"encoding: {results['encode']['ours_per_second']:.0f} texts/s, the plain loop "
              f"{results['encode']['plain_per_second']:.0f}; training on cached vectors: "
              f"{results['cached']['samples_per_second']:,.0f} samples/s; LoRA on kept states: "
              f"{results['lora']['steps_per_second']:.1f} steps/s, through the whole body "
              f"{results['lora']['whole_body_steps_per_second']:.1f}", flush=True)
    if "published" in what:
        results["published_linear"] = stages.published()
        print(f"a linear probe on published encoders, {results['published_linear']['samples']:,} samples, five seeds: "
              f"{results['published_linear']['seconds']:.0f} s", flush=True)
    if "fixed" in what:
        results["fixed_seconds_per_stage"] = stages.fixed()
        seconds = results["fixed_seconds_per_stage"].values()
        print(f"fixed cost of a stage: {statistics.median(seconds):.1f} s in the median, {max(seconds):.1f} s at most",
              flush=True)
    if "pipeline" in what:
        results["pipeline"] = stages.pipeline(waits)
        print(f"pipeline: {results['pipeline']['repro_seconds']:.0f} s from empty, "
              f"{results['pipeline']['unchanged_seconds']:.1f} s unchanged; the loop waits for data for "
              f"{max(results['pipeline']['data_wait_share'].values()):.1%} of its time", flush=True)
    suffix = "-cuda" if here["gpus"] else ""
    path = ROOT / f"benchmarks/results/speed{suffix}.json"
    files.write(path, json.dumps(files.read_json_or(path, {}) | results, indent=1, sort_keys=True) + "\n")
    print(f"written: {path.relative_to(ROOT)}")
