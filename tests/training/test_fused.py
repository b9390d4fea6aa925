"""Fused strategies: one budget for all, to the FLOP, and nothing moves, or is read, that the plan does not say."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytest import MonkeyPatch
from torch import nn
from torch.nn.functional import nll_loss

from tests.training import tiny
from trivium import models
from trivium.config import Config
from trivium.data.store import Batch, Store
from trivium.machine import device
from trivium.models.calibration import calibrated_nll, temperature
from trivium.strategies.base import ALL, TOP, Phase, Plan
from trivium.training import fused, pretrain
from trivium.training.feed import Feed
from trivium.training.loop import Schedule, fit

BUDGET = 10 * 12 * tiny.ALL
JOINT = Plan("fusion", None, "concat", (Phase("joint", 1.0, 0.003),))


def components(config: Config, recipe: str, seed: int = 0) -> None:
    """Encoders of `recipe`, where strategies look for them."""
    for m in ("text", "image", "audio"):
        pretrain._unit(config, (m, recipe, seed), Path("scratch") / m, lambda *_: None)
        shutil.copytree(Path("scratch") / m / "model", Path("models/pretrain") / m / recipe / f"seed_{seed}")


def train(config: Config, plan: Plan, name: str = "one", seed: int = 0) -> tuple[dict[str, Any], nn.Module]:
    record = fused.train(config, plan, seed, Path(name), lambda *_: None)
    return record, models.load(f"{name}/model")


def validation(model: nn.Module, seed: int, scale: float) -> float:
    """NLL on the validation samples at a temperature of `scale`."""
    store = Store()
    batch = store.batch(store.rows(seed, "val"), seed)
    model.eval().temperature.fill_(scale)
    return nll_loss(model(batch.inputs, batch.present), batch.y).item()


def test_end_to_end_spends_the_budget(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    record, model = train(tiny.project(tmp_path, monkeypatch), JOINT)
    assert record["history"][-1]["step"] == 30
    assert record["flops"] == {"budget": BUDGET, "pretrain": 0.0, "train": BUDGET, "total": BUDGET, "analytic": BUDGET}
    assert record["history"][-1]["flops"] == BUDGET
    size = sum(p.numel() for p in model.parameters())
    assert record["parameters"] == {"total": size, "trained": size}


def test_a_budget_in_flops_is_everybodys(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    config = tiny.project(tmp_path, monkeypatch)
    config = config.model_copy(update={"budget": config.budget.model_copy(update={"flops": 5.9 * 4 * tiny.ALL})})
    record, _ = train(config, JOINT)
    assert (record["history"][-1]["step"], record["flops"]["total"]) == (5, 5 * 4 * tiny.ALL)


def test_head_first_then_all_within_what_pretraining_left(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    config = tiny.project(tmp_path, monkeypatch)
    components(config, "supervised_half")
    plan = Plan("fusion", "supervised_half", "concat", (Phase("head", 0.1, 0.003, TOP), Phase("finetune", 0.9, 0.001)))
    record, _ = train(config, plan)
    # Half of 42,662,400, in whole steps; a tenth of the rest, less one pass through the encoders, is 15.7 steps of
    # the head; what is left is 13.9 of all.
    spent = record["flops"]
    assert (spent["budget"], spent["pretrain"]) == (42_662_400, 20_677_632)
    assert spent["total"] == 20_677_632 + 12 * tiny.ENCODE + 15 * 4 * tiny.TOP + 13 * 4 * tiny.ALL == 41_326_592
    assert spent["train"] == spent["total"] - spent["pretrain"]
    assert spent["analytic"] == spent["total"]
    assert {row["phase"]: row["step"] for row in record["history"]} == {"head": 15, "finetune": 13}
    assert record["history"][-1]["flops"] == spent["total"]
    best = min(row["val_nll"] for row in record["history"] if row["phase"] == "finetune")
    assert record["validation"]["nll"] == best

    other = Plan("fusion", "supervised_half", "concat", (plan.phases[0], Phase("finetune", 0.9, 0.01)))
    for one, two in zip(record["history"], train(config, other, "other")[0]["history"], strict=True):
        assert (one == two) == (one["phase"] == "head" or one["step"] == 0)


def test_how_far_a_training_is_counts_all_its_phases_and_the_pass_through_frozen_encoders(
    tmp_path: Path, monkeypatch: MonkeyPatch,
) -> None:
    config, told = tiny.project(tmp_path, monkeypatch), list[tuple[int, int]]()
    components(config, "supervised_half")
    plan = Plan("fusion", "supervised_half", "concat", (Phase("head", 0.1, 0.003, TOP), Phase("finetune", 0.9, 0.001)))
    fused.train(config, plan, 0, Path("one"), lambda done, every: told.append((done, every)))
    encoded = sum(len(Store().rows(0, split)) for split in ("train", "val"))
    assert {every for _, every in told} == {encoded + 15 * 4 + 13 * 4}
    assert told == sorted(told)
    assert told[1][0] == encoded and told[-1][0] == encoded + 28 * 4


def test_frozen_components_stay_as_they_are(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    config = tiny.project(tmp_path, monkeypatch)
    components(config, "supervised")
    plan = Plan("fusion", "supervised", "concat", (Phase("head", 1.0, 0.01, TOP),))
    record, model = train(config, plan)
    assert record["flops"]["total"] == 37_560_320 + 12 * tiny.ENCODE + 73 * 4 * tiny.TOP
    start = models.multimodal(config.encoder.model_dump(), Store().specs, 2, "concat", 0)
    for m in model.modalities:
        expected = fused.pretrained("supervised", m, 0).state_dict()
        assert all(torch.equal(value, expected[name]) for name, value in model.encoders[m].state_dict().items())
    assert not torch.equal(model.head.weight, start.head.weight)
    assert record["parameters"]["trained"] == sum(p.numel() for p in (*start.fusion.parameters(),
                                                                     *start.head.parameters()))
    monkeypatch.setattr(fused, "MOST_EPOCHS", 5)
    assert train(config, plan, "short")[0]["history"][-1]["step"] == 15


def test_training_starts_from_the_components_of_the_same_seed(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    config = tiny.project(tmp_path, monkeypatch)
    for seed in range(2):
        components(config, "selfsup", seed)
    record, _ = train(config, Plan("fusion", "selfsup", "concat", (Phase("finetune", 1.0, 0.003),)), seed=1)
    start = models.multimodal(config.encoder.model_dump(), Store().specs, 2, "concat", 1)
    for m, encoder in start.encoders.items():
        encoder.load_state_dict(models.load(f"models/pretrain/{m}/selfsup/seed_1").state_dict())
    batch = Store().batch(Store().rows(1, "val"), 1)
    expected = calibrated_nll(start.eval().logits(batch.inputs, batch.present), batch.y)
    assert record["history"][0]["val_nll"] == pytest.approx(expected, rel=1e-5)


def test_validation_chooses_weights_and_temperature_and_nothing_reads_the_test(
        tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    config = tiny.project(tmp_path, monkeypatch)
    read: list[int] = []
    batch = Store.batch
    monkeypatch.setattr(Store, "batch", lambda store, rows, *more: (read.extend(rows), batch(store, rows, *more))[1])
    record, model = train(config, Plan("fusion", None, "concat", (Phase("joint", 1.0, 0.001),)))
    assert sorted(set(read)) == list(range(18))
    scale = model.temperature.item()
    assert record["validation"]["nll"] == pytest.approx(validation(model, 0, scale), rel=1e-5)
    store = Store()
    val = store.batch(store.rows(0, "val"), 0)
    logits = model.logits(val.inputs, val.present)
    assert scale == pytest.approx(temperature(logits, val.y), rel=1e-5)
    train_set = store.batch(store.rows(0, "train"), 0)
    other = temperature(model.logits(train_set.inputs, train_set.present), train_set.y)
    assert 0.05 < other < scale < 1
    assert record["temperature"] == pytest.approx(scale)


class Sure(nn.Module):
    """Logits for class 0 that are 0 before training and 10 after one step at a learning rate of 10."""

    def __init__(self) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.zeros(()))

    def logits(self, inputs: dict[str, torch.Tensor], present: torch.Tensor) -> torch.Tensor:
        return torch.stack([self.sharpness.expand(len(present)), torch.zeros(len(present))], 1)


def test_weights_that_are_right_and_too_sure_are_chosen_over_untrained_ones(tmp_path: Path, monkeypatch: MonkeyPatch,
                                                                           ) -> None:
    """Three of four are class 0: with a logit of 10 the NLL is 2.5, calibrated 0.562, and untrained 0.693."""
    config = tiny.project(tmp_path, monkeypatch)
    model, y = Sure(), torch.tensor([0, 0, 0, 1])
    feed = Feed(Batch({"x": torch.zeros(4)}, torch.ones(4, 1, dtype=torch.bool), y), np.arange(4), 0)
    history = fit(fused.Joint(model), feed, feed, Schedule(1, 4, 10.0), config.train, device.prepare("cpu"), 0)
    assert [row["val_nll"] for row in history] == pytest.approx([0.6931, 0.5623], abs=1e-4)
    assert [row["val_accuracy"] for row in history] == [0.75, 0.75]
    assert model.sharpness.item() == pytest.approx(10)


def test_training_batches_are_augmented_where_it_is_asked_for(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    config = tiny.project(tmp_path, monkeypatch)
    augmented = config.model_copy(update={"train": config.train.model_copy(update={"augment": True})})
    plain, other = (train(c, JOINT, name)[0]["history"] for c, name in ((config, "plain"), (augmented, "augmented")))
    assert plain[0] == other[0] and plain[1] != other[1]


def test_cached_vectors_are_those_of_an_encoder_at_rest(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    config, store = tiny.project(tmp_path, monkeypatch), Store()
    model = models.multimodal(config.encoder.model_dump(), store.specs, 2, "concat", 0).requires_grad_(False)
    model.encoders["image"].norm = nn.Dropout(0.5)
    rows = store.rows(0, "train")
    cached = fused._cached(model.train(), Feed(store, rows, 0, augment=True), device.prepare("cpu"), lambda _: None)
    expected = store.batch(rows, 0)
    assert cached.memory is not None
    torch.testing.assert_close(cached.memory.inputs["vectors"], model.eval().vectors(expected.inputs))
    assert torch.equal(cached.memory.present, expected.present) and torch.equal(cached.memory.y, expected.y)


def test_all_parts_train_again_after_a_phase_that_froze_some(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    config = tiny.project(tmp_path, monkeypatch)
    phases = (Phase("head", 0.2, 1e-6, TOP), Phase("all", 0.8, 0.003, ALL))
    record, model = train(config, Plan("fusion", None, "concat", phases))
    assert record["parameters"]["trained"] == record["parameters"]["total"]
    start = models.multimodal(config.encoder.model_dump(), Store().specs, 2, "concat", 0)
    assert not torch.equal(model.encoders["image"].stem.embed.weight, start.encoders["image"].stem.embed.weight)
