"""Small models: a student of an ensemble, and a network whose smallest weights are 0; within everybody's budget."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import count, product
from pathlib import Path
from typing import Any

import pytest
import torch
from pytest import MonkeyPatch

from tests.training import tiny
from trivium import models, strategies
from trivium.data.store import Store
from trivium.data.tables import read_json
from trivium.models.network import Multimodal
from trivium.objectives.network.prune import prunable
from trivium.training import continued, fused, late_fusion, loop, strategy
from trivium.training.records import Parameters, Seed, Spent
from trivium.training.teachers import Teachers

# Half as wide, by hand: see tests/training/tiny.py.
STUDENT = 3 * 2_304 + 2 * 3_072 + 3 * 18_432 + 2 * 2_048 + 3 * 6_144 + 3 * (768 + 256 + 32)
START = {"compress": "supervised_half", "prune": "scratch"}
TEACHER = tiny.ENCODE + tiny.HEAD  # a forward pass


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        tiny.project(tmp_path_factory.mktemp("small"), patch)
        for name in ("scratch", "supervised_half"):
            tiny.pretrained(tiny.recipe(name))
        yield


def unit(name: str, how: str, start: str, **settings: Any) -> strategy.Unit:
    entry = strategies.entry(name, {"start": start, "strategy": how} | settings)
    return strategy.Unit(entry, strategy.chosen_fusion(entry), 0, tiny.LOOP, tiny.BUDGET)


def train(name: str, how: str, start: str, **settings: Any) -> Seed:
    """Writes `<name>/model`."""
    Path(name).mkdir(exist_ok=True)
    record = fused.train(unit(name, how, start, **settings), Path(name), lambda *_: None)
    assert isinstance(record, Seed), record
    return record


@cache
def once(how: str) -> Seed:
    """What was never killed, in `whole_<how>`."""
    return train(f"whole_{how}", how, START[how])


def weights(name: str) -> bytes:
    return Path(name, "model/model.safetensors").read_bytes()


def loaded(name: str) -> Multimodal:
    model = models.load(Path(name, "model"))
    assert isinstance(model, Multimodal)
    return model


def zeros(model: Multimodal) -> list[tuple[int, int]]:
    """Of each tensor that is pruned: numbers that are 0, and those that should be at 80 %."""
    return [(int((weight == 0).sum()), round(0.8 * weight.numel())) for weight in prunable(model)]


def test_a_student_is_narrower_and_pays_for_its_teacher() -> None:
    record = once("compress")
    assert (STUDENT, TEACHER) == (94_048, 117_952)
    spent = 25 * 4 * (94_048 + 117_952)
    assert record.flops == Spent(budget=42_662_400, pretrain=20_677_632, train=spent, total=20_677_632 + spent,
                                 analytic=20_677_632 + spent)
    assert record.flops.total <= 42_662_400 < record.flops.total + 4 * (94_048 + 117_952)
    model = loaded("whole_compress")
    assert {encoder.width for encoder in model.encoders.values()} == {8}
    assert record.parameters == Parameters(total=2_314, trained=2_314)
    whole = train("joint", "joint", "scratch").parameters.total
    assert whole == 7_570


@pytest.mark.parametrize("how", ["compress", "prune"])
def test_a_small_model_answers_for_any_streams(how: str) -> None:
    once(how)
    model, store = loaded(f"whole_{how}"), Store("supervised_half")
    batch = store.batch(store.rows(0, "test"), 0)
    for mask in product((True, False), repeat=3):
        answers = model(batch.inputs, torch.tensor(mask).expand(len(batch), 3))
        torch.testing.assert_close(answers.exp().sum(1), torch.ones(len(batch)))


def test_a_student_as_wide_as_its_teacher_that_learns_from_labels_alone_is_joint_training_to_the_byte() -> None:
    one = train("labels", "compress", "supervised_half", student=1.0, alpha=1.0)
    other = train("plain", "distil", "supervised_half", alpha=0.0)
    assert one == other and weights("labels") == weights("plain")
    assert Path("labels/model/model.json").read_bytes() == Path("plain/model/model.json").read_bytes()
    train("taught", "compress", "supervised_half", student=1.0)
    assert weights("taught") != weights("plain")


@pytest.mark.parametrize("way", ["product", "mean"])
def test_the_teacher_is_the_ensemble_of_the_same_recipe(way: str) -> None:
    Path("ensemble").mkdir(exist_ok=True)
    late_fusion.combine(unit("ensemble", "ensemble", "supervised_half", way=way), Path("ensemble"), lambda *_: None)
    store, expected = Store("supervised_half"), models.load("ensemble/model")
    batch = store.batch(store.rows(0, "test"), 0)
    with torch.no_grad():
        found = Teachers(store, 0).ensemble(way)(batch.inputs, batch.present)
    assert torch.equal(found, expected(batch.inputs, batch.present))


def test_teachers_that_are_pooled_in_another_way_teach_another_thing() -> None:
    train("product", "compress", "supervised_half", alpha=0.0)
    train("mean", "compress", "supervised_half", alpha=0.0, teacher="mean")
    assert weights("product") != weights("mean")


def test_each_matrix_has_exactly_the_zeros_that_were_asked_for_and_nothing_else_has_any() -> None:
    record = once("prune")
    assert record.flops.total == tiny.BUDGET == record.flops.analytic  # it costs what joint training costs
    model = loaded("whole_prune")
    found = zeros(model)
    assert len(found) == 8 and all(own == asked for own, asked in found)  # 3 stems, 3 convolutions, 2 of the fusion
    pruned = {id(weight) for weight in prunable(model)}
    assert all((weight != 0).any() for weight in model.parameters())
    others = {name for name, weight in model.named_parameters() if id(weight) not in pruned and (weight == 0).any()}
    assert others == {"fusion.missing.instead"}  # of a stream that no sample lacks


def test_what_was_pruned_is_what_is_tuned_whatever_validation_liked_on_the_way() -> None:
    history = once("prune").history
    rows = {phase: [row.val_nll for row in history if row.phase == phase] for phase in ("dense", "prune", "finetune")}
    assert rows["finetune"][0] == rows["prune"][-1] > min(rows["prune"])
    assert rows["prune"][0] == min(rows["dense"])


@pytest.mark.parametrize(("how", "dies_at", "phase"), [
    ("compress", 3, "joint"), ("prune", 7, "prune"), ("prune", 11, "finetune")])
def test_a_run_that_was_killed_ends_with_the_same_bytes(monkeypatch: MonkeyPatch, how: str, dies_at: int, phase: str,
                                                        ) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 0.0)
    whole, seen = once(how), list[int]()
    real = loop.validate

    def dies(*args: Any) -> dict[str, float]:
        seen.append(1)
        if len(seen) == dies_at:
            raise KeyboardInterrupt
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "validate", dies)
        with pytest.raises(KeyboardInterrupt):
            train(f"killed_{phase}", how, START[how])
    assert Path(f"killed_{phase}/{phase}.pt").exists()
    assert train(f"killed_{phase}", how, START[how]) == whole and weights(f"killed_{phase}") == weights(f"whole_{how}")


def test_the_file_of_a_model_says_how_wide_it_is() -> None:
    once("compress")
    about = read_json("whole_compress/model/model.json")
    assert {s: one["settings"]["width"] for s, one in about["encoders"].items()} == {"text": 8, "image": 8, "audio": 8}
    assert {one.settings["width"] for one in Store("supervised_half").encoders.values()} == {16}


@pytest.mark.parametrize("how", ["compress", "prune"])
@pytest.mark.parametrize("ewc", [0.0, 1.0])
def test_a_small_model_that_goes_on_with_further_rows_stays_as_small(monkeypatch: MonkeyPatch, how: str, ewc: float,
                                                                     ) -> None:
    once(how)
    better = count(0, -1)
    monkeypatch.setattr(loop, "validate", lambda *_: {"val_nll": float(next(better)), "val_score": 0.0})
    about = unit(how, how, START[how])
    more = continued.Unit(about.entry, about.fusion, 0, tiny.LOOP, Path(f"whole_{how}/model"), 8, 0.5, 4, ewc, 0.003,
                          tiny.BUDGET / 4)
    continued.train(more, Path(f"more_{how}"), lambda *_: None)
    before, after = loaded(f"whole_{how}"), loaded(f"more_{how}")
    assert [encoder.width for encoder in after.encoders.values()] == [encoder.width for encoder in
                                                                      before.encoders.values()]
    for old, new in zip(prunable(before), prunable(after), strict=True):
        assert torch.equal(old == 0, new == 0) and not torch.equal(old, new)
