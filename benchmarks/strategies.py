"""What strategies that train a network reach where the answer is known: the table of docs/strategies.md.

    PYTHONPATH=src .venv/bin/python -m benchmarks.strategies          measures, about 10 minutes of one core
    PYTHONPATH=src .venv/bin/python -m benchmarks.strategies page     fills the page from what was measured

The stages themselves run on the worlds of `symbols`, in a scratch folder: every strategy has its default settings and
the same budget, its recipe included, and seeds are paired. Nothing is tuned. Encoders and samples are few, so that it
takes minutes. Writes benchmarks/results/strategies.json, with the machine's description.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import parts
from benchmarks.evidence import worlds as evidence
from trivium import params as settings
from trivium.data.sources import worlds

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


def measure(names: Iterable[str] = tuple(STARTS), train: Mapping[str, int] = TRAIN, seeds: int = SEEDS,
            epochs: int = EPOCHS) -> dict[str, Any]:
    """Accuracy on new samples, 0-1, per strategy, world and seed."""
    found: dict[str, Any] = {name: {"start": STARTS[name], "accuracy": {}} for name in names}
    for world, samples in train.items():
        with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
            for name, each in trained(world, samples, seeds, epochs, list(found)):
                found[name]["accuracy"][world] = each
                print(world, name, each, flush=True)
    known = {name: worlds.world(name, 4) for name in train}
    return {"strategies": found, "worlds": {
        name: {"ceiling": one.bayes(), "chance": 1 / one.classes, "train": train[name]} for name, one in known.items()}}


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
    evidence.settings(Path(), world, evidence.Expected(samples, epochs, seeds, "", lambda found: True))
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
    """A line for each strategy, below the best that anybody can reach; and what that says."""
    lines = [f"| `strategy` | from | {' | '.join(f'*{world}*' for world in found['worlds'])} |",
             "|---|---|" + "---|" * len(found["worlds"])]
    for row in ("ceiling", "chance"):
        lines.append(f"| {row} | | {' | '.join(f'{100 * one[row]:.1f}' for one in found['worlds'].values())} |")
    for name, one in found["strategies"].items():
        lines.append(f"| `{name}` | {one['start']} | {' | '.join(_mean(one['accuracy'][w]) for w in found['worlds'])} |")
    return "\n".join([*lines, "", *(_said(found, world) for world in found["worlds"])])


def _mean(each: list[float]) -> str:
    """Of the seeds, in percent; the lowest and the highest."""
    mean, low, high = (f"{100 * value:.1f}" for value in (statistics.mean(each), min(each), max(each)))
    return f"{mean} ({low} to {high})"


def _said(found: Mapping[str, Any], world: str) -> str:
    """Who is at chance in a world; and who is ahead of `joint`, or behind it, at every seed and by more than `NEAR`."""
    each = {name: one["accuracy"][world] for name, one in found["strategies"].items()}
    chance = found["worlds"][world]["chance"]
    nothing = [name for name, one in each.items() if abs(statistics.mean(one) - chance) < NEAR]
    apart = {name: [a - b for a, b in zip(one, each[JOINT], strict=True)] for name, one in each.items()}
    more = [name for name, one in apart.items() if min(one) > 0 and statistics.mean(one) > NEAR]
    less = [name for name, one in apart.items()
            if max(one) < 0 and statistics.mean(one) < -NEAR and name not in nothing]
    sides = [f"{words}: {', '.join(f'`{name}`' for name in names)}" for words, names in
             ((f"ahead of `{JOINT}`", more), ("behind it", less), ("at chance", nothing)) if names]
    return f"- *{world}*: {'; '.join(sides) or f'nobody is ahead of `{JOINT}` or behind it'}."


def filled(page: str, found: Mapping[str, Any]) -> str:
    """`page` with the table in its place."""
    return parts.filled(page, "benchmarks.strategies", {"reached": table(found)})


def main(words: list[str]) -> None:
    about = {"epochs": EPOCHS, "width": WIDTH, "validation": VALIDATION, "test": TEST, "seeds": SEEDS}
    found = parts.measured(words, RESULTS, lambda: measure() | about)
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
