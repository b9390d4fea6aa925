"""Private training: what a row can do is cut, drawn rows and noise are secret and the same again, and what is spent is
counted; an attack that tells who was trained on finds them without it and does not with it.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytest import MonkeyPatch
from torch import Tensor, nn

from tests import networks
from tests.training import tiny
from trivium import strategies
from trivium.data.store import Batch
from trivium.data.tables import read_json
from trivium.machine import device
from trivium.settings.errors import UserError
from trivium.strategies.base import Private
from trivium.training import private, strategy
from trivium.training.feed import Feed
from trivium.training.loop import Schedule, fit
from trivium.training.private import Noise

pytest.importorskip("opacus")

SECRET = b"s" * 32
ROWS, WIDTH = 200, 64


class Head(nn.Module):
    """Two layers, wide enough to learn rows by heart."""

    labels = True
    task = networks.task(2)

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Linear(WIDTH, 64), nn.ReLU(), nn.Linear(64, 2))

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        return self.task.loss(self.outputs(batch), batch.y)

    def outputs(self, batch: Batch) -> Tensor:
        return self.layers(batch.inputs["x"])

    def nll(self, outputs: Tensor, y: Tensor) -> float:
        return nn.functional.cross_entropy(outputs, y).item()


def batch(seed: int, rows: int = ROWS) -> Batch:
    """Noise, with labels that say nothing of it."""
    draw = torch.Generator().manual_seed(seed)
    x, y = torch.randn(rows, WIDTH, generator=draw), torch.randint(2, (rows,), generator=draw)
    return Batch({"x": x}, torch.ones(rows, 1, dtype=torch.bool), y)


def feed(seed: int) -> Feed:
    return Feed(batch(seed), np.arange(ROWS), 0)


def train(noise: Noise | None, steps: int = 60) -> Head:
    task = Head()
    fit(task, feed(1), feed(2), Schedule(steps, 20, 0.01, noise=noise), tiny.LOOP, device.prepare("cpu"), 0, last=True)
    return task


def attack(task: Head) -> float:
    """The area under the curve of who says "it was trained on" of rows with a low loss (Yeom et al. 2018): 0.5 of who
    cannot tell.
    """
    with torch.no_grad():
        inside, outside = (task.task.losses(task.outputs(batch(seed)), batch(seed).y).numpy() for seed in (1, 3))
    lower = (inside[:, None] < outside[None]).mean() + (inside[:, None] == outside[None]).mean() / 2
    return float(lower)


def test_an_attack_finds_the_train_rows_without_privacy_and_not_with_it() -> None:
    assert attack(train(None)) > 0.8
    noise = private.noise(Private(epsilon=1.0, delta=1e-4), 60, 20 / ROWS, SECRET)
    assert noise is not None
    assert attack(train(noise, 60)) < 0.56
    assert attack(train(Noise(1.0, 0.0, SECRET), 60)) > 0.7  # it is the noise that hides them, not the cut alone


def test_the_gradient_is_the_sum_of_cut_ones_and_noise() -> None:
    task, some = Head(), batch(5, 6)
    made = private.Gradients(task, Noise(0.5, 0.0, SECRET), 4, device.prepare("cpu"))
    assert made.backward(some, 0).item() == 0
    found = [weight.grad.clone() for weight in task.parameters() if weight.grad is not None]
    expected = [torch.zeros_like(weight) for weight in task.parameters()]
    for k in range(6):
        one = torch.autograd.grad(nn.functional.cross_entropy(task.outputs(some[k: k + 1]), some.y[k: k + 1]),
                                  list(task.parameters()))
        norm = torch.cat([part.flatten() for part in one]).norm()
        assert norm > 0.5
        for total, part in zip(expected, one, strict=True):
            total += part * 0.5 / norm / 4
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs)
    noisy = private.Gradients(task, Noise(0.5, 3.0, SECRET), 4, device.prepare("cpu"))
    noisy.backward(some[:0], 0)
    drawn = torch.cat([weight.grad.flatten() for weight in task.parameters() if weight.grad is not None])
    assert drawn.std().item() == pytest.approx(0.5 * 3.0 / 4, rel=0.03) and abs(drawn.mean().item()) < 0.02


def test_a_row_that_is_no_number_says_nothing() -> None:
    task, some = Head(), batch(5, 6)
    some.inputs["x"][2] = math.nan
    private.Gradients(task, Noise(0.5, 0.0, SECRET), 4, device.prepare("cpu")).backward(some, 0)
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in task.parameters())


def test_each_row_comes_by_its_own_draw() -> None:
    drawn = private.Drawn(feed(1), Noise(1.0, 1.0, SECRET))
    index = [drawn._index(20, step).tolist() for step in range(400)]
    sizes = [len(one) for one in index]
    assert np.mean(sizes) == pytest.approx(20, abs=0.8) and np.var(sizes) == pytest.approx(18, rel=0.25)
    assert all(len(set(one)) == len(one) for one in index) and {k for one in index for k in one} == set(range(ROWS))
    assert [len(one) for one in drawn.training(20, 3, 6)] == sizes[3:6]
    assert drawn.named(20, 3) == [f"row {k}" for k in index[3]]


def test_the_same_secret_draws_the_same_and_another_one_does_not(tmp_path: Path) -> None:
    one, other = (private.secret(tmp_path, unit) for unit in ("a", "b"))
    assert one == private.secret(tmp_path, "a") != other and len(one) == 32
    assert (tmp_path / "private.key").stat().st_mode & 0o777 == 0o600
    first, again, third = (Noise(1.0, 1.0, key).draws("noise", 0).standard_normal(4).tolist()
                           for key in (one, one, other))
    assert first == again != third
    assert Noise(1.0, 1.0, one).draws("noise", 1).standard_normal(4).tolist() != first


def test_what_is_spent_is_what_was_wanted_and_no_more() -> None:
    wanted = Private(epsilon=3.0, delta=1e-5)
    noise = private.noise(wanted, 500, 0.04, SECRET)
    assert noise is not None
    assert 2.9 < private.spent(noise.multiplier, 0.04, 500, 1e-5) <= 3.0
    assert private.spent(noise.multiplier, 0.04, 1000, 1e-5) > 3.0
    assert private.spent(1.0, 1.0, 1, 1e-5) == pytest.approx(4.75, abs=0.15)  # one Gaussian release, by RDP


def entry(name: str, start: str, **changes: Any) -> strategies.Entry:
    return strategies.entry(name, {"start": start, "strategy": "frozen",
                                   "private": {"epsilon": 3, "delta": 0.01}} | changes)


@pytest.mark.slow
def test_a_private_strategy_records_what_it_spent(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    for recipe in ("scratch", "supervised_half"):
        tiny.pretrained(tiny.recipe(recipe))
    for name, start, what in (("heads", "scratch", "frozen"), ("heads", "supervised_half", "frozen"),
                              ("lora", "scratch", "lora")):
        out = tmp_path / "models" / f"{name}_{start}"
        strategy.train(entry(name, start, strategy=what), tiny.LOOP, [3 * tiny.BUDGET], out)
        seed = read_json(out / "training.json")["seeds"][0]
        found = seed["private"]
        assert 2.8 < found["epsilon"] <= 3.0 and found["delta"] == 0.01 and found["rate"] == pytest.approx(1 / 3)
        assert found["steps"] == seed["history"][-1]["step"] and found["noise"] > 0.3
        assert all("train_loss" not in row or row["train_loss"] is None for row in seed["history"])
        assert (len(found["besides"]) == 3) == (start == "supervised_half")
        before = (out / "seed_0/model.safetensors").read_bytes()
        strategy.train(entry(name, start, strategy=what), tiny.LOOP, [3 * tiny.BUDGET], out)
        assert (out / "seed_0/model.safetensors").read_bytes() == before


def test_what_is_not_counted_is_refused(monkeypatch: MonkeyPatch) -> None:
    wanted = Private(epsilon=3.0, delta=1e-5)
    private.check(wanted, tiny.LOOP, "train.mine", 1000, 0)
    for loop, trials, name in ((tiny.LOOP.model_copy(update={"mixup": 0.2}), 0, "loop.mixup"),
                               (tiny.LOOP.model_copy(update={"balance": "weights"}), 0, "loop.balance"),
                               (tiny.LOOP, 5, "tune.trials")):
        with pytest.raises(UserError, match=f"which `{name}` does not allow: switch that off"):
            private.check(wanted, loop, "train.mine", 1000, trials)
    with pytest.raises(UserError, match=r"`train.mine.private.delta` is 1e-05, and with 100,000 train rows"):
        private.check(wanted, tiny.LOOP, "train.mine", 100_000, 0)
    monkeypatch.setattr(private, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install -r private.in"):
        private.check(wanted, tiny.LOOP, "train.mine", 1000, 0)


def test_only_heads_and_lora_are_private() -> None:
    assert "private" not in entry("mine", "scratch", private=None).settings
    assert entry("mine", "scratch").settings["private"] == {"epsilon": 3.0, "delta": 0.01, "clip": 1.0}
    with pytest.raises(UserError, match="unknown key `train.mine.private`"):
        entry("mine", "scratch", strategy="joint")
    lora = entry("mine", "scratch", strategy="lora").plan
    assert not lora.probe and lora.phases[0].private == Private(epsilon=3.0, delta=0.01)
