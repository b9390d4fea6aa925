"""Fused strategies: one budget for all, to the FLOP, and nothing moves, or is read, that the plan does not say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytest import MonkeyPatch
from torch import nn
from torch.nn.functional import nll_loss

from tests import networks
from tests.training import tiny
from trivium import models
from trivium.data.store import Batch, Store
from trivium.data.tables import read_json
from trivium.machine import device
from trivium.machine.measured import Measured
from trivium.models.network import Multimodal
from trivium.objectives.network.joint import Joint
from trivium.strategies import Entry
from trivium.strategies.base import ALL, TOP, Phase, Plan
from trivium.tasks.temperature import calibrated_nll, temperature
from trivium.training import components, fused, planned, strategy
from trivium.training.feed import Feed
from trivium.training.loop import Schedule, fit
from trivium.training.records import Lacking, Parameters, Seed, Spent

BUDGET, CONCAT = tiny.BUDGET, {"name": "concat", "width": None}
JOINT = Plan("fusion", "concat", (Phase("joint", 1.0, 0.003),))
HALVES = Plan("fusion", "concat", (Phase("head", 0.1, 0.003, TOP), Phase("finetune", 0.9, 0.001)))


def project(folder: Path, monkeypatch: MonkeyPatch, recipe: str = "scratch", seeds: int = 1) -> None:
    tiny.project(folder, monkeypatch)
    tiny.pretrained(tiny.recipe(recipe), seeds=seeds)


def train(plan: Plan, start: str = "scratch", name: str = "one", seed: int = 0, limit: float = BUDGET,
          report: Any = lambda *_: None, **loop: Any) -> tuple[Any, Multimodal]:
    """The record and the model of `plan` from the recipe `start`; `loop`: other settings of it."""
    entry = Entry(name, name, start, "own", {}, plan)
    unit = strategy.Unit(entry, strategy.chosen_fusion(entry), seed, tiny.LOOP.model_copy(update=loop), limit)
    record = fused.train(unit, Path(name), report)
    model: Any = models.load(f"{name}/model") if isinstance(record, Seed) else None
    return record, model


def start(recipe: str, seed: int = 0) -> Multimodal:
    """The network as training finds it."""
    parts = {s: components.encoder(recipe, s, seed) for s in Store(recipe).streams}
    return models.multimodal(parts, networks.task(2), CONCAT, seed)


def logits(model: Multimodal, batch: Batch) -> torch.Tensor:
    return model.outputs(model.vectors(batch.inputs), batch.present)


def validation(model: Multimodal, seed: int, scale: float) -> float:
    """NLL on the validation samples at a temperature of `scale`."""
    store = Store("scratch")
    batch = store.batch(store.rows(seed, "val"), seed)
    model.eval().calibration.fill_(scale)
    return nll_loss(model(batch.inputs, batch.present), batch.y).item()


def test_end_to_end_spends_the_budget(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    project(tmp_path, monkeypatch)
    record, model = train(JOINT)
    assert record.history[-1].step == 30
    assert record.flops == Spent(budget=BUDGET, pretrain=0.0, train=BUDGET, total=BUDGET, analytic=BUDGET)
    assert record.history[-1].flops == BUDGET == 42_662_400
    size = sum(p.numel() for p in model.parameters())
    assert record.parameters == Parameters(total=size, trained=size)


def test_steps_are_whole_and_within_the_budget(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    project(tmp_path, monkeypatch)
    record, _ = train(JOINT, limit=5.9 * 4 * tiny.ALL)
    assert (record.history[-1].step, record.flops.total) == (5, 5 * 4 * tiny.ALL)


def test_what_the_budget_does_not_pay_one_epoch_of_is_not_begun(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    project(tmp_path, monkeypatch)
    record, _ = train(JOINT, limit=12 * tiny.ALL - 1)
    assert record == Lacking(budget=12 * tiny.ALL - 1, needed=12 * tiny.ALL)
    assert train(JOINT, limit=12 * tiny.ALL)[0].history[-1].step == 3
    out = Path("models/end_to_end")
    entry = Entry("end_to_end", "End to end", "scratch", "joint", {}, JOINT)
    assert strategy.train(entry, tiny.LOOP, [3 * tiny.ALL], out) == Measured()
    told = read_json(out / "training.json")
    assert told["seeds"] == [] and told["skipped"]["needed"] == 12 * tiny.ALL
    assert told["skipped"]["sentence"] == (
        "End to end was not begun: one epoch of what it trains costs more than the budget of 1.07e+06 FLOPs leaves. "
        "It needs a budget of at least 4.27e+06 FLOPs, 4 times as much: set `budget.flops: 4.3e+06` in params.yaml.")
    strategy.train(entry, tiny.LOOP, [11.9 * tiny.ALL], out)
    assert ", 1 % more: set `budget.flops: 4.3e+06` " in read_json(out / "training.json")["skipped"]["sentence"]


def test_head_first_then_all_within_what_pretraining_left(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    project(tmp_path, monkeypatch, "supervised_half")
    record, _ = train(HALVES, "supervised_half")
    # Half of 42,662,400, in whole steps; a tenth of the rest, less one pass through the encoders, is 15.7 steps of
    # the head; what is left is 13.9 of all.
    spent = record.flops
    assert (spent.budget, spent.pretrain) == (42_662_400, 20_677_632)
    assert spent.total == 20_677_632 + 12 * tiny.ENCODE + 15 * 4 * tiny.TOP + 13 * 4 * tiny.ALL == 41_326_592
    assert spent.train == spent.total - spent.pretrain
    assert spent.analytic == spent.total
    assert {row.phase: row.step for row in record.history} == {"head": 15, "finetune": 13}
    assert record.history[-1].flops == spent.total
    best = min(row.val_nll for row in record.history if row.phase == "finetune")
    assert record.validation.nll == best

    other = Plan("fusion", "concat", (HALVES.phases[0], Phase("finetune", 0.9, 0.01)))
    for one, two in zip(record.history, train(other, "supervised_half", "other")[0].history, strict=True):
        assert (one == two) == (one.phase == "head" or one.step == 0)


def test_how_far_a_training_is_counts_all_its_phases_and_the_pass_through_frozen_encoders(
    tmp_path: Path, monkeypatch: MonkeyPatch,
) -> None:
    project(tmp_path, monkeypatch, "supervised_half")
    told = list[tuple[int, int]]()
    train(HALVES, "supervised_half", report=lambda done, every: told.append((done, every)))
    encoded = sum(len(Store("supervised_half").rows(0, split)) for split in ("train", "val"))
    assert {every for _, every in told} == {encoded + 15 * 4 + 13 * 4}
    assert told == sorted(told)
    assert told[1][0] == encoded and told[-1][0] == encoded + 28 * 4


def test_frozen_components_stay_as_they_are(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    project(tmp_path, monkeypatch, "supervised")
    plan = Plan("fusion", "concat", (Phase("head", 1.0, 0.01, TOP),))
    record, model = train(plan, "supervised")
    assert record.flops.total == 37_560_320 + 12 * tiny.ENCODE + 73 * 4 * tiny.TOP
    untrained = start("supervised")
    for s in model.streams:
        expected = components.encoder("supervised", s, 0).state_dict()
        assert all(torch.equal(value, expected[name]) for name, value in model.encoders[s].state_dict().items())
    assert not torch.equal(model.head.weight, untrained.head.weight)
    assert record.parameters.trained == sum(p.numel() for p in (*untrained.fusion.parameters(),
                                                                     *untrained.head.parameters()))
    monkeypatch.setattr(planned, "MOST_EPOCHS", 5)
    assert train(plan, "supervised", "short")[0].history[-1].step == 15


def test_training_starts_from_the_components_of_the_same_seed(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    project(tmp_path, monkeypatch, "selfsup", seeds=2)
    record, _ = train(JOINT, "selfsup", seed=1)
    store = Store("selfsup")
    batch = store.batch(store.rows(1, "val"), 1)
    expected, other = (calibrated_nll(logits(start("selfsup", seed).eval(), batch), batch.y) for seed in (1, 0))
    assert record.history[0].val_nll == pytest.approx(expected, rel=1e-5) != pytest.approx(other, rel=1e-5)


def test_end_to_end_is_the_same_training_from_random_weights(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """Only where the weights come from differs: a recipe that trains for nothing would start as `scratch` does."""
    project(tmp_path, monkeypatch)
    tiny.pretrained(tiny.recipe("selfsup"))
    ours, others = train(JOINT)[0].history, train(JOINT, "selfsup", "other")[0].history
    assert ours[0] != others[0] and others[0].flops == components.charged("selfsup", 0) > 0 == ours[0].flops


def test_validation_chooses_weights_and_temperature_and_nothing_reads_the_test(
        tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    project(tmp_path, monkeypatch)
    read: list[int] = []
    batch = Store.batch
    monkeypatch.setattr(Store, "batch", lambda store, rows, *more: (read.extend(rows), batch(store, rows, *more))[1])
    record, model = train(Plan("fusion", "concat", (Phase("joint", 1.0, 0.001),)))
    assert sorted(set(read)) == list(range(18))
    scale = model.calibration.item()
    assert record.validation.nll == pytest.approx(validation(model, 0, scale), rel=1e-5)
    store = Store("scratch")
    val, train_set = (store.batch(store.rows(0, split), 0) for split in ("val", "train"))
    assert scale == pytest.approx(temperature(logits(model, val), val.y), rel=1e-5)
    other = temperature(logits(model, train_set), train_set.y)
    assert 0.05 < other < scale < 1
    assert record.calibration == pytest.approx(scale)


class Sure(nn.Module):
    """Logits for class 0 that are 0 before training and 10 after one step at a learning rate of 10."""

    def __init__(self) -> None:
        super().__init__()
        self.sharpness, self.task = nn.Parameter(torch.zeros(())), networks.task(2)

    def read(self, batch: Batch) -> dict[str, torch.Tensor]:
        return batch.inputs

    def outputs(self, vectors: dict[str, torch.Tensor], present: torch.Tensor) -> torch.Tensor:
        return torch.stack([self.sharpness.expand(len(present)), torch.zeros(len(present))], 1)


def test_weights_that_are_right_and_too_sure_are_chosen_over_untrained_ones() -> None:
    """Three of four are class 0: with a logit of 10 the NLL is 2.5, calibrated 0.562, and untrained 0.693."""
    model, y = Sure(), torch.tensor([0, 0, 0, 1])
    feed = Feed(Batch({"x": torch.zeros(4)}, torch.ones(4, 1, dtype=torch.bool), y), np.arange(4), 0)
    task = Joint(model)  # type: ignore[arg-type]
    history = fit(task, feed, feed, Schedule(1, 4, 10.0), tiny.LOOP, device.prepare("cpu"), 0)
    assert [row["val_nll"] for row in history] == pytest.approx([0.6931, 0.5623], abs=1e-4)
    assert [row["val_score"] for row in history] == [0.75, 0.75]
    assert model.sharpness.item() == pytest.approx(10)


def test_training_batches_are_augmented_where_it_is_asked_for(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    project(tmp_path, monkeypatch)
    plain, other = (train(JOINT, name=name, augment=name == "augmented")[0].history
                    for name in ("plain", "augmented"))
    assert plain[0] == other[0] and plain[1] != other[1]


def test_cached_vectors_are_those_of_an_encoder_at_rest(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    project(tmp_path, monkeypatch)
    store, model = Store("scratch"), start("scratch").requires_grad_(False)
    model.encoders["image"].norm = nn.Dropout(0.5)
    rows = store.rows(0, "train")
    cached = fused._cached(model.train(), store, Feed(store, rows, 0, augment=True), device.prepare("cpu"),
                           lambda _: None)
    expected = store.batch(rows, 0)
    assert cached.memory is not None and cached.memory.encoded
    vectors = model.eval().vectors(expected.inputs)
    assert list(cached.memory.inputs) == list(vectors) == ["text", "image", "audio"]
    for s, x in vectors.items():
        torch.testing.assert_close(cached.memory.inputs[s], x)
    assert torch.equal(cached.memory.present, expected.present) and torch.equal(cached.memory.y, expected.y)


def test_all_parts_train_again_after_a_phase_that_froze_some(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    project(tmp_path, monkeypatch)
    phases = (Phase("head", 0.2, 1e-6, TOP), Phase("all", 0.8, 0.003, ALL))
    record, model = train(Plan("fusion", "concat", phases))
    assert record.parameters.trained == record.parameters.total
    moved, before = (one.encoders["image"].stem.embed.weight for one in (model, start("scratch")))
    assert not torch.equal(moved, before)


def test_encoders_may_have_a_rate_of_their_own(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """At a rate next to nothing they stay where they were, and the head moves all the same."""
    project(tmp_path, monkeypatch)
    _, model = train(Plan("fusion", "concat", (Phase("joint", 1.0, 0.01, encoder_lr=1e-12),)))
    untrained = start("scratch")
    for key, value in untrained.encoders.state_dict().items():
        torch.testing.assert_close(model.encoders.state_dict()[key], value, rtol=1e-6, atol=1e-7)
    assert not torch.allclose(model.head.weight, untrained.head.weight)


def test_encoders_of_unequal_width_are_trained_and_saved(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    from trivium.encoders import describe

    entries = tiny.ENCODERS | {"wide": describe("wide", {"modality": "image", "architecture": "cnn", "width": 24,
                                                         "depth": 1, "processor": {"size": 8}})}
    reads = tiny.READ_BY | {"image": "wide"}
    tiny.project(tmp_path, monkeypatch, reads={"scratch": reads}, encoders=entries)
    tiny.pretrained(tiny.recipe("scratch", reads))
    _, model = train(Plan("fusion", {"name": "attention", "width": 24, "heads": 3}, (Phase("joint", 1.0, 0.01),)))
    assert model.fusion.heads == 3 and set(model.fusion.aligned.project) == {"text", "audio"}
    store = Store("scratch")
    assert {s: x.shape[1] for s, x in model.vectors(store.batch(np.arange(3), 0).inputs).items()} == {
        "text": 16, "image": 24, "audio": 16}
