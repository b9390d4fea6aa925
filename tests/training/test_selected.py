"""Ensemble selection over the classifiers and probes of a recipe: chosen on validation, charged, and read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest import MonkeyPatch
from torch import nn

from tests.training import tiny
from trivium import models, strategies
from trivium.data.store import Store
from trivium.training import components, probed, selected, strategy
from trivium.training.records import Seed

CLASSIFIERS = ["classifier of text", "classifier of image", "classifier of audio"]
PROBES = ["probe of text", "probe of image", "probe of audio", "mean of probes", "probe of all streams"]


def run(recipe: str, name: str = "one", way: str = "selection") -> tuple[Seed, nn.Module]:
    entry = strategies.entry(name, {"start": recipe, "strategy": way})
    unit: Any = strategy.Unit(entry, None, 0, tiny.LOOP, tiny.BUDGET)
    work: Any = selected.train if way == "selection" else probed.train
    return work(unit, Path(name), lambda *_: None), models.load(Path(name, "model"))


def test_it_chooses_among_classifiers_and_probes_and_reads_no_test(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    tiny.pretrained(tiny.recipe("supervised_half"))
    read: list[int] = []
    real = Store.batch
    monkeypatch.setattr(Store, "batch", lambda store, rows, *more: (read.extend(rows), real(store, rows, *more))[1])
    record, model = run("supervised_half")
    assert set(read) <= set(range(18))  # train and validation
    assert list(record.members) == [*CLASSIFIERS, *PROBES]
    assert sum(record.weights.values()) == pytest.approx(1) and set(record.weights) <= set(record.members)
    assert record.validation.nll <= min(one.nll for one in record.members.values()) + 1e-6
    assert record.chosen == "+".join(model.readers) and tuple(record.weights) == model.names
    store = Store("supervised_half")
    batch = store.batch(store.rows(0, "val"), 0)
    again = -model.task.log_likelihood(model(batch.inputs, batch.present), batch.y).mean().item()
    assert again == pytest.approx(record.validation.nll, rel=1e-5, abs=1e-7)


def test_it_pays_for_its_recipe_and_for_the_probes(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    tiny.pretrained(tiny.recipe("supervised_half"))
    record, other = run("supervised_half")[0], run("supervised_half", "other", "linear")[0]
    assert record.flops == other.flops and record.flops.pretrain == components.charged("supervised_half", 0)
    assert record.flops.train > 0


def test_a_recipe_without_labels_has_probes_alone(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    tiny.pretrained(tiny.recipe("selfsup"))
    record, _ = run("selfsup")
    assert list(record.members) == PROBES
    linear, _ = run("selfsup", "other", "linear")
    assert [one.nll for one in record.members.values()] == pytest.approx([one.nll for one in linear.members.values()],
                                                                          rel=1e-4, abs=1e-6)
    assert record.validation.nll <= linear.validation.nll + 1e-6
