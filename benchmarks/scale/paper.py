"""A thousand GPUs and a billion rows, on paper: what each part would take, and which one breaks first.

    python -m benchmarks.scale.paper            measures the constants (a minute), and writes the table of docs/scale.md

Nothing of that size was run. Each figure is a constant that was measured here times a count; what is assumed is named.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trivium.machine import files

ROOT = Path(__file__).resolve().parents[2]
PAGE, RESULTS = ROOT / "docs/scale.md", ROOT / "benchmarks/results"
MARKS = "<!-- on paper -->\n", "<!-- end -->\n"
ROWS, GPUS, STRATEGIES, SEEDS, CLASSES = 1_000_000_000, 1_000, 8, 5, 10
TEST, EPOCHS, RECIPES = 0.2, 20, 5  # share of the rows; passes that the budget pays for; of params.yaml
STREAMS, BYTES_PER_CELL = 3, 1_000  # assumed: a processed cell, such as 24 tokens, 16x16 pixels or 32 frames of sound
LINK = 1e9  # bytes per second of one node, assumed: 10 Gbit/s


@dataclass(frozen=True)
class Part:
    """A row of the table. seconds: where it takes time;  holds: bytes of memory of one process, or of a disk."""

    name: str
    seconds: float | None
    holds: float | None
    words: str


def constants() -> dict[str, float]:
    """What was measured: here and now, or in benchmarks/results by the command that each file names."""
    gpu = json.loads((RESULTS / "speed-cuda.json").read_text())  # on an H200
    scale = files.read_json_or(RESULTS / "scale.json", {})
    rows = scale.get("rows") or []
    found = {"samples_per_second_of_a_gpu": gpu["loop"]["ours_samples_per_second"],
             "bootstrap_seconds_per_row": _bootstrap(), "prediction_bytes_per_row": _predictions(),
             "hash_bytes_per_second": _hash()}
    if rows:
        last = max(rows, key=lambda one: one["rows"])
        found |= {"prepare_seconds_per_row": last["seconds"] / last["rows"],
                  "prepare_peak_bytes": float(last["peak_bytes"])}
    return found


def _bootstrap(rows: int = 20_000, resamples: int = 200) -> float:
    """Of one strategy at one seed, with 2,000 resamples as in params.yaml: seconds per test row."""
    from trivium.comparison import bootstrap
    from trivium.tasks.classification import Classification

    task = Classification([str(k) for k in range(CLASSES)])
    draw = np.random.default_rng(0)
    answers = draw.dirichlet(np.ones(CLASSES), rows)
    outcome = task.outcome(answers, draw.integers(CLASSES, size=rows))
    begun = time.perf_counter()
    bootstrap.replicates([[outcome]], [np.arange(rows)], resamples, task.weighted, [task.primary])
    return (time.perf_counter() - begun) / rows * 2_000 / resamples


def _predictions(rows: int = 50_000) -> float:
    from trivium.evaluation import predictions
    from trivium.tasks.classification import Classification

    task = Classification([str(k) for k in range(CLASSES)])
    draw = np.random.default_rng(0)
    stored = draw.dirichlet(np.ones(CLASSES), rows)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "predictions.parquet"
        with predictions.writer(path, task) as add:
            names = [f"{k:09}" for k in range(rows)]
            for start in range(0, rows, predictions.ROWS):
                piece = slice(start, start + predictions.ROWS)
                labels = draw.integers(CLASSES, size=len(names[piece]))
                add(predictions.table(task, 0, names[piece], labels, stored[piece]))
        return path.stat().st_size / rows


def _hash(size: int = 256_000_000) -> float:
    """Bytes per second of what DVC does to every file of an out."""
    from dvc_data.hashfile.hash import file_md5
    from dvc_objects.fs.local import LocalFileSystem

    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "file"
        path.write_bytes(np.random.default_rng(0).bytes(size))
        begun = time.perf_counter()
        file_md5(str(path), LocalFileSystem(), name="md5")
        return size / (time.perf_counter() - begun)


def parts(known: dict[str, float]) -> list[Part]:
    """Of a whole comparison, the part that breaks first on top."""
    features, test = float(ROWS) * STREAMS * BYTES_PER_CELL, ROWS * TEST
    models = STRATEGIES * SEEDS
    units = models + RECIPES * SEEDS
    predicted = test * known["prediction_bytes_per_row"] * models
    lined = test * models * (8 + 4 * CLASSES)  # targets and answers, as `compare` lines them up
    one_unit = ROWS * (1 - TEST) * EPOCHS / known["samples_per_second_of_a_gpu"]
    found = [
        Part("training, a GPU per unit", one_unit * 1.0, None,
             f"{units} units keep {units} of {GPUS:,} GPUs busy. Each must be trained by several: `loop.processes`, on "
             "GPUs, which was not measured."),
        Part("training, all GPUs, nothing lost on the way", one_unit * units / GPUS, None,
             "The least that it can take."),
        Part("features to a node", features / LINK, features,
             "Each unit reads all rows. Its node needs them on a disk, or a reader of shards that streams them."),
        Part("`compare`, the bootstrap", test * models * known["bootstrap_seconds_per_row"], lined,
             "In one process, with all answers in memory. Replaced by sums per shard, since the metrics are sums, and "
             "by a sample of the test rows: 1,000,000 give intervals of 0.1 points."),
        Part("predictions", None, predicted, "A file per strategy."),
        Part("DVC hashes the features", features / known["hash_bytes_per_second"], features,
             "One file after the other. Replaced by shards, each an out of its own, hashed where they are made."),
    ]
    if "prepare_seconds_per_row" in known:
        found.append(Part("ingest to preprocess, one machine", ROWS * known["prepare_seconds_per_row"],
                          known["prepare_peak_bytes"],
                          "Memory stays; time is linear. Replaced by shards on the nodes."))
    return sorted(found, key=lambda part: -(part.seconds or 0))


def table(found: list[Part], known: dict[str, float]) -> str:
    lines = [f"On paper: {ROWS:,} rows of {STREAMS} streams, {STRATEGIES} strategies at {SEEDS} seeds, {EPOCHS} "
             f"epochs, {GPUS:,} GPUs.", "", "| part | time | holds | what then |", "|---|--:|--:|---|"]
    lines += [f"| {one.name} | {_time(one.seconds)} | {_bytes(one.holds)} | {one.words} |" for one in found]
    most = max(found, key=lambda one: (one.holds or 0) if "one process" in one.words.lower() else 0)
    lines += ["", f"**What breaks first:** {most.name}, with {_bytes(most.holds)} in one process. What is slowest: "
              f"{found[0].name}.", "", "Measured constants: " + "; ".join(f"{name.replace('_', ' ')} {value:.3g}"
                                                    for name, value in sorted(known.items())) + ".",
              f"Assumed: {BYTES_PER_CELL:,} bytes a processed cell, and {LINK / 1e9:g} GB/s to a node.", ""]
    return "\n".join(lines)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {name}"
    return f"{seconds:.0f} seconds"


def _bytes(count: float | None) -> str:
    if count is None:
        return "–"
    for size, name in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB")):
        if count >= size:
            return f"{count / size:.1f} {name}"
    return f"{count / 1e6:.0f} MB"


def main(say: Callable[[Any], None] = print) -> None:
    known = constants()
    text = table(parts(known), known)
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    PAGE.write_text(before + MARKS[0] + text + MARKS[1] + after, encoding="utf-8")
    say(text)


if __name__ == "__main__":
    main()
