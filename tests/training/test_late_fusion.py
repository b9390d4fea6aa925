"""The best single component, and all of them together: chosen and calibrated on validation, charged for all."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from pytest import MonkeyPatch
from torch import nn

from tests.training import tiny
from trivium import models, strategies
from trivium.data.store import Store
from trivium.models import files
from trivium.models.network import Unimodal
from trivium.training import late_fusion
from trivium.training.records import Evaluation, Pretrained, Seed, Spent, Unit, Validation
from trivium.training.strategy import Unit as Work

BEST, SUM = "unimodal", "ensemble"
COST = {"text": 1_000_000.0, "image": 20_000_000.0, "audio": 300_000.0}  # what the recipe says


def run(folder: Path, monkeypatch: MonkeyPatch, strategy: str, way: str = "", **scores: Any) -> tuple[Seed, nn.Module]:
    """`strategy` with components whose heads give every sample the same scores [2]; labels alternate.

    way: a setting of it.  scores: stream -> scores, the same for all samples.
    """
    tiny.project(folder, monkeypatch)
    store, units = Store("supervised"), []
    for s, spec in store.specs.items():
        model = Unimodal(models.encoder(store.encoders[s], spec, 0), 2).requires_grad_(False)
        if s in scores:
            model.head.weight.zero_()
            model.head.bias.copy_(torch.tensor(scores[s]))
        about = files.describe("unimodal", store.encoders, {s: spec}, store.task)
        models.save(model, about, f"models/pretrain/supervised/{s}/seed_0")
        about = {"streams": [s], "objective": "supervised", "epochs": 1.0, "parameters": 1, "samples": 12}
        row = Evaluation(step=0, epoch=0.0, flops=0.0, train_loss=None, val_nll=1.0, val_score=0.5)
        units += [Unit(**about, seed=seed, flops=flops, history=history, validation=Validation(nll=1.0, score=0.5))
                  for seed, flops, history in ((0, COST[s], [row, row]), (1, 7.0, []))]
    recipe = Pretrained(recipe="supervised", objectives=["supervised"], units=units)
    recipe.write("models/pretrain/supervised/training.json")
    entry = strategies.entry("one", {"start": "supervised", "strategy": strategy} | ({"way": way} if way else {}))
    record = late_fusion.combine(Work(entry, None, 0, tiny.LOOP, tiny.BUDGET), Path("one"), lambda *_: None)
    return record, models.load("one/model")


def test_the_lowest_nll_on_validation_is_chosen_after_calibration(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """Three validation labels are of each class; one of the second class has no sound, so that 3 : 2 are left."""
    record, model = run(tmp_path, monkeypatch, BEST, text=[0.0, 0.0], image=[3.0, 0.0], audio=[1.0, 0.0])
    nll = {s: one.nll for s, one in record.members.items()}
    assert nll["text"] == pytest.approx(math.log(2))
    assert nll["image"] == pytest.approx((cost(0.15) + cost(-0.15)) / 2, rel=1e-5)  # 3, as flat as may be
    assert nll["audio"] == pytest.approx(-(3 * math.log(0.6) + 2 * math.log(0.4) + math.log(0.5)) / 6, rel=1e-5)
    assert record.chosen == "audio" and list(model.members) == ["audio"]  # though all are right half of the time
    assert {one.score for one in record.members.values()} == {0.5}
    assert record.calibration == pytest.approx([1 / math.log(1.5)]) == model.calibrations.tolist()
    assert dict(record.validation) == dict(record.members["audio"])
    assert {row.phase for row in record.history} == {"audio"}


def test_a_choice_is_charged_for_all_it_chose_from(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    record, model = run(tmp_path, monkeypatch, BEST)
    assert record.flops == Spent(budget=42_662_400, pretrain=21_300_000, train=0, total=21_300_000)
    assert record.parameters.total == sum(p.numel() for p in model.members.parameters())


def test_the_ensemble_adds_up_calibrated_members(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    record, model = run(tmp_path, monkeypatch, SUM, text=[2.0, 0.0], image=[0.0, 0.0], audio=[1.0, 0.0])
    assert list(model.members) == ["text", "image", "audio"] and record.chosen is None
    assert record.calibration == pytest.approx([20, 20, 1 / math.log(1.5)])
    both = 0.1 + math.log(1.5)  # what text and audio say for the first class
    assert record.validation.nll == pytest.approx((3 * cost(both) + 2 * cost(-both) + cost(-0.1)) / 6, rel=1e-5)
    assert {row.phase for row in record.history} == {"text", "image", "audio"}
    assert record.flops.total == 21_300_000


def validation(model: nn.Module) -> float:
    """NLL of what a model that was read again says of the validation samples."""
    store = Store("supervised")
    batch = store.batch(store.rows(0, "val"), 0)
    return -store.task_at(0).log_likelihood(model(batch.inputs, batch.present), batch.y).mean().item()


def test_the_product_is_what_an_ensemble_does_unless_it_is_told_otherwise(
        tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    scores: Any = {"text": [2.0, 0.0], "image": [0.0, 0.5], "audio": [1.0, 0.0]}
    plain, _ = run(tmp_path / "a", monkeypatch, SUM, **scores)
    about, weights = (Path("one/model", name).read_bytes() for name in ("model.json", "model.safetensors"))
    assert b"pool" not in about + weights and plain.weights is None
    told, model = run(tmp_path / "b", monkeypatch, SUM, "product", **scores)
    assert told == plain and Path("one/model/model.safetensors").read_bytes() == weights
    assert validation(model) == pytest.approx(plain.validation.nll, rel=1e-5)


def test_a_mean_of_probabilities_by_hand(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """Text and image are calibrated to halves; the sound, 3 : 2 where it is there, leaves 8 : 7 with them. The last
    sample has no sound: what is said of it is even, and the others' 3 : 2 is what calibration finds again.
    """
    record, model = run(tmp_path, monkeypatch, SUM, "mean", text=[0.0, 0.0], image=[0.0, 0.0], audio=[1.0, 0.0])
    expected = -(3 * math.log(0.6) + 2 * math.log(0.4) + math.log(0.5)) / 6
    assert record.validation.nll == pytest.approx(expected, rel=1e-5)
    assert validation(model) == pytest.approx(expected, rel=1e-5)
    assert model.pool.calibration.item() == pytest.approx(math.log(8 / 7) / math.log(3 / 2), rel=1e-4)
    assert record.chosen is None and record.weights is None and record.flops.train == 0
    assert list(model.members) == ["text", "image", "audio"]


def test_a_selection_keeps_the_streams_that_have_a_weight(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    record, model = run(tmp_path, monkeypatch, SUM, "selection", text=[0.0, 0.0], image=[3.0, 0.0], audio=[1.0, 0.0])
    assert record.chosen == "audio" and record.weights == {"audio": 1.0} and list(model.members) == ["audio"]
    assert record.validation.nll == pytest.approx(record.members["audio"].nll, rel=1e-5)
    assert validation(model) == pytest.approx(record.validation.nll, rel=1e-5)
    assert record.flops.total == 21_300_000  # all were chosen from


def test_stacking_is_charged_for_what_it_fits_and_can_be_read_again(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    record, model = run(tmp_path, monkeypatch, SUM, "stacking", text=[2.0, 0.0], image=[0.0, 0.0], audio=[1.0, 0.0])
    assert record.flops.train > 0 and record.flops.total == 21_300_000 + record.flops.train
    assert model.pool.weight.shape == (3, 2, 2) and record.chosen is None
    assert validation(model) == pytest.approx(math.log(2), abs=0.05)  # constant answers say nothing


def cost(score: float) -> float:
    """NLL of a class whose score is larger by that much."""
    return math.log1p(math.exp(-score))
