"""The loop learns, keeps its best weights, and goes on after a kill to the same weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests import networks
from trivium.data.store import Batch
from trivium.machine import device
from trivium.training import loop
from trivium.training.feed import Feed
from trivium.training.loop import Schedule, fit
from trivium.training.settings import Loop

SETTINGS = Loop(batch=16, weight_decay=0.0, warmup=0.1, clip=1.0, evaluations=5, augment=False, device="cpu",
                workers=1)


class Line(nn.Module):
    """Logistic regression with dropout and NumPy's noise, so that a resumed run has random state to lose."""

    labels = True
    task = networks.task(2)

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Dropout(0.2), nn.Linear(4, 2))

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        return nn.functional.cross_entropy(self.outputs(batch) * np.random.uniform(0.9, 1.1), batch.y)

    def outputs(self, batch: Batch) -> Tensor:
        return self.layers(batch.inputs["x"])

    def nll(self, outputs: Tensor, y: Tensor) -> float:
        return nn.functional.cross_entropy(outputs, y).item()


def feed(count: int, seed: int) -> Feed:
    x = torch.randn(count, 4, generator=torch.Generator().manual_seed(seed))
    return Feed(Batch({"x": x}, torch.ones(count, 1, dtype=torch.bool), (x[:, 0] > 0).long()), np.arange(count), 0)


def train(task: Line, checkpoint: Path | None = None, steps: int = 50, lr: float = 0.1,
          watch: Callable[[dict], None] = lambda row: None) -> list[dict]:
    return fit(task, feed(160, 1), feed(80, 2), Schedule(steps, 16, lr), SETTINGS, device.prepare("cpu"), 0,
               checkpoint=checkpoint, watch=watch)


def test_it_learns_and_the_history_says_how() -> None:
    history = train(Line())
    assert [row["step"] for row in history] == [0, 10, 20, 30, 40, 50]
    assert [row["epoch"] for row in history] == [0, 1, 2, 3, 4, 5]
    assert history[0]["train_loss"] is None
    assert history[-1]["val_nll"] < 0.25 < history[0]["val_nll"]
    assert history[-1]["val_score"] > 0.95


def test_the_weights_of_the_lowest_validation_nll_are_kept() -> None:
    task = Line()
    history = train(task, lr=30.0)  # far too large: later weights are worse
    scored = loop.validate(task, feed(80, 2), device.prepare("cpu"))
    assert scored["val_nll"] == pytest.approx(min(row["val_nll"] for row in history))


def test_validation_is_measured_once_an_epoch_at_most() -> None:
    assert [row["step"] for row in train(Line(), steps=20)] == [0, 10, 20]


def test_a_killed_run_ends_with_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Line()
    expected = train(whole)
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 0.0)
    killed, seen = Line(), []
    original = killed.loss

    def dies(batch: Batch, generator: torch.Generator) -> Tensor:
        seen.append(1)
        if len(seen) == 25:
            raise KeyboardInterrupt
        return original(batch, generator)

    killed.loss = dies  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        train(killed, tmp_path / "checkpoint.pt")
    assert (tmp_path / "checkpoint.pt").exists()
    again, watched = Line(), list[dict]()
    assert train(again, tmp_path / "checkpoint.pt", watch=watched.append) == expected
    assert watched == expected[1:]  # those of the killed run as well
    assert not (tmp_path / "checkpoint.pt").exists()
    for key, value in whole.state_dict().items():
        assert torch.equal(again.state_dict()[key], value)


class Scripted(nn.Module):
    """A number that the loss pulls down as hard as a batch says, and weights that it ignores; `judge` chooses."""

    labels = False

    def __init__(self, judge: Callable[[Scripted], Tensor]) -> None:
        super().__init__()
        self.number, self.judge = nn.Parameter(torch.zeros(())), judge
        self.vector, self.matrix = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2, 2))
        self.draws: list[float] = []

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        self.draws.append(torch.rand((), generator=generator).item())
        return (self.number * batch.inputs["x"]).sum() + 0 * (self.vector.sum() + self.matrix.sum())

    def score(self, batch: Batch) -> Tensor:
        return self.judge(self)

    def fit(self, pulls: list[float], steps: int, seed: int = 0, **settings: float) -> list[dict]:
        """`steps` steps at a peak learning rate of 1, one sample each, measured after each epoch."""
        one = Feed(Batch({"x": torch.tensor(pulls)}, torch.ones(len(pulls), 1, dtype=torch.bool),
                         torch.zeros(len(pulls), dtype=torch.int64)), np.arange(len(pulls)), seed)
        return fit(self, one, one, Schedule(steps, 1, 1.0), SETTINGS.model_copy(update=settings),
                   device.prepare("cpu"), seed)


def test_the_learning_rate_warms_up_and_falls_to_nothing_as_a_cosine() -> None:
    """Adam goes one learning rate per step where all gradients are equal."""
    for warmup, rates in ((0.0, [1, 1, 0.75, 0.25]), (0.5, [0.5, 1, 1, 0.5]), (1.0, [0.25, 0.5, 0.75, 1])):
        task = Scripted(lambda task: task.number)
        task.fit([1.0], 4, warmup=warmup)
        assert task.number.item() == pytest.approx(-sum(rates), rel=1e-5), warmup


def test_weights_decay_and_biases_do_not() -> None:
    task = Scripted(lambda task: task.matrix.sum())
    task.fit([1.0], 4, warmup=0.0, weight_decay=0.1)
    torch.testing.assert_close(task.matrix.detach(), torch.full((2, 2), 0.9 * 0.9 * 0.925 * 0.975))
    assert task.vector.tolist() == [1.0, 1.0]


def test_a_gradient_is_cut_to_the_norm_that_is_allowed() -> None:
    """Both gradients become 1, so that Adam sees equal ones; uncut, the second step would be another."""
    task = Scripted(lambda task: task.number)
    task.fit([5.0, 1000.0], 2, warmup=0.0, clip=1.0)
    assert task.number.item() == pytest.approx(-2.0, rel=1e-5)


def test_weights_that_were_best_half_way_come_back() -> None:
    task = Scripted(lambda task: (task.number + 2).square())
    history = task.fit([1.0], 5, warmup=0.0)
    assert [row["val_nll"] for row in history] == pytest.approx([4, 1, 0, 0.7286, 1.8321, 2.25], abs=1e-3)
    assert task.number.item() == pytest.approx(-2.0)


def test_what_a_step_draws_depends_on_the_seed_and_the_step() -> None:
    tasks = [Scripted(lambda task: task.number) for _ in range(3)]
    for task, seed in zip(tasks, (0, 0, 1), strict=True):
        task.fit([1.0], 4, seed)
    assert tasks[0].draws == tasks[1].draws
    assert len({*tasks[0].draws, *tasks[2].draws}) == 8


def test_a_sample_counts_once_however_the_batches_fall(monkeypatch: pytest.MonkeyPatch) -> None:
    accelerator, task, scripted = device.prepare("cpu"), Line(), Scripted(lambda task: torch.tensor(3.0))
    whole = loop.validate(task, feed(80, 2), accelerator)
    monkeypatch.setattr(loop, "VALIDATION_BATCH", 7)
    assert loop.validate(task, feed(80, 2), accelerator) == pytest.approx(whole)
    assert loop.validate(scripted, feed(80, 2), accelerator) == {"val_nll": pytest.approx(3.0), "val_score": 0.0}


def test_a_loss_that_is_not_finite_is_never_chosen() -> None:
    task = Line()
    with torch.no_grad():
        task.layers[1].weight.fill_(float("nan"))
    scored = loop.validate(task, feed(80, 2), device.prepare("cpu"))
    assert scored["val_nll"] == 1e9


class Still(Line):
    """Its rule for gradients: none."""

    def after_backward(self) -> None:
        for weight in self.parameters():
            assert weight.grad is not None
            weight.grad.zero_()


def test_an_objective_sees_to_the_gradients_before_the_step() -> None:
    still, start = Still(), Still().layers[1].weight
    train(still)
    assert torch.equal(still.layers[1].weight, start)
