"""What is gained by what is made of trained models, where the answer is known: a table of docs/strategies.md.

    PYTHONPATH=src .venv/bin/python -m benchmarks.late          measures, about 3 minutes on one core
    PYTHONPATH=src .venv/bin/python -m benchmarks.late page     fills the page from what was measured

The stages of the pipeline up to `train`, on generated symbols, with the default budget and learning rates, and small
encoders: none is tuned. Then accuracy on the test set. Strategies that start from one recipe have the same
components, so that what differs is what was made of them.
Writes benchmarks/results/late.json, with the machine's description.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from benchmarks import parts
from benchmarks.evidence import worlds
from benchmarks.parts import filled

ROOT = Path(__file__).resolve().parent.parent
RESULTS, PAGE = ROOT / "benchmarks/results/late.json", ROOT / "docs/strategies.md"
WORLDS = ("unique", "redundant", "dominant", "synergy")
TRAIN, VALIDATION, TEST, SEEDS, EPOCHS = 500, 250, 2000, 3, 20
WIDTH, DEPTH = 32, 1  # of encoders
NEAR = 0.02  # of accuracy: what is less far from another strategy counts as level with it
PLAIN = {  # strategy -> the one without what it adds
    "soup": "joint", "wise_ft": "lpft", "mean": "ensemble", "selection of streams": "ensemble", "stacking": "ensemble",
    "selection": "linear"}
ENTRIES: dict[str, dict[str, Any]] = {
    "joint": {"start": "scratch", "strategy": "joint"}, "soup": {"start": "scratch", "strategy": "soup"},
    "lpft": {"start": "supervised_half", "strategy": "lpft"},
    "wise_ft": {"start": "supervised_half", "strategy": "wise_ft"},
    "ensemble": {"start": "supervised", "strategy": "ensemble"},
    "mean": {"start": "supervised", "strategy": "ensemble", "way": "mean"},
    "selection of streams": {"start": "supervised", "strategy": "ensemble", "way": "selection"},
    "stacking": {"start": "supervised", "strategy": "ensemble", "way": "stacking"},
    "linear": {"start": "supervised", "strategy": "linear"},
    "selection": {"start": "supervised", "strategy": "selection"},
}


def measure(seeds: int = SEEDS, epochs: int = EPOCHS, train: int = TRAIN) -> dict[str, Any]:
    found = {}
    for world in WORLDS:
        with tempfile.TemporaryDirectory() as folder, inside(Path(folder)):
            _settings(Path(folder), world, seeds, epochs, train)
            found[world] = run(ENTRIES)
        print(world, {name: one["accuracy"] for name, one in found[world].items()}, flush=True)
    return {"worlds": found}


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """With `folder` as the current one, where stages run."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _settings(folder: Path, world: str, seeds: int, epochs: int, train: int) -> None:
    from ruamel.yaml import YAML

    wanted = worlds.Expected(world, train, epochs, seeds, "", lambda _: True)
    worlds.settings(folder, wanted, only=("ensemble", "supervised_lpft"))
    yaml, total = YAML(), train + VALIDATION + TEST
    params = yaml.load(folder / "params.yaml")
    params["data"]["symbols"]["samples"] = total
    params["split"] |= {"val": VALIDATION / total, "test": TEST / total}
    params["loop"] |= {"workers": 1, "device": "cpu"}
    for name in ("words", "patches", "bands"):
        params["encoder"][name] |= {"width": WIDTH, "depth": DEPTH}
    params["train"] = {name.replace(" ", "_").replace(",", ""): entry for name, entry in ENTRIES.items()}
    params["budget"]["of"] = "joint"
    yaml.dump(params, folder / "params.yaml")


def run(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The stages of the project here, up to `train`. Strategy -> accuracy per seed; training FLOPs over the budget,
    mean; and what it chose, where it does. entries: of `train`, by names whose spaces are underscores there.
    """
    from pipeline import align, budget, ingest, preprocess, pretrain, split, train, validate
    from trivium import models
    from trivium.data.store import Store
    from trivium.params import load
    from trivium.training.records import Trained

    params, found = load(), {}
    for stage in (ingest, validate, align, split, preprocess, budget):
        stage.main(params)  # type: ignore[attr-defined]
    for recipe in params.pretrain:
        pretrain.main(params, recipe)
    for name, entry in entries.items():
        key = name.replace(" ", "_").replace(",", "")
        train.main(params, key)
        store, accuracy, trained = Store(entry["start"]), [], Trained.read(f"models/{key}/training.json")
        for one in trained.seeds:
            model: Any = models.load(f"models/{key}/seed_{one.seed}")
            batch = store.batch(store.rows(one.seed, "test"), one.seed)
            with torch.no_grad():
                accuracy.append(model.task.score(model(batch.inputs, batch.present), batch.y))
        found[name] = {"accuracy": accuracy, "chosen": [one.chosen for one in trained.seeds],
                       "budget": statistics.mean(one.flops.total / one.flops.budget for one in trained.seeds)}
    return found


def table(found: Mapping[str, Any]) -> str:
    """A line for each strategy, below the one that it adds to; then what that says."""
    measured = found["worlds"]
    lines = [f"| strategy | of the budget | {' | '.join(f'*{world}*' for world in WORLDS)} |",
             "|---|---|" + "---|" * len(WORLDS)]
    for name, entry in ENTRIES.items():
        if not all(name in one for one in measured.values()):  # added since
            continue
        way = f", `way: {entry['way']}`" if "way" in entry else ""
        spent = statistics.mean(measured[world][name]["budget"] for world in WORLDS)
        cells = [_mean(measured[world][name]["accuracy"]) for world in WORLDS]
        who = f"`{entry['strategy']}`{way} from `{entry['start']}`"
        lines.append(f"| {who} | {100 * spent:.0f} % | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(_said(measured, world) for world in WORLDS)])


def _mean(each: list[float]) -> str:
    """Of the seeds, in percent; the lowest and the highest where they differ."""
    mean, low, high = (f"{100 * value:.1f}" for value in (statistics.mean(each), min(each), max(each)))
    return mean if low == high else f"{mean} ({low} to {high})"


def _said(measured: Mapping[str, Any], world: str) -> str:
    """Who gains and who loses more than chance would, as far as all seeds agree, against what it adds to."""
    said = []
    for name, plain in PLAIN.items():
        if name not in measured[world]:
            continue
        gaps = [one - other for one, other in zip(measured[world][name]["accuracy"],
                                                  measured[world][plain]["accuracy"], strict=True)]
        gap = statistics.mean(gaps)
        if abs(gap) >= NEAR and len({one > 0 for one in gaps}) == 1:
            said.append(f"{name} is {100 * abs(gap):.1f} points {'above' if gap > 0 else 'below'} {plain}")
    return f"- *{world}*: {'; '.join(said) or f'none is {100 * NEAR:.0f} points from what it adds to, on all seeds'}."


def main(words: list[str]) -> None:
    about = {"train": TRAIN, "validation": VALIDATION, "test": TEST, "epochs": EPOCHS,
             "width": WIDTH, "depth": DEPTH}
    found = parts.measured(words, RESULTS, lambda: measure() | about)
    page = filled(PAGE.read_text(encoding="utf-8"), "benchmarks.late", {"made of trained models": table(found)})
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
