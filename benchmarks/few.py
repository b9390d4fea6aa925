"""Which strategy with how few labels, where the answer is known: a table for docs/curves.md.

    PYTHONPATH=src .venv/bin/python -m benchmarks.few          measures
    PYTHONPATH=src .venv/bin/python -m benchmarks.few page     fills the page from what was measured

The stages of the pipeline up to `train`, on the world *redundant* of the generated symbols, with default learning rates
and small encoders: none is tuned. All train rows have their streams; so many of them have a label. The compute is the
same at every number of labels. Writes benchmarks/results/few.json, with the machine's description.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import parts
from benchmarks.evidence import worlds
from benchmarks.late import inside, run
from trivium.data.sources import symbols
from trivium.data.sources import worlds as known

ROOT = Path(__file__).resolve().parent.parent
RESULTS, PAGE = ROOT / "benchmarks/results/few.json", ROOT / "docs/curves.md"
WORLD = "redundant"
LABELS = (20, 80, 320, 1280)  # of TRAIN rows
TRAIN, VALIDATION, TEST, SEEDS, EPOCHS = 1280, 250, 2000, 3, 20  # EPOCHS: with all labels
WIDTH, DEPTH = 32, 1  # of encoders
PROMPTS = {str(k): " ".join(f"k{symbols.KEYWORDS * k + j:02}" for j in range(symbols.KEYWORDS))
           for k in range(symbols.SYMBOLS)}  # a class is called by the keywords of its symbol
ALIGNED = {"start": "aligned_only", "strategy": "prompts", "prompts": PROMPTS}
ENTRIES: dict[str, dict[str, Any]] = {
    "class prompts, no label": ALIGNED,
    "class prompts and 4 labels of each": ALIGNED | {"shots": 4},
    "the same, reading its text": ALIGNED | {"shots": 4, "own_text": True},
    "aligned": {"start": "aligned", "strategy": "joint", "lr": 0.003},
    "masked": {"start": "selfsup", "strategy": "joint", "lr": 0.003},
    "supervised": {"start": "supervised", "strategy": "frozen", "lr": 0.003},
    "scratch": {"start": "scratch", "strategy": "joint", "lr": 0.003},
    "simple": {"start": "simple", "strategy": "linear"},
}
TITLES = {"aligned": "aligned components, then fine-tuned", "masked": "masked components, then fine-tuned",
          "supervised": "supervised components, frozen", "scratch": "end to end", "simple": "simple features"}


def measure(labels: tuple[int, ...] = LABELS, seeds: int = SEEDS, epochs: int = EPOCHS, train: int = TRAIN,
            ) -> dict[str, Any]:
    found = {}
    for count in labels:
        with tempfile.TemporaryDirectory() as folder, inside(Path(folder)):
            _settings(Path(folder), count, seeds, epochs, train)
            found[str(count)] = run(ENTRIES)
        print(count, {name: one["accuracy"] for name, one in found[str(count)].items()}, flush=True)
    world = known.world(WORLD, symbols.SYMBOLS)
    return {"labels": found, "ceiling": world.bayes(), "chance": 1 / world.classes}


def _settings(folder: Path, labels: int, seeds: int, epochs: int, train: int) -> None:
    from ruamel.yaml import YAML

    wanted = worlds.Expected(WORLD, train, round(epochs * train / labels), seeds, "", lambda _: True)
    worlds.settings(folder, wanted, only=("supervised_frozen", "selfsup_finetune", "aligned_finetune", "reference"))
    yaml, total = YAML(), train + VALIDATION + TEST
    params = yaml.load(folder / "params.yaml")
    params["data"]["symbols"]["samples"] = total
    params["split"] |= {"val": VALIDATION / total, "test": TEST / total, "labels": labels if labels < train else 1.0}
    params["loop"] |= {"workers": 1, "device": "cpu"}
    for name in ("words", "patches", "bands"):
        params["encoder"][name] |= {"width": WIDTH, "depth": DEPTH}
    params["pretrain"]["aligned_only"] = dict(params["pretrain"]["aligned"]) | {"share": 0.9}
    params["train"] = {name.replace(" ", "_").replace(",", ""): entry for name, entry in ENTRIES.items()}
    params["budget"]["of"] = "scratch"
    yaml.dump(params, folder / "params.yaml")


def table(found: Mapping[str, Any]) -> str:
    """A line for each strategy: accuracy at each number of labels, the fewest first."""
    counts = sorted(found["labels"], key=int)
    lines = [f"| strategy | {' | '.join(f'{int(count):,}' for count in counts)} |", "|---|" + "---|" * len(counts)]
    for name in ENTRIES:
        cells = [_mean(found["labels"][count][name]["accuracy"]) for count in counts]
        lines.append(f"| {TITLES.get(name, name)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _mean(each: list[float]) -> str:
    """Of the seeds, in percent; the lowest and the highest where they differ."""
    mean, low, high = (f"{100 * value:.1f}" for value in (statistics.mean(each), min(each), max(each)))
    return mean if low == high else f"{mean} ({low} to {high})"


def main(words: list[str]) -> None:
    about = {"train": TRAIN, "validation": VALIDATION, "test": TEST, "epochs": EPOCHS, "width": WIDTH, "depth": DEPTH}
    found = parts.measured(words, RESULTS, lambda: measure() | about)
    page = parts.filled(PAGE.read_text(encoding="utf-8"), "benchmarks.few", {"few labels": table(found)})
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
