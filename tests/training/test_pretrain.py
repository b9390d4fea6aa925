"""Pretraining: which rows it may read, and that all modalities together cost what the recipe may spend."""

from pathlib import Path

import pytest
import torch
from pytest import MonkeyPatch
from torch.nn.functional import cross_entropy

from tests.training import tiny
from trivium import models
from trivium.config import Config
from trivium.data.store import Store
from trivium.training import pretrain

PER_SAMPLE = {"text": tiny.TEXT + tiny.HEAD, "image": tiny.IMAGE + tiny.HEAD, "audio": tiny.AUDIO + tiny.HEAD}


def run(config: Config, folder: Path, modality: str, recipe: str) -> dict:
    return pretrain._unit(config, (modality, recipe, 0), folder / "unit", lambda *_: None)


def test_all_modalities_get_the_same_epochs_of_the_recipes_share(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """12 samples, 9 of them with sound; 90 % of 10 epochs end to end."""
    config = tiny.project(tmp_path, monkeypatch)
    per_epoch = 12 * PER_SAMPLE["text"] + 12 * PER_SAMPLE["image"] + 9 * PER_SAMPLE["audio"]
    epochs, per_sample = pretrain.epochs(config, Store(), "supervised", 0)
    assert per_sample == PER_SAMPLE
    assert epochs == pytest.approx(0.9 * 10 * 12 * tiny.ALL / per_epoch)
    # 9.903 epochs are 29, 29 and 22 steps of four samples
    assert pretrain.charged(config, Store(), "supervised", 0) == 4 * (
        29 * PER_SAMPLE["text"] + 29 * PER_SAMPLE["image"] + 22 * PER_SAMPLE["audio"]) <= 0.9 * 10 * 12 * tiny.ALL


def test_what_a_unit_spends_is_what_is_charged(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    config = tiny.project(tmp_path, monkeypatch)
    for recipe in ("supervised_half", "selfsup"):
        spent = [run(config, tmp_path / recipe / m, m, recipe)["flops"] for m in PER_SAMPLE]
        assert sum(spent) == pretrain.charged(config, Store(), recipe, 0)


def test_without_labels_more_rows_are_read_and_paid_for(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """Rows 0-3 have no label, row 3 no sound either, nor have rows 7 and 11."""
    config, store = tiny.project(tmp_path, monkeypatch, unlabelled=4), Store()
    assert pretrain._rows(config, store, "audio", "supervised", 0).tolist() == [4, 5, 6, 8, 9, 10]
    assert pretrain._rows(config, store, "audio", "selfsup", 0).tolist() == [4, 5, 6, 8, 9, 10, 0, 1, 2]
    read: list[int] = []
    batch = Store.batch
    monkeypatch.setattr(Store, "batch", lambda store, rows, *more: (read.extend(rows), batch(store, rows, *more))[1])
    for recipe, train in (("supervised", range(4, 12)), ("selfsup", range(12))):
        read.clear()
        record = run(config, tmp_path / recipe, "audio", recipe)
        assert sorted(set(read)) == [*train, *range(12, 18)]
        assert record["samples"] == {"supervised": 6, "selfsup": 9}[recipe]


def test_weights_are_those_that_validation_prefers(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    config, store = tiny.project(tmp_path, monkeypatch), Store()
    record = run(config, tmp_path, "audio", "supervised")
    val = store.rows(0, "val")
    batch = store.batch(val[store.has("audio")[val]], 0)
    assert len(batch) == 5
    found = models.load(tmp_path / "unit/model")(batch.inputs["audio"])
    assert cross_entropy(found, batch.y).item() == pytest.approx(record["validation"]["nll"], rel=1e-5)
    assert record["validation"]["nll"] == min(row["val_nll"] for row in record["history"])


def test_recipe_and_settings_are_heeded(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    config = tiny.project(tmp_path, monkeypatch)
    slower = config.pretrain["supervised"].model_copy(update={"lr": 1e-4})
    others = {"lr": {"pretrain": config.pretrain | {"supervised": slower}},
              "augment": {"train": config.train.model_copy(update={"augment": True})}}
    first = run(config, tmp_path / "first", "image", "supervised")["history"]
    assert run(config, tmp_path / "again", "image", "supervised")["history"] == first
    for name, change in others.items():
        other = run(config.model_copy(update=change), tmp_path / name, "image", "supervised")["history"]
        assert other[0] == first[0] and other[1] != first[1], name


def test_the_encoder_starts_as_in_end_to_end_training(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    config, store = tiny.project(tmp_path, monkeypatch), Store()
    task = pretrain._task(config, store, "image", "supervised", 1)
    joint = models.multimodal(config.encoder.model_dump(), store.specs, 2, "concat", 1)
    for name, value in joint.encoders["image"].state_dict().items():
        assert torch.equal(task.encoder.state_dict()[name], value)
