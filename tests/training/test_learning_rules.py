"""Strategies that change how a whole network learns, trained for real: what is frozen, what is paid, what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytest import MonkeyPatch

from tests.training import tiny
from trivium import models, strategies
from trivium.data.store import Store
from trivium.models import blocks
from trivium.models.network import Multimodal
from trivium.objectives.network import gradient_blending
from trivium.strategies.base import Phase, Plan
from trivium.training import blended, components, fused, planned, strategy
from trivium.training.records import Lacking, Seed

SCRATCH = ("ogm_ge", "mmpareto", "alternating", "gradient_blending", "modality_dropout")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: MonkeyPatch) -> Path:
    tiny.project(tmp_path, monkeypatch)
    for name in ("scratch", "supervised_half"):
        tiny.pretrained(tiny.recipe(name))
    return tmp_path


def train(name: str, limit: float = tiny.BUDGET, **settings: Any) -> tuple[Any, Multimodal]:
    """The record and the model of a strategy at its default settings, but for `settings`."""
    start = "scratch" if name in (*SCRATCH, "joint") else "supervised_half"
    return _trained(strategies.entry(name, {"start": start, "strategy": name} | settings), limit)


def run(plan: Plan, start: str) -> tuple[Any, Multimodal]:
    return _trained(strategies.Entry("own", "own", start, "own", {}, plan), tiny.BUDGET)


def _trained(entry: strategies.Entry, limit: float) -> tuple[Any, Multimodal]:
    unit = strategy.Unit(entry, strategy.chosen_fusion(entry), 0, tiny.LOOP, limit)
    record = fused.train(unit, Path(entry.name), lambda *_: None)
    model: Any = models.load(f"{entry.name}/model") if isinstance(record, Seed) else None
    return record, model


@pytest.mark.parametrize("name", SCRATCH)
def test_everybody_keeps_to_the_budget_and_can_be_loaded(place: Path, name: str) -> None:
    record, model = train(name)
    assert 0.8 < record.flops.total / tiny.BUDGET <= 1
    assert record.flops.analytic == pytest.approx(record.flops.total, rel=0.01)
    store = Store("scratch")
    batch = store.batch(np.arange(3), 0)
    assert model(batch.inputs, batch.present).isfinite().all()


def test_pareto_steps_cost_a_second_backward_pass(place: Path) -> None:
    """30 joint steps are the budget: of 3 passes each, the encoders now make 5, and the heads are small."""
    steps = {name: train(name)[0].history[-1].step for name in ("joint", "mmpareto")}
    assert steps == {"joint": 30, "mmpareto": 18}


def test_modulation_of_0_is_joint_training_in_its_weights(place: Path) -> None:
    (plain, model), (_, off) = train("joint"), train("ogm_ge", alpha=0.0)
    assert plain.history[-1].step == 30
    assert all(torch.equal(value, off.state_dict()[key]) for key, value in model.state_dict().items())


def test_what_is_frozen_stays_bit_for_bit(place: Path) -> None:
    plan = Plan("fusion", "concat", (Phase("some", 1.0, 0.01, ("encoders.last(1)", "head")),))
    _, model = run(plan, "supervised_half")
    for s in model.streams:
        before = components.encoder("supervised_half", s, 0)
        stem, last = blocks.groups(before)
        after, after_last = blocks.groups(model.encoders[s])
        assert all(torch.equal(a, b) for a, b in zip(stem, after, strict=True))
        assert not any(torch.equal(a, b) for a, b in zip(last, after_last, strict=True) if a.dim() > 1)


def test_unfreezing_goes_from_the_head_down_at_smaller_rates(place: Path) -> None:
    record, model = train("unfreezing", blocks=1, decay=0.5)
    assert list(dict.fromkeys(row.phase for row in record.history)) == ["head", "last_1", "all"]
    assert record.flops.total <= tiny.BUDGET and record.flops.analytic == record.flops.total
    network = models.multimodal({s: components.encoder("supervised_half", s, 0) for s in model.streams}, model.task,
                                {"name": "concat", "width": None}, 0)
    phase = Phase("all", 1.0, 0.01, decay=0.5)
    own = strategies.entry("one", {"start": "supervised_half", "strategy": "unfreezing"})
    unit = strategy.Unit(own, strategy.chosen_fusion(own), 0, tiny.LOOP, tiny.BUDGET)
    rates = fused._schedule(network, planned.Planned(phase, False, 1, 1.0, 1.0, 0.0), unit, 1, 9).slower
    stem, last = blocks.groups(network.encoders["image"])
    assert {rates[id(w)] for w in last} == {0.5} and {rates[id(w)] for w in stem} == {0.25}
    assert not set(rates) & {id(w) for w in network.head.parameters()}


def test_adapters_begin_as_the_probe(place: Path) -> None:
    """As full fine-tuning does, of which the same is known."""
    record, probe = train("adapters")[0], train("full")[0]
    assert record.history[0].val_nll == probe.history[0].val_nll
    assert record.flops.total <= tiny.BUDGET and record.flops.analytic == record.flops.total


def test_adapters_leave_the_encoders_as_they_are(place: Path) -> None:
    plan = Plan("fusion", "concat", (Phase("one", 1.0, 0.01, ("adapters", "fusion", "head")),), adapters=(2, 1))
    record, model = run(plan, "scratch")
    for s in model.streams:
        before, now = components.encoder("scratch", s, 0).state_dict(), model.encoders[s].state_dict()
        assert all(torch.equal(now[key], value) for key, value in before.items())
        assert len(now) == len(before) + 4
        assert model.encoders[s].adapters["0"].up.weight.any()
    assert record.parameters.trained == 3 * (2 * 16 + 2 + 16 * 2 + 16) + sum(
        p.numel() for part in (model.fusion, model.head) for p in part.parameters())


def test_weights_of_losses_by_hand() -> None:
    """G = 1 - .6 and O = (.6 - .4) - 0 give .4 / .04 = 10; G = .1 and O = .1 the same; G = 0 nothing."""
    before = {"": (1.0, 1.0), "a": (1.0, 1.0), "b": (1.0, 1.0)}
    after = {"": (0.4, 0.6), "a": (0.8, 0.9), "b": (0.5, 1.0)}
    assert blended.blend(before, after) == pytest.approx({"": 0.5, "a": 0.5, "b": 0.0})
    worse = {"": (0.4, 0.6), "a": (0.8, 1.1), "b": (1.0, 1.0)}  # -.1 and .3
    assert blended.blend(before, worse) == pytest.approx({"": 9 / 10, "a": 1 / 10, "b": 0.0})
    assert blended.blend(before, before) == pytest.approx(dict.fromkeys(before, 1 / 3))


def test_an_estimate_is_paid_and_leaves_no_trace_but_the_weights(place: Path) -> None:
    record, _ = train("gradient_blending", estimate=0.5)
    again, _ = train("gradient_blending", estimate=0.5)
    assert record == again
    assert record.blend.joint + sum(record.blend.streams.values()) == pytest.approx(1)
    assert set(record.blend.streams) == {"text", "image", "audio"}
    store = Store("scratch")
    network = models.multimodal({s: components.encoder("scratch", s, 0) for s in store.streams}, store.task_at(0),
                                {"name": "concat", "width": None}, 0)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    estimate = blended.Estimate(gradient_blending.Blended(network), store, 0, tiny.LOOP, tiny.BUDGET / 2)
    assert (estimate.held.sum(), len(estimate.held)) == (2, 12)
    assert estimate.flops <= tiny.BUDGET / 2
    assert record.history[0].flops == estimate.flops  # before the first step of the real training
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in before.items())
    lacking, _ = train("gradient_blending", limit=20 * tiny.ALL, estimate=0.5)
    assert isinstance(lacking, Lacking) and lacking.needed > 20 * tiny.ALL
