"""Five small data sets of different sorts, each a project of its own with the settings of a quick first try."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"seeds": 2, "budget.epochs": 3}
SILENT = {"compare.latency": False}
SMALL = SILENT | {"evaluate.batch": 16}  # gradients of large encoders take memory
FOUR = ("end_to_end", "supervised_frozen", "published_linear", "reference")


@dataclass(frozen=True)
class Kind:
    """words: for people.  write: makes `mine/` in a project, with what is imported; None: the data of params.yaml.
    changes: of params.yaml, besides `QUICK`.  keep: entries of `train`, with the recipes that they start from; empty:
    all of them.
    """

    words: str
    write: Callable[[Path], str] | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    keep: tuple[str, ...] = ()


def table(folder: Path) -> str:
    """569 rows of 30 numbers, two classes: scikit-learn's breast cancer data."""
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    names = [name.replace(" ", "_") for name in found.feature_names]
    return _csv(folder, ["id", "label", *names],
                [[f"r{k}", found.target_names[y], *x] for k, (x, y) in enumerate(zip(found.data, found.target,
                                                                                      strict=True))])


def numbers(folder: Path) -> str:
    """442 rows of 10 numbers, and one to predict: scikit-learn's diabetes data."""
    from sklearn.datasets import load_diabetes

    found = load_diabetes()
    return _csv(folder, ["id", "label", *found.feature_names],
                [[f"r{k}", y, *x] for k, (x, y) in enumerate(zip(found.data, found.target, strict=True))])


def texts(folder: Path) -> str:
    """600 made texts of 150 to 450 words, four classes that prefer some words."""
    rng, rows = np.random.default_rng(0), []
    letters = list("abcdefghijklmnopqrstuvwxyz")
    words = np.array(["".join(rng.choice(letters, rng.integers(2, 10))) for _ in range(4000)])
    often = 1 / np.arange(1, len(words) + 1)
    for k in range(600):
        prefers = np.where(np.arange(len(words)) % 4 == k % 4, 1.5, 1.0) * often
        said = rng.choice(words, rng.integers(150, 451), p=prefers / prefers.sum())
        rows.append([f"t{k}", f"class {k % 4}", " ".join(said)])
    return _csv(folder, ["id", "label", "text"], rows)


def pictures(folder: Path) -> str:
    """400 handwritten digits of scikit-learn, 8 x 8 pixels, as pictures of 96 x 96."""
    from PIL import Image
    from sklearn.datasets import load_digits

    found, rows = load_digits(), []
    for k, (x, y) in enumerate(zip(found.images[:400], found.target[:400], strict=True)):
        (folder / "img").mkdir(parents=True, exist_ok=True)
        Image.fromarray((255 - x * 15.9).astype(np.uint8)).resize((96, 96)).convert("RGB").save(folder / f"img/{k}.png")
        rows.append([f"p{k}", f"digit {y}", f"img/{k}.png"])
    return _csv(folder, ["id", "label", "photo"], rows)


SETS = {
    "digits": Kind("handwriting, speech and words, 1,500 rows, answers timed"),
    "table": Kind("a table of 569 rows", table, SILENT, FOUR),
    "texts": Kind("600 long texts", texts, SMALL, FOUR),
    "pictures": Kind("400 pictures, a published encoder", pictures, SMALL, FOUR),
    "numbers": Kind("442 rows, a number to predict, answers timed", numbers),
}


def _csv(folder: Path, head: list[str], rows: list[list[Any]]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
    return "mine/rows.csv"


def project(kind: Kind, home: Path) -> None:
    """A copy of this project in the empty folder `home`, with the data and the settings of `kind`."""
    from benchmarks.stages import copy

    shutil.rmtree(home, ignore_errors=True)
    copy(home)
    if kind.write:
        subprocess.run([sys.executable, "-m", "trivium.cli", "import", kind.write(home / "mine")], cwd=home, check=True,
                       env=environment(home), stdout=subprocess.DEVNULL)
    change(home, QUICK | dict(kind.changes), kind.keep)


def change(home: Path, changes: Mapping[str, Any], keep: tuple[str, ...]) -> None:
    """changes: of params.yaml, by dotted key.  keep: see `Kind`."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 10_000
    params = yaml.load(home / "params.yaml")
    for key, value in changes.items():
        *path, last = key.split(".")
        place = params
        for name in path:
            place = place[name]
        place[last] = value
    for name in [name for name in params["train"] if keep and name not in keep]:
        del params["train"][name]
    used = {entry["start"] for entry in params["train"].values()}
    for name in [name for name in params["pretrain"] if name not in used]:
        del params["pretrain"][name]
    yaml.dump(params, home / "params.yaml")


def environment(home: Path) -> dict[str, str]:
    binaries = Path(sys.executable).parent
    return os.environ | {"PYTHONPATH": str(home / "src"), "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
