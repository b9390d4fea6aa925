"""Features of 24 samples and settings to train on them in a second, for what decides who may spend what on which rows.

12 samples train, 6 validate, 6 test; every fourth has no sound (see tests/tiny_media.py). What a sample costs by hand,
in FLOPs of a forward pass at width 16 and depth 1:

    text    16 -> 16 channels, 3 wide, 6 tokens                                    9,216
    image   patches of 12 numbers -> 16, 16 of them; 16 -> 16 channels, 3 x 3      6,144 + 73,728
    audio   patches of 8 numbers -> 16, 16 of them; 16 -> 16 channels, 3 wide      4,096 + 24,576
    concat  48 -> 32 -> 16, and the head, 16 -> 2 classes                          3,072 + 1,024 + 64

Trained, each layer costs three times that, and twice where it reads the input itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from pytest import MonkeyPatch

from tests.helpers import ROOT
from tests.tiny_media import MODALITIES, SETTINGS, write_aligned
from trivium.config import Config, load
from trivium.data import features, tables

TEXT, IMAGE, AUDIO = 3 * 9_216, 2 * 6_144 + 3 * 73_728, 2 * 4_096 + 3 * 24_576
TOP, ENCODE = 3 * (3_072 + 1_024 + 64), 9_216 + 6_144 + 73_728 + 4_096 + 24_576
HEAD = 3 * 64  # of one modality alone
ALL = TEXT + IMAGE + AUDIO + TOP


def project(folder: Path, monkeypatch: MonkeyPatch, unlabelled: int = 0, **changes: Any) -> Config:
    """Features in `folder`, which becomes the working directory, and settings; `changes`: of `train`.

    unlabelled: that many of the 12 train samples of seed 0 have no label.
    """
    write_aligned(folder)
    if unlabelled:
        drawn = tables.read(folder / "splits/splits.parquet").to_pydict()
        drawn["seed_0"][:unlabelled] = ["unlabelled"] * unlabelled
        tables.write(pa.table(drawn), folder / "splits/splits.parquet")
    (folder / "data/features").mkdir(parents=True)
    features.write(folder / "aligned", folder / "splits", folder / "data/features", MODALITIES, SETTINGS, 2, workers=1)
    monkeypatch.chdir(folder)
    config = load(ROOT / "params.yaml")
    train = {"batch": 4, "evaluations": 3, "device": "cpu", "workers": 1, "augment": False} | changes
    return config.model_copy(update={
        "seeds": 2, "encoder": config.encoder.model_copy(update={"width": 16, "depth": 1}),
        "budget": config.budget.model_copy(update={"epochs": 10}), "train": config.train.model_copy(update=train)})
