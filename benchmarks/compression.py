"""What small models cost in accuracy, and what they save, where the answer is known: a table of docs/strategies.md.

    PYTHONPATH=src .venv/bin/python -m benchmarks.compression [WORLD ...]   measures, and fills the page
    PYTHONPATH=src .venv/bin/python -m benchmarks.compression page          fills the page from what was measured

The stages of the pipeline up to `train`, on generated symbols, with default encoders, budgets and learning rates: none
is tuned. Then accuracy on the test set at each seed, and what `trivium export --int8` makes of the best seed on
validation. Milliseconds are the median of one row, on one thread of onnxruntime, all models in turns.
Writes benchmarks/results/compression.json, with the machine's description.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import parts
from benchmarks.evidence import worlds
from benchmarks.machine import machine
from trivium.machine import files

ROOT = Path(__file__).resolve().parent.parent
RESULTS, PAGE = ROOT / "benchmarks/results/compression.json", ROOT / "docs/strategies.md"
WORLDS = ("dominant", "unique")
TRAIN, VALIDATION, TEST, SEEDS, EPOCHS = 500, 250, 2000, 3, 20
ROUNDS = 300  # answers of each model that are timed
NARROW = 0.5  # width of the encoders of the recipe `narrow`
ENTRIES: dict[str, dict[str, Any]] = {
    "joint": {"start": "scratch", "strategy": "joint"},
    "ensemble": {"start": "supervised", "strategy": "ensemble"},
    "teacher": {"start": "supervised_half", "strategy": "ensemble"},
    "half": {"start": "supervised_half", "strategy": "compress", "student": NARROW},
    "quarter": {"start": "supervised_half", "strategy": "compress", "student": 0.25},
    "narrow": {"start": "narrow", "strategy": "joint"},
    "fifth": {"start": "scratch", "strategy": "prune", "sparsity": 0.8},
    "twentieth": {"start": "scratch", "strategy": "prune", "sparsity": 0.95},
}
WORDS = {
    "joint": "`joint` from `scratch`", "ensemble": "`ensemble` from `supervised`",
    "teacher": "`ensemble` from `supervised_half`, the teacher", "half": "`compress`, `student: 0.5`",
    "quarter": "`compress`, `student: 0.25`", "narrow": "`joint` from `scratch`, encoders half as wide, no teacher",
    "fifth": "`prune`, `sparsity: 0.8`", "twentieth": "`prune`, `sparsity: 0.95`"}


def measure(world: str) -> dict[str, dict[str, Any]]:
    """See `run`."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        _settings(Path(), world)
        found = run()
    print(world, {name: (one["accuracy"], one["int8"]) for name, one in found.items()}, flush=True)
    return found


def _settings(folder: Path, world: str, samples: int = TRAIN, seeds: int = SEEDS, epochs: int = EPOCHS) -> None:
    from ruamel.yaml import YAML

    wanted = worlds.Expected(world, samples, epochs, seeds, "", lambda _: True)
    worlds.settings(folder, wanted, only=("ensemble", "supervised_lpft"))
    yaml, total = YAML(), samples + VALIDATION + TEST
    yaml.width = 10_000
    params = yaml.load(folder / "params.yaml")
    params["data"]["symbols"]["samples"] = total
    params["split"] |= {"val": VALIDATION / total, "test": TEST / total}
    params["loop"] |= {"workers": 1, "device": "cpu"}
    reads = dict(params["pretrain"]["scratch"]["encoders"])
    for entry in set(reads.values()):
        own = params["encoder"][entry]
        params["encoder"][f"{entry}_narrow"] = dict(own) | {"width": int(NARROW * own["width"])}
    params["pretrain"]["narrow"] = {"encoders": {m: f"{entry}_narrow" for m, entry in reads.items()}}
    params["train"], params["budget"]["of"] = ENTRIES, "joint"
    yaml.dump(params, folder / "params.yaml")


def run() -> dict[str, dict[str, Any]]:
    """The stages of the project here, up to `train`, then an export of each entry. By entry: accuracy per seed, 0-1;
    weights, and those that are not 0; bytes of the model's file, packed by zlib, of the graph, and of the one of 8
    bits; what that adds to accuracy, points; and milliseconds.
    """
    from pipeline import align, budget, ingest, preprocess, pretrain, split, train, validate
    from trivium.params import load
    from trivium.runtime.runner import Runner
    from trivium.serving.export import write
    from trivium.training.records import Trained

    params, found, runners = load(), dict[str, dict[str, Any]](), dict[str, Any]()
    with contextlib.redirect_stdout(None):
        for stage in (ingest, validate, align, split, preprocess, budget):
            stage.main(params)  # type: ignore[attr-defined]
        for recipe in params.pretrain:
            pretrain.main(params, recipe)
        for name, entry in ENTRIES.items():
            train.main(params, name)
            trained, out = Trained.read(f"models/{name}/training.json"), Path("exports") / name
            out.mkdir(parents=True)
            made = write.write(Path(), name, out, small=True, here=False)
            kept = Path(f"models/{name}/seed_{made.seed}/model.safetensors").read_bytes()
            found[name] = {
                "accuracy": [_accuracy(name, entry["start"], one.seed) for one in trained.seeds],
                "budget": statistics.mean(one.flops.total / one.flops.budget for one in trained.seeds),
                "weights": trained.best.parameters.total, "filled": _filled(f"models/{name}/seed_{made.seed}"),
                "file": len(kept), "packed": len(zlib.compress(kept, 9)), "graph": made.bytes,
                "int8": {"bytes": made.int8.bytes, "loss": made.int8.loss} if made.int8 else None,
                "refused": made.refused}
            runners[name] = Runner(out)
            if made.int8:
                runners[f"{name}/int8"] = Runner(out, int8=True)
    for name, milliseconds in _timed(runners, params.pretrain).items():
        own, _, small = name.partition("/")
        found[own][f"ms_{small}" if small else "ms"] = milliseconds
    return found


@torch.no_grad()
def _accuracy(name: str, start: str, seed: int) -> float:
    from trivium import models
    from trivium.data.store import Store

    store, model = Store(start), models.load(f"models/{name}/seed_{seed}")
    batch = store.batch(store.rows(seed, "test"), seed)
    return float(model.task.score(model(batch.inputs, batch.present), batch.y))  # type: ignore[union-attr, operator]


def _filled(folder: str) -> int:
    """Weights that are not 0."""
    from trivium import models

    return sum(int(weight.count_nonzero()) for weight in models.load(folder).parameters())


def _timed(runners: Mapping[str, Any], recipes: Mapping[str, Any]) -> dict[str, float]:
    """Median milliseconds of one test row; the models take turns, so that what else runs falls on all alike."""
    from trivium.data.store import Store

    store = Store(next(iter(recipes)))
    batch = store.batch(store.rows(0, "test")[:1], 0)
    inputs, present = {s: x.numpy() for s, x in batch.inputs.items()}, batch.present.numpy()
    took: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(ROUNDS):
        for name, runner in runners.items():
            begun = time.perf_counter()
            runner.graph(inputs, present)
            took[name].append(1000 * (time.perf_counter() - begun))
    return {name: round(float(np.median(each)), 4) for name, each in took.items()}


def table(found: Mapping[str, Any]) -> str:
    """A line for each entry. Sizes and milliseconds are those of the first world: they depend on shapes alone."""
    measured = {world: found["worlds"][world] for world in WORLDS if world in found["worlds"]}
    first = next(iter(measured.values()))
    lines = [f"| model | {' | '.join(f'*{world}*' for world in measured)} | weights, not 0 | graph | packed | 8 bits | "
             "8 bits, points | ms | ms, 8 bits |", "|---|" + "---|" * (len(measured) + 7)]
    for name in ENTRIES:
        own = first[name]
        cells = [_mean(one[name]["accuracy"]) for one in measured.values()]
        small = own["int8"]
        points = [one[name]["int8"]["loss"] for one in measured.values() if one[name]["int8"]]
        lost = " to ".join(dict.fromkeys(_points(loss) for loss in sorted(points, reverse=True))) or "–"
        sizes = [_kb(own["graph"]), _kb(own["packed"]), _kb(small["bytes"]) if small else "–"]
        speeds = [f"{own['ms']:.2f}", f"{own['ms_int8']:.2f}" if small else "–"]
        weights = f"{own['filled']:,}"
        lines.append(f"| {' | '.join([WORDS[name], *cells, weights, *sizes, lost, *speeds])} |")
    return "\n".join([*lines, "", *(_said(one, world) for world, one in measured.items())])


def _mean(each: list[float]) -> str:
    """Of the seeds, in percent; the lowest and the highest."""
    mean, low, high = (f"{100 * value:.1f}" for value in (statistics.mean(each), min(each), max(each)))
    return f"{mean} ({low} to {high})"


def _kb(size: int) -> str:
    return f"{size / 1000:,.0f} kB"


def _points(loss: float) -> str:
    """How much accuracy changes, with its sign."""
    return f"{-loss:+.2f}".replace("-", "−") if loss else "0"


def _said(found: Mapping[str, Any], world: str) -> str:
    """How far a student is from its teacher and from the same network without one, and a pruned network from a whole
    one, in points of accuracy: the mean of the seeds.
    """
    def gap(one: str, other: str) -> str:
        apart = 100 * statistics.mean(a - b for a, b in zip(found[one]["accuracy"], found[other]["accuracy"],
                                                            strict=True))
        return f"{abs(apart):.1f} points {'above' if apart > 0 else 'below'}"

    return (f"- *{world}*: a student half as wide is {gap('half', 'teacher')} its teacher and {gap('half', 'narrow')} "
            f"the same network without one; with a fifth of its weights, a network is {gap('fifth', 'joint')} `joint`, "
            f"with a twentieth {gap('twentieth', 'joint')} it.")


def main(words: list[str]) -> None:
    torch.set_num_threads(1)
    known = files.read_json_or(RESULTS, {"worlds": {}})
    for world in () if words == ["page"] else words or WORLDS:
        known["worlds"][world] = measure(world)
        known |= {"machine": machine(), "command": "python -m benchmarks.compression", "train": TRAIN,
                  "validation": VALIDATION, "test": TEST, "epochs": EPOCHS}
        files.write(RESULTS, json.dumps(known, indent=1, sort_keys=True) + "\n")
    page = parts.filled(PAGE.read_text(encoding="utf-8"), "benchmarks.compression", {"small models": table(known)})
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
