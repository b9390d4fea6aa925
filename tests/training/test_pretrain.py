"""Pretraining: which rows it may read, and that all streams together cost what the recipe may spend."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pytest import MonkeyPatch
from torch.nn.functional import cross_entropy

from tests.helpers import digests
from tests.training import tiny
from trivium import models
from trivium.data.store import Store
from trivium.data.tables import read_json, write_json
from trivium.models.network import Unimodal
from trivium.training import components, pretrain, records
from trivium.training.recipes import Group, Recipe

PER_SAMPLE = {"text": tiny.TEXT + tiny.HEAD, "image": tiny.IMAGE + tiny.HEAD, "audio": tiny.AUDIO + tiny.HEAD}


def group(recipe: Recipe, stream: str) -> Group:
    return next(one for one in recipe.groups if stream in one.streams)


def unit(folder: Path, recipe: Recipe, stream: str, **loop: Any) -> records.Unit:
    """The record of one stream at seed 0, with other settings of the loop; its component is below `folder`."""
    settings = tiny.LOOP.model_copy(update=loop)
    one = pretrain.Unit(recipe, group(recipe, stream), 0, settings, tiny.BUDGET)
    folder.mkdir()
    return pretrain._work(one, folder, lambda *_: None)


def published(folder: Path, monkeypatch: MonkeyPatch, recipe: str) -> dict[str, str]:
    """A project whose `recipe` reads images with a small vision transformer from a folder; what reads each stream."""
    from transformers import ViTConfig, ViTModel

    from trivium.encoders import describe

    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    ViTModel(ViTConfig(image_size=8, patch_size=4, **small)).save_pretrained(folder / "vit")
    write_json({"size": 8, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}, folder / "vit/preprocessor_config.json")
    entries = tiny.ENCODERS | {"vit": describe("vit", {"modality": "image", "weights": str(folder / "vit")})}
    reads = tiny.READ_BY | {"image": "vit"}
    tiny.project(folder, monkeypatch, reads={recipe: reads}, encoders=entries)
    return reads


def test_all_streams_get_the_same_epochs_of_the_recipes_share(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """12 samples, 9 of them with sound; 90 % of the budget is 9.903 epochs: 29, 29 and 22 steps of four samples."""
    tiny.project(tmp_path, monkeypatch)
    found = {unit["streams"][0]: unit for unit in tiny.pretrained(tiny.recipe("supervised"))}
    assert {s: one["samples"] for s, one in found.items()} == {"text": 12, "image": 12, "audio": 9}
    assert {s: one["history"][-1]["step"] for s, one in found.items()} == {"text": 29, "image": 29, "audio": 22}
    assert {s: one["epochs"] for s, one in found.items()} == {"text": 9.667, "image": 9.667, "audio": 9.778}
    assert {s: one["flops"] for s, one in found.items()} == {
        "text": 4 * 29 * PER_SAMPLE["text"], "image": 4 * 29 * PER_SAMPLE["image"],
        "audio": 4 * 22 * PER_SAMPLE["audio"]}
    assert components.charged("supervised", 0) == 37_560_320 <= 0.9 * tiny.BUDGET


def test_without_labels_the_share_is_kept_as_well(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    found = tiny.pretrained(tiny.recipe("selfsup"))
    step = max(one["flops"] / one["history"][-1]["step"] for one in found)  # each stream may miss one
    assert 0.5 * tiny.BUDGET - 3 * step < sum(one["flops"] for one in found) <= 0.5 * tiny.BUDGET
    assert {one["objective"] for one in found} == {"masked"}
    assert all(set(one["validation"]) == {"loss"} for one in found)


def test_streams_without_an_objective_cost_nothing_and_leave_their_share_to_the_others(
        tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """Half of the budget is 21,331,200, which pays for 191 steps on text, 4 samples of 27,840 each."""
    tiny.project(tmp_path, monkeypatch)
    records = tiny.pretrained(tiny.recipe("selfsup", objective={"text": "supervised"}))
    found = {one["streams"][0]: one for one in records}
    assert found["text"]["flops"] == 4 * 191 * 27_840 and found["text"]["history"][-1]["step"] == 191
    assert found["image"] == {
        "streams": ["image"], "seed": 0, "flops": 0.0, "epochs": 0.0, "samples": 0, "validation": {}, "history": [],
        "objective": None, "parameters": found["image"]["parameters"]}
    assert isinstance(components.load("selfsup", "text", 0), Unimodal)
    random = models.encoder(Store("selfsup").encoders["image"], Store("selfsup").specs["image"], 0)
    for key, value in components.load("selfsup", "image", 0).state_dict().items():
        assert torch.equal(value, random.state_dict()[key])


def test_random_weights_are_those_of_the_seed(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    records = tiny.pretrained(tiny.recipe("scratch"), seeds=2)
    assert [(one["streams"], one["seed"]) for one in records] == [
        (["text"], 0), (["text"], 1), (["image"], 0), (["image"], 1), (["audio"], 0), (["audio"], 1)]
    assert components.charged("scratch", 0) == components.charged("scratch", 1) == 0
    store = Store("scratch")
    for seed in range(2):
        start = models.encoder(store.encoders["image"], store.specs["image"], seed).state_dict()
        found = components.encoder("scratch", "image", seed).state_dict()
        assert all(torch.equal(found[key], value) for key, value in start.items())


def test_without_labels_more_rows_are_read_and_paid_for(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """Rows 0-3 have no label, row 3 no sound either, nor have rows 7 and 11."""
    tiny.project(tmp_path, monkeypatch, unlabelled=4)
    store, recipes = Store("supervised"), {name: tiny.recipe(name) for name in ("supervised", "selfsup")}
    assert pretrain._rows(store, group(recipes["supervised"], "audio"), 0).tolist() == [4, 5, 6, 8, 9, 10]
    assert pretrain._rows(store, group(recipes["selfsup"], "audio"), 0).tolist() == [4, 5, 6, 8, 9, 10, 0, 1, 2]
    read: list[int] = []
    batch = Store.batch
    monkeypatch.setattr(Store, "batch", lambda store, rows, *more: (read.extend(rows), batch(store, rows, *more))[1])
    for name, train in (("supervised", range(4, 12)), ("selfsup", range(12))):
        read.clear()
        record = unit(tmp_path / name, recipes[name], "audio")
        assert sorted(set(read)) == [*train, *range(12, 18)]
        assert record.samples == {"supervised": 6, "selfsup": 9}[name]


def test_weights_are_those_that_validation_prefers(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    store, record = Store("supervised"), unit(tmp_path / "unit", tiny.recipe("supervised"), "audio")
    val = store.rows(0, "val")
    batch = store.batch(val[store.has("audio")[val]], 0)
    assert len(batch) == 5
    found = models.load(tmp_path / "unit/audio")(batch.inputs["audio"])
    assert cross_entropy(found, batch.y).item() == pytest.approx(record.validation.nll, rel=1e-5)
    assert record.validation.nll == min(row.val_nll for row in record.history)


def test_recipe_and_settings_are_heeded(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    recipe = tiny.recipe("supervised")
    first = unit(tmp_path / "first", recipe, "image").history
    assert unit(tmp_path / "again", recipe, "image").history == first
    others = {"lr": unit(tmp_path / "lr", tiny.recipe("supervised", lr=1e-4), "image"),
              "augment": unit(tmp_path / "augment", recipe, "image", augment=True)}
    for name, other in others.items():
        assert other.history[0] == first[0] and other.history[1] != first[1], name


def test_the_encoder_starts_as_in_end_to_end_training(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    task = pretrain._objective(Store("supervised"), group(tiny.recipe("supervised"), "image"), 1)
    tiny.pretrained(tiny.recipe("scratch"), seeds=2)
    for name, value in components.encoder("scratch", "image", 1).state_dict().items():
        assert torch.equal(task.encoder.state_dict()[name], value)


def test_what_the_budget_does_not_pay_one_epoch_of_is_not_begun(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """One epoch of all streams costs 3,877,056, and 90 % of the budget must pay for it."""
    tiny.project(tmp_path, monkeypatch)
    one = 3_877_056
    assert tiny.pretrained(tiny.recipe("supervised"), limit=one) == []
    lacking = components.told("supervised").skipped
    assert lacking is not None and lacking.budget == one and lacking.needed == pytest.approx(4_307_840)
    assert digests(tmp_path, "models/pretrain").keys() == {"models/pretrain/supervised/training.json"}
    assert len(tiny.pretrained(tiny.recipe("supervised"), limit=4_307_841)) == 3
    assert components.told("supervised").skipped is None


def test_published_weights_are_read_once_for_all_seeds_and_keep_their_vectors(
        tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """Image weights from a folder: no seed in them, so one component, with the vectors of every sample that has one."""
    reads = published(tmp_path, monkeypatch, "published")
    records = tiny.pretrained(tiny.recipe("published", reads), seeds=2)
    assert [(one["streams"][0], one["seed"]) for one in records] == [
        ("text", 0), ("text", 1), ("image", None), ("audio", 0), ("audio", 1)]
    assert {path.name for path in Path("models/pretrain/published/image").iterdir()} == {"all"}
    kept, store = components.kept("published", "image", 1), Store("published")
    assert kept is not None and components.kept("published", "text", 1) is None
    everything = store.batch(range(24), 1, ["image"])  # type: ignore[arg-type]
    torch.testing.assert_close(kept.take(torch.arange(24).numpy()),
                               components.encoder("published", "image", 1)(everything.inputs["image"]))
    # 4 patches of 48 numbers, 5 tokens of 16 through one layer: 4 projections, two of the perceptron, and attention;
    # the pooler, which nobody asks for, is run as well
    assert set(kept.flops) == {2 * (4 * 48 * 16 + 5 * 4 * 16 * 16 + 5 * 2 * 16 * 16) + 4 * 5 * 5 * 16 + 2 * 16 * 16}
    assert components.apart("published", store.streams) == {"image": "published/image/all"}
    assert read_json("models/pretrain/published/training.json")["objectives"] == []


def test_published_weights_go_on_learning_at_a_rate_of_their_own(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """Domain-adaptive pretraining: at a rate of next to nothing they stay as they were, whatever `lr` is."""
    reads = published(tmp_path, monkeypatch, "adapted")
    store = Store("adapted")
    before = models.encoder(store.encoders["image"], store.specs["image"], 0).state_dict()
    largest = []
    for rate in (1e-12, 3e-3):
        recipe = tiny.recipe("adapted", reads, objective={"image": "masked", "text": "masked"}, published_lr=rate)
        found = tiny.pretrained(recipe)
        assert [one["objective"] for one in found] == ["masked", "masked", None]
        after = components.encoder("adapted", "image", 0).state_dict()
        largest.append(max((after[key] - value).abs().max().item() for key, value in before.items()))
        drawn = models.encoder(store.encoders["text"], store.specs["text"], 0).state_dict()
        text = components.encoder("adapted", "text", 0).state_dict()
        assert max((text[key] - value).abs().max().item() for key, value in drawn.items()) > 1e-3
    assert largest[0] < 1e-7 < 1e-3 < largest[1]
