"""Features of 24 samples and recipes to train on them in a second, for what decides who may spend what on which rows.

12 samples train, 6 validate, 6 test; every fourth has no sound (see tests/tiny_media.py). What a sample costs by hand,
in FLOPs of a forward pass at width 16 and depth 1:

    text    16 -> 16 channels, 3 wide, 6 tokens                                    9,216
    image   patches of 12 numbers -> 16, 16 of them; 16 -> 16 channels, 3 x 3      6,144 + 73,728
    audio   patches of 8 numbers -> 16, 16 of them; 16 -> 16 channels, 3 wide      4,096 + 24,576
    concat  48 -> 32 -> 16, and the head, 16 -> 2 classes                          3,072 + 1,024 + 64

Trained, each layer costs three times that, and twice where it reads the input itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pytest import MonkeyPatch

from tests.tiny_media import ENCODERS, READ_BY, write_aligned, write_features
from trivium.data import tables
from trivium.encoders import Described
from trivium.training import pretrain, recipes
from trivium.training.recipes import Recipe
from trivium.training.settings import Loop

TEXT, IMAGE, AUDIO = 3 * 9_216, 2 * 6_144 + 3 * 73_728, 2 * 4_096 + 3 * 24_576
TOP, ENCODE = 3 * (3_072 + 1_024 + 64), 9_216 + 6_144 + 73_728 + 4_096 + 24_576
HEAD = 3 * 64  # of one stream alone
ALL = TEXT + IMAGE + AUDIO + TOP
BUDGET = 10 * 12 * ALL  # ten epochs end to end: 42,662,400

LOOP = Loop(batch=4, weight_decay=0.05, warmup=0.1, clip=1.0, evaluations=3, augment=False, device="cpu", workers=1)
PRETRAIN: dict[str, dict[str, Any]] = {  # as in params.yaml
    "scratch": {},
    "supervised": {"objective": "supervised", "share": 0.9},
    "supervised_half": {"objective": "supervised", "share": 0.5},
    "selfsup": {"objective": {"name": "masked", "mask": 0.5}, "share": 0.5},
}
STREAMS = {m: m for m in READ_BY}


def project(folder: Path, monkeypatch: MonkeyPatch, unlabelled: int = 0,
            reads: Mapping[str, Mapping[str, str]] | None = None, encoders: Mapping[str, Described] = ENCODERS) -> None:
    """Features in `folder`, which becomes the working directory, for the recipes of `PRETRAIN`.

    unlabelled: that many of the 12 train samples of seed 0 have no label.  reads: other recipes, stream -> encoder.
    """
    write_aligned(folder)
    if unlabelled:
        drawn = tables.read(folder / "splits/splits.parquet").to_pydict()
        drawn["seed_0"][:unlabelled] = ["unlabelled"] * unlabelled
        tables.write(pa.table(drawn), folder / "splits/splits.parquet")
    write_features(folder, reads or dict.fromkeys(PRETRAIN, READ_BY), encoders)
    monkeypatch.chdir(folder)


def recipe(name: str, read_by: Mapping[str, str] = READ_BY, **changes: Any) -> Recipe:
    """One of `PRETRAIN`; `changes`: of its entry."""
    raw = {"encoders": dict(read_by)} | PRETRAIN.get(name, {}) | changes
    return recipes.recipe(name, raw, STREAMS, list(read_by.values()))


def pretrained(one: Recipe, loop: Loop = LOOP, seeds: int = 1, limit: float = BUDGET) -> list[dict[str, Any]]:
    """Run the recipe where strategies look for it. Returns its records, a unit each."""
    out = Path("models/pretrain") / one.name
    shutil.rmtree(out, ignore_errors=True)  # as a stage begins
    pretrain.pretrain(one, loop, [limit] * seeds, out)
    return tables.read_json(out / "training.json")["units"]
