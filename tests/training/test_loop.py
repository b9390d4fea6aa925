"""The loop learns, keeps its best weights, and goes on after a kill to the same weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from trivium.config import Train
from trivium.data.store import Batch
from trivium.training import device, loop
from trivium.training.feed import Feed
from trivium.training.loop import Schedule, fit

SETTINGS = Train(batch=16, weight_decay=0.0, warmup=0.1, clip=1.0, evaluations=5, augment=False, device="cpu",
                 workers=1)


class Line(nn.Module):
    """Logistic regression with dropout and NumPy's noise, so that a resumed run has random state to lose."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Dropout(0.2), nn.Linear(4, 2))

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        return nn.functional.cross_entropy(self.layers(batch.inputs["x"]) * np.random.uniform(0.9, 1.1), batch.y)

    def score(self, batch: Batch) -> tuple[Tensor, Tensor]:
        out = self.layers(batch.inputs["x"])
        return nn.functional.cross_entropy(out, batch.y, reduction="sum"), (out.argmax(1) == batch.y).sum()


def feed(count: int, seed: int) -> Feed:
    x = torch.randn(count, 4, generator=torch.Generator().manual_seed(seed))
    return Feed(Batch({"x": x}, torch.ones(count, 1, dtype=torch.bool), (x[:, 0] > 0).long()), np.arange(count), 0)


def train(task: Line, checkpoint: Path | None = None, steps: int = 50, lr: float = 0.1) -> list[dict]:
    return fit(task, feed(160, 1), feed(80, 2), Schedule(steps, 16, lr), SETTINGS, device.prepare("cpu"), 0,
               checkpoint=checkpoint)


def test_it_learns_and_the_history_says_how() -> None:
    history = train(Line())
    assert [row["step"] for row in history] == [0, 10, 20, 30, 40, 50]
    assert [row["epoch"] for row in history] == [0, 1, 2, 3, 4, 5]
    assert history[0]["train_loss"] is None
    assert history[-1]["val_nll"] < 0.25 < history[0]["val_nll"]
    assert history[-1]["val_accuracy"] > 0.95


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
    again = Line()
    assert train(again, tmp_path / "checkpoint.pt") == expected
    assert not (tmp_path / "checkpoint.pt").exists()
    for key, value in whole.state_dict().items():
        assert torch.equal(again.state_dict()[key], value)


def test_a_loss_that_is_not_finite_is_never_chosen() -> None:
    task = Line()
    with torch.no_grad():
        task.layers[1].weight.fill_(float("nan"))
    scored = loop.validate(task, feed(80, 2), device.prepare("cpu"))
    assert scored["val_nll"] == 1e9
