"""Data that nothing can be learned from, and settings that nothing can be learned with: a sound model or a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pytest import MonkeyPatch
from safetensors.numpy import load_file

from tests.tiny_media import ENCODERS, READ_BY, row, write_aligned, write_features
from tests.training import tiny
from trivium import strategies
from trivium.data import tables
from trivium.settings.errors import UserError
from trivium.tasks.classification import Classification
from trivium.training import strategy
from trivium.training.settings import Loop

Rows = list[dict[str, Any]]


def constant(rows: Rows) -> None:
    """One token, all pixels equal, silence."""
    for one in rows:
        one |= {"text": "same", "image": np.full((8, 8, 3), 77, np.uint8), "audio": np.zeros(128)}


def empty(rows: Rows) -> None:
    """Two batches of train rows have no stream at all."""
    for one in rows[:8]:
        one |= dict.fromkeys(("text", "image", "audio"))


def single(rows: Rows) -> None:
    """A class has one row, which trains: see `world`."""


def world(folder: Path, monkeypatch: MonkeyPatch, change: Callable[[Rows], None]) -> None:
    rows = [row(i) for i in range(24)]
    change(rows)
    write_aligned(folder, rows)
    if change is single:
        path = folder / "aligned/samples.parquet"
        table = tables.read(path)
        y = pa.array([2 if i == 3 else i % 2 for i in range(24)], pa.int32())
        tables.write(table.set_column(table.column_names.index("y"), "y", y), path)
        meta = tables.read_json(folder / "aligned/meta.json")
        tables.write_json(meta | {"task": Classification(["a", "b", "c"]).plain()}, folder / "aligned/meta.json")
    write_features(folder, dict.fromkeys(("scratch", "supervised"), READ_BY), ENCODERS)
    monkeypatch.chdir(folder)


def not_finite(folder: Path) -> list[str]:
    numbers = [f"{file}: {name}" for file in folder.rglob("*.safetensors") for name, weight in load_file(file).items()
               if weight.dtype.kind == "f" and not np.isfinite(weight).all()]
    texts = [str(file) for file in folder.rglob("*.json") if {"NaN", "Infinity"} & set(
        file.read_text().replace(",", " ").split())]
    return numbers + texts


@pytest.mark.slow
@pytest.mark.parametrize("change", [constant, empty, single])
def test_odd_data_trains_soundly(tmp_path: Path, monkeypatch: MonkeyPatch, change: Callable[[Rows], None]) -> None:
    world(tmp_path, monkeypatch, change)
    for recipe in ("scratch", "supervised"):
        tiny.pretrained(tiny.recipe(recipe))
    for name, start in (("joint", "scratch"), ("linear", "supervised"), ("ensemble", "supervised")):
        entry = strategies.entry(name, {"start": start, "strategy": name})
        strategy.train(entry, tiny.LOOP, [2 * tiny.BUDGET], Path("models") / name)
        seed = tables.read_json(f"models/{name}/training.json")["seeds"][0]
        assert not any("bad" in one for one in seed["history"])
        if change is constant:  # as good as one that knows nothing, and not worse
            assert seed["validation"]["nll"] == pytest.approx(np.log(2), abs=1e-3)
    assert len(list(Path("models").rglob("model.safetensors"))) == 9
    assert not_finite(Path("models")) == []


@pytest.mark.slow
def test_an_absurd_learning_rate_ends_with_a_sentence(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    world(tmp_path, monkeypatch, single)
    tiny.pretrained(tiny.recipe("scratch"))
    entry = strategies.entry("mine", {"start": "scratch", "strategy": "joint", "lr": 1e6})
    with pytest.raises(UserError) as error:
        strategy.train(entry, tiny.LOOP, [2 * tiny.BUDGET], Path("models/mine"))
    assert str(error.value).startswith("`mine`, phase `joint`, seed 0: ")
    assert str(error.value).endswith("look at these rows, or lower the learning rate in params.yaml.")


def test_more_mixup_than_there_is_is_refused() -> None:
    with pytest.raises(ValueError, match="less than or equal to 1"):
        Loop.model_validate(tiny.LOOP.model_dump() | {"mixup": 1.5})
