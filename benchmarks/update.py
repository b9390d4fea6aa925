"""What updating a model with new rows gives and forgets, where the answer is known: the tables of docs/updating.md.

    PYTHONPATH=src .venv/bin/python -m benchmarks.update          measures, about 4 minutes on one core
    PYTHONPATH=src .venv/bin/python -m benchmarks.update page     fills the page from what was measured

Symbols of the world *redundant*, text and image alone, and an end-to-end model. `classes`: the model knows three
classes, and the new rows are all of a fourth one. `domain`: the classes are the same, and the new rows have negatives
of the pictures and other keywords in their texts. All settings of `trivium update` are its defaults: none is tuned.
Writes benchmarks/results/update.json, with the machine's description.
"""

from __future__ import annotations

import contextlib
import csv
import io
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import parts
from trivium.comparison.updates import LEAVE, Update
from trivium.data import tables
from trivium.data.settings import Symbols
from trivium.data.sources import symbols
from trivium.drawing import numbers
from trivium.experiments.ways import WAYS
from trivium.tasks.metric import Metric

ROOT = Path(__file__).resolve().parent.parent
RESULTS, PAGE = ROOT / "benchmarks/results/update.json", ROOT / "docs/updating.md"
STREAMS = ("text", "image")
SETTINGS: dict[str, Any] = {"seeds": 3, "budget.epochs": 20, "loop.device": "cpu", "loop.workers": 1,
                            "data.source": "manifest"}
ROWS, FURTHER = 1200, 300  # of the data that the model knows, and of those that come
CASES = {"classes": "a new class", "domain": "another domain"}


def project(folder: Path, case: str, rows: int = ROWS, further: int = FURTHER, **changes: Any) -> Path:
    """A project in `folder`, through `train`, of one end-to-end model; returns the manifest of the rows that come.

    changes: of params.yaml, dots written as two underscores.
    """
    from trivium.params import load

    known = _written(folder / "mine", rows, 0, ["0", "1", "2"] if case == "classes" else None)
    new = _written(folder / "later", further, 1, ["3"] if case == "classes" else None, negative=case == "domain")
    _params(folder, {**SETTINGS, "data.manifest.path": str(known), "data.watch": str(known),
                     **{key.replace("__", "."): value for key, value in changes.items()}})
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        params = load()
        from pipeline import align, budget, ingest, preprocess, pretrain, split, train, validate

        for stage in (ingest, validate, align, split, preprocess, budget):
            stage.main(params)
        pretrain.main(params, "scratch")
        train.main(params, "end_to_end")
    return new


def _params(folder: Path, values: Mapping[str, Any]) -> None:
    from ruamel.yaml import YAML

    yaml = YAML()
    params = yaml.load(ROOT / "params.yaml")
    params["data"]["streams"] = {s: {"modality": s} for s in STREAMS}
    params["pretrain"] = {"scratch": {"encoders": {"text": "words", "image": "patches"}}}
    params["train"] = {"end_to_end": params["train"]["end_to_end"]}
    params["compare"]["reference"] = ""
    for name in ("words", "patches"):
        params["encoder"][name] |= {"width": 32, "depth": 1}
    params["encoder"]["patches"]["processor"]["size"] = 12
    for dotted, value in values.items():
        *sections, key = dotted.split(".")
        section = params
        for name in sections:
            section = section[name]
        section[key] = value
    yaml.dump(params, folder / "params.yaml")


def _written(folder: Path, rows: int, seed: int, classes: list[str] | None, negative: bool = False) -> Path:
    """A manifest of `rows` symbols of these classes, all of them by default."""
    from PIL import Image, ImageOps

    symbols.write(folder, Symbols(world="redundant", samples=max(200, 4 * rows if classes else rows)), seed, STREAMS)
    read = {name: tables.read(folder / f"{name}.parquet").to_pylist() for name in ("labels", *STREAMS)}
    values = {s: {row["key"]: row["value"] for row in read[s]} for s in STREAMS}
    chosen = [row for row in read["labels"] if not classes or row["label"] in classes]
    manifest = folder.parent / f"{folder.name}.csv"
    with manifest.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["id", "label", *STREAMS])
        for row in chosen[:rows]:
            text, image = values["text"][row["key"]], folder / values["image"][row["key"]]
            if negative:
                text = text.replace("k", "q")
                ImageOps.invert(Image.open(image)).save(image)
            table.writerow([f"{folder.name}{row['sample']}", row["label"], text, image.relative_to(folder.parent)])
    return manifest


def measure() -> dict[str, Any]:
    from trivium.experiments.update import update
    from trivium.experiments.ways import Settings

    found = {}
    for case in CASES:
        with TemporaryDirectory() as scratch:
            folder = Path(scratch)
            manifest = project(folder, case)
            with contextlib.redirect_stdout(io.StringIO()):
                made = update(folder, manifest, Settings(strategy="end_to_end"))
            found[case] = made.plain()
            print(case, made.sentence, made.reason, flush=True)
            shutil.rmtree(folder / "mlruns")
    return {"cases": found}


def table(found: Mapping[str, Any]) -> str:
    """A line for each way."""
    made = Update.model_validate(found)
    metric = Metric.of(made.metric)
    lines = ["| way | old rows | new rows | both | forgetting | FLOPs | saved |", "|---|---|---|---|---|---|---|"]
    for name, way in sorted(made.ways.items(), key=lambda one: [LEAVE, *WAYS].index(one[0])):
        title = f"**{way.title}**" if name == made.chosen else way.title
        cells = [f"{metric.number(one.mean)} ({metric.number(one.low)} to {metric.number(one.high)})"
                 for one in (way.old, way.new, way.both, way.forgetting)]
        cost = numbers.flops(way.flops), numbers.percent(way.saved, 0)
        lines.append(f"| {' | '.join([title, *cells, *cost])} |")
    return "\n".join([*lines, "", f"{made.sentence} {made.reason}"])


def filled(page: str, found: Mapping[str, Any]) -> str:
    """`page` with the tables in their places."""
    return parts.filled(page, "benchmarks.update", {case: table(found["cases"][case]) for case in CASES})


def main(words: list[str]) -> None:
    found = parts.measured(words, RESULTS, measure)
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
