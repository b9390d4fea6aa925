"""Strategies that average weights, trained for real: with nothing to average they are the plain ones, to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pytest import MonkeyPatch

from tests.training import tiny
from trivium import models, strategies
from trivium.data.store import Store
from trivium.training import averages, components, fused, loop, strategy
from trivium.training.records import Seed


def train(name: str, start: str = "scratch", limit: float = tiny.BUDGET, evaluations: int = 5, **settings: Any) -> Seed:
    """Writes `<name>/model`."""
    entry = strategies.entry(name, {"start": start} | settings)
    unit = strategy.Unit(entry, strategy.chosen_fusion(entry), 0, tiny.LOOP.model_copy(
        update={"evaluations": evaluations}), limit)
    Path(name).mkdir(exist_ok=True)
    record = fused.train(unit, Path(name), lambda *_: None)
    assert isinstance(record, Seed)
    return record


def weights(name: str) -> bytes:
    return Path(name, "model/model.safetensors").read_bytes()


def nll(name: str, recipe: str) -> float:
    """Calibrated, on the validation samples."""
    model, store = models.load(Path(name, "model")), Store(recipe)
    batch = store.batch(store.rows(0, "val"), 0)
    return -store.task_at(0).log_likelihood(model(batch.inputs, batch.present), batch.y).mean().item()


def test_a_soup_of_one_is_joint_training_to_the_byte(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    tiny.pretrained(tiny.recipe("scratch"))
    plain, one = train("plain", strategy="joint"), train("one", strategy="soup", best=1)
    assert plain == one and weights("plain") == weights("one")
    assert (Path("plain/model/model.json").read_bytes() == Path("one/model/model.json").read_bytes())


def test_a_soup_is_no_worse_on_validation_and_says_of_how_many_it_is(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    tiny.pretrained(tiny.recipe("scratch"))
    plain = train("plain", strategy="joint", lr=0.01)
    kept = list[list[float]]()
    real = averages.soup
    monkeypatch.setattr(averages, "soup", lambda model, best, measure: (
        kept.append([one for one, _ in best]), real(model, best, measure))[1])
    soup = train("soup", strategy="soup", best=3, lr=0.01)
    assert kept == [sorted(row.val_nll for row in plain.history)[:3]]
    assert soup.history[: len(plain.history)] == plain.history and soup.flops == plain.flops
    (last,) = soup.history[len(plain.history):]
    assert last.averaged in (2, 3) and soup.chosen == f"the mean of {last.averaged} checkpoints"
    assert (last.step, last.flops, last.train_loss) == (plain.history[-1].step, plain.history[-1].flops, None)
    assert soup.validation.nll == last.val_nll <= plain.validation.nll
    assert nll("soup", "scratch") == pytest.approx(last.val_nll, rel=1e-4, abs=1e-7)
    assert weights("soup") != weights("plain")


def test_a_killed_soup_ends_with_the_same_bytes(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    tiny.pretrained(tiny.recipe("scratch"))
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 0.0)
    whole, seen = train("whole", strategy="soup"), list[int]()
    real = loop.validate

    def dies(*args: Any) -> dict[str, float]:
        seen.append(1)
        if len(seen) == 5:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(loop, "validate", dies)
    with pytest.raises(KeyboardInterrupt):
        train("killed", strategy="soup")
    assert Path("killed/joint.pt").exists()
    assert train("killed", strategy="soup") == whole and weights("killed") == weights("whole")


def test_a_line_goes_from_frozen_components_to_what_lpft_ends_with(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    tiny.pretrained(tiny.recipe("supervised_half"))
    ends = list[averages.State]()
    real = averages.along
    monkeypatch.setattr(averages, "along", lambda model, start, end, *more: (
        ends.extend((start, end)), real(model, start, end, *more))[1])
    settings = {"start": "supervised_half", "head_share": 0.3, "lr": 0.0003}
    plain = train("plain", strategy="lpft", **settings)
    line = train("line", strategy="wise_ft", steps=4, **settings)
    start, end = ({key.removeprefix("model."): value for key, value in one.items()} for one in ends)
    tuned = models.load("plain/model").state_dict()
    moved = [key for key in tuned if key != "calibration"]
    assert all(torch.equal(end[key], tuned[key]) for key in moved)
    for s in Store("supervised_half").streams:
        component = components.encoder("supervised_half", s, 0).state_dict()
        assert all(torch.equal(start[f"encoders.{s}.{key}"], value) for key, value in component.items())
    assert not any(torch.equal(start[key], end[key]) for key in moved if key.endswith("weight"))

    assert line.history == plain.history and line.flops == plain.flops
    tried = {name: one.nll for name, one in line.members.items()}
    assert list(tried) == [f"{share} % fine-tuned" for share in (0, 25, 50, 75, 100)]
    began = next(row for row in plain.history if row.phase == "finetune")
    assert (tried["0 % fine-tuned"], tried["100 % fine-tuned"]) == (began.val_nll, plain.validation.nll)
    assert tried[line.chosen] == min(tried.values()) == line.validation.nll <= plain.validation.nll
    assert nll("line", "supervised_half") == pytest.approx(line.validation.nll, rel=1e-5)
    share = float(line.chosen.split()[0]) / 100
    kept, expected = models.load("line/model").state_dict(), averages.line(start, end, share)
    assert all(torch.equal(kept[key], expected[key]) for key in moved)
