"""What strategies that train a network reach where the answer is known: the table of docs/strategies.md.

    PYTHONPATH=src .venv/bin/python -m benchmarks.strategies [WORLD ...]   measures, and fills the page
    PYTHONPATH=src .venv/bin/python -m benchmarks.strategies page          fills the page from what was measured

The stages themselves run on the worlds of `symbols`, in a scratch folder: every strategy has its default settings and
the same budget, its recipe included, and seeds are paired. Nothing is tuned. Encoders and samples are few, so that it
takes minutes. Writes benchmarks/results/strategies.json, with the machine's description.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import parts
from benchmarks.evidence import worlds as evidence
from benchmarks.machine import machine
from trivium import params as settings
from trivium.data.sources import worlds
from trivium.machine import files

ROOT = Path(__file__).resolve().parent.parent
RESULTS, PAGE = ROOT / "benchmarks/results/strategies.json", ROOT / "docs/strategies.md"
TRAIN = {"dominant": 200, "redundant": 300, "unique": 300, "synergy": 800}  # samples; see benchmarks.evidence.worlds
VALIDATION, TEST, SEEDS = 300, 2000, 3
EPOCHS, WIDTH = 40, 32  # of joint training, which are everybody's budget; of the encoders' vectors
JOINT = "joint"  # what the others are held against
STARTS = {  # strategy -> the recipe that it starts from
    **dict.fromkeys((JOINT, "unimodal_losses", "modality_dropout", "dgl", "ogm_ge", "mmpareto", "alternating",
                     "gradient_blending"), "scratch"),
    **dict.fromkeys(("ensemble", "frozen"), "supervised"),
    **dict.fromkeys(("lpft", "unfreezing", "adapters", "distil"), "supervised_half"),
}
NEAR = 0.02  # of accuracy: what is less far from `joint`, or from chance, counts as level with it


def measure(world: str) -> dict[str, Any]:
    """Accuracy on new samples, 0-1, of every strategy at each seed."""
    found, rules = dict[str, list[float]](), worlds.world(world, 4)
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        for name, each in trained(world, TRAIN[world], SEEDS, EPOCHS, list(STARTS)):
            found[name] = each
            print(world, name, each, flush=True)
    return {"ceiling": rules.bayes(), "chance": 1 / rules.classes, "train": TRAIN[world], "accuracy": found}


def trained(world: str, samples: int, seeds: int, epochs: int, names: list[str]) -> Iterator[tuple[str, list[float]]]:
    """Each strategy and its accuracy at each seed; in the working directory."""
    from pipeline import align, budget, ingest, preprocess, pretrain, split, train, validate

    _settings(world, samples, seeds, epochs, names)
    params = settings.load()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        for stage in (ingest, validate, align, split, preprocess, budget):
            stage.main(params)
        for recipe in params.pretrain:
            pretrain.main(params, recipe)
    for name in names:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            train.main(params, name)
        yield name, [accuracy(name, seed) for seed in range(seeds)]


@torch.no_grad()
def accuracy(name: str, seed: int) -> float:
    """Of the model of a strategy on the test samples of its seed."""
    from trivium import models
    from trivium.data.store import Store

    store: Any = Store(STARTS[name])
    model = models.load(Path("models") / name / f"seed_{seed}")
    rows = store.rows(seed, "test")
    right = 0
    for some in np.array_split(rows, 1 + len(rows) // 512):
        batch = store.batch(some, seed)
        right += int((model(batch.inputs, batch.present).argmax(1) == batch.y).sum())
    return right / len(rows)


def _settings(world: str, samples: int, seeds: int, epochs: int, names: list[str]) -> None:
    """params.yaml in the working directory."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 10_000
    evidence.settings(Path(), evidence.Expected(world, samples, epochs, seeds, "", lambda found: True))
    params, whole = yaml.load(Path("params.yaml")), samples + VALIDATION + TEST
    recipes = yaml.load(ROOT / "params.yaml")["pretrain"]
    params["data"]["symbols"]["samples"] = whole
    params["split"] |= {"val": VALIDATION / whole, "test": TEST / whole}
    for encoder in ("words", "patches", "bands"):
        params["encoder"][encoder]["width"] = WIDTH
    params["pretrain"] = {name: recipes[name] for name in dict.fromkeys(STARTS[name] for name in (JOINT, *names))}
    params["train"] = {name: {"start": STARTS[name], "strategy": name} for name in dict.fromkeys([JOINT, *names])}
    params["budget"] |= {"of": JOINT}
    params["loop"] |= {"workers": 1, "device": "cpu", "evaluations": 8}
    yaml.dump(params, Path("params.yaml"))


def table(found: Mapping[str, Any]) -> str:
    """A line for each strategy, below the best that anybody can reach; and what that says. found: by world."""
    found = {world: found[world] for world in TRAIN if world in found}
    lines = [f"| `strategy` | from | {' | '.join(f'*{world}*' for world in found)} |",
             "|---|---|" + "---|" * len(found)]
    for row in ("ceiling", "chance"):
        lines.append(f"| {row} | | {' | '.join(f'{100 * one[row]:.1f}' for one in found.values())} |")
    for name in (one for one in STARTS if all(one in world["accuracy"] for world in found.values())):
        cells = [_mean(one["accuracy"][name]) for one in found.values()]
        lines.append(f"| `{name}` | `{STARTS[name]}` | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(_said(world, one) for world, one in found.items())])


def _mean(each: list[float]) -> str:
    """Of the seeds, in percent; the lowest and the highest."""
    mean, low, high = (f"{100 * value:.1f}" for value in (statistics.mean(each), min(each), max(each)))
    return f"{mean} ({low} to {high})"


def _said(world: str, found: Mapping[str, Any]) -> str:
    """Who is at chance in a world; and who is ahead of `joint`, or behind it, at every seed and by more than `NEAR`."""
    each = found["accuracy"]
    nothing = [name for name, one in each.items() if abs(statistics.mean(one) - found["chance"]) < NEAR]
    apart = {name: [a - b for a, b in zip(one, each[JOINT], strict=True)] for name, one in each.items()}
    more = [name for name, one in apart.items() if min(one) > 0 and statistics.mean(one) > NEAR]
    less = [name for name, one in apart.items()
            if max(one) < 0 and statistics.mean(one) < -NEAR and name not in nothing]
    sides = [f"{words}: {', '.join(f'`{name}`' for name in names)}" for words, names in
             ((f"ahead of `{JOINT}`", more), ("behind it", less), ("at chance", nothing)) if names]
    return f"- *{world}*: {'; '.join(sides) or f'nobody is ahead of `{JOINT}` or behind it'}."


def filled(page: str, found: Mapping[str, Any]) -> str:
    """`page` with the table in its place. found: by world."""
    return parts.filled(page, "benchmarks.strategies", {"reached": table(found)})


def main(words: list[str]) -> None:
    torch.set_num_threads(1)
    known = files.read_json_or(RESULTS, {"worlds": {}})
    for world in () if words == ["page"] else words or TRAIN:
        started = time.process_time()
        found = measure(world)
        known["worlds"][world] = found | {"core_seconds": round(time.process_time() - started)}
        known |= {"machine": machine(), "command": "python -m benchmarks.strategies", "epochs": EPOCHS, "width": WIDTH,
                  "validation": VALIDATION, "test": TEST}
        files.write(RESULTS, json.dumps(known, indent=1, sort_keys=True) + "\n")
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), known["worlds"]), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
