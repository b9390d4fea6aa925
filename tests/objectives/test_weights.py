"""What a sample counts: a weight of 2 is the sample twice."""

import numpy as np
import pytest
import torch
from torch import nn

from tests import networks
from trivium.data.store import Batch
from trivium.modalities.spec import Spec
from trivium.objectives.network.dgl import Decoupled
from trivium.objectives.network.joint import Joint
from trivium.objectives.network.unimodal_losses import UnimodalLosses
from trivium.objectives.supervised import Supervised
from trivium.training import logistic

TASK = networks.task(3)
SPECS = {"text": Spec("text", "tokens", (8,), vocab=20), "image": Spec("image", "image", (1, 8, 8))}
COUNTS = torch.tensor([1, 2, 1, 3, 1, 2])
TWICE = torch.arange(6).repeat_interleave(COUNTS)
OBJECTIVES = {
    "joint": lambda: Joint(networks.multimodal(SPECS, 3)),
    "unimodal_losses": lambda: UnimodalLosses(networks.multimodal(SPECS, 3), {"text": 0.3, "image": 0.7}),
    "dgl": lambda: Decoupled(networks.multimodal(SPECS, 3)),
    "supervised": lambda: Supervised(networks.encoder(SPECS["text"]), TASK),
}


def batch(weight: torch.Tensor | None = None) -> Batch:
    generator = torch.Generator().manual_seed(0)
    inputs = {"text": torch.randint(3, 20, (6, 8), generator=generator),
              "image": torch.randn(6, 1, 8, 8, generator=generator)}
    present = torch.ones(6, 2, dtype=torch.bool)
    present[1, 0] = present[4, 1] = False
    return Batch(inputs, present, torch.tensor([0, 1, 2, 0, 1, 1]), weight=weight)


def slopes(objective: nn.Module, of: Batch) -> tuple[float, torch.Tensor]:
    """The loss, and its gradient with respect to all parameters."""
    value = objective.loss(of, torch.Generator())  # type: ignore[operator]
    found = torch.autograd.grad(value, list(objective.parameters()))
    return value.item(), torch.cat([one.flatten() for one in found])


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_sample_of_weight_two_is_the_sample_twice(name: str) -> None:
    torch.manual_seed(0)
    objective = OBJECTIVES[name]().eval()
    weighted, repeated, plain = (
        slopes(objective, of) for of in (batch(COUNTS.float()), batch()[TWICE], batch()))
    assert weighted[0] == pytest.approx(repeated[0], rel=1e-5)
    assert torch.allclose(weighted[1], repeated[1], atol=1e-6)
    assert (weighted[1] - plain[1]).norm() > 0.1 * plain[1].norm()  # losses alone may be alike by chance
    half = slopes(objective, batch(COUNTS / 2))
    assert half[0] == pytest.approx(weighted[0], rel=1e-5)  # how large weights are does not matter


def test_a_row_of_weight_two_is_the_row_twice_to_the_loss_of_a_linear_probe() -> None:
    y, counts, rows = np.array([0, 1, 2, 0, 1, 1]), COUNTS.numpy(), TWICE.numpy()
    scores = np.random.default_rng(0).normal(size=(6, 3))
    value, gradient = TASK.link(y).loss(scores.copy(), counts.astype(float))
    expected, each = TASK.link(y[rows]).loss(scores[rows])
    assert value == pytest.approx(expected)
    assert gradient == pytest.approx(np.stack([each[rows == row].sum(0) for row in range(6)]))


def test_a_linear_probe_is_fitted_as_if_rows_of_weight_two_were_there_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of rows that have the same mean and spread either way, since columns are standardised whatever rows count."""
    monkeypatch.setattr(logistic, "TOLERANCE", 1e-14)
    rng = np.random.default_rng(0)
    x = np.repeat([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], 30, 0)
    y, weight = rng.integers(3, size=120), np.tile([1, 2], 60)
    twice = np.repeat(np.arange(120), weight)

    def fitted(rows: np.ndarray, weight: np.ndarray | None = None) -> logistic.Fit:
        every = np.ones(len(rows), bool)
        return logistic.fit_blocks([x[rows]], [every], y[rows], [x], [np.ones(120, bool)], y, TASK, [(1e-2,)], weight)

    weighted, repeated, plain = fitted(np.arange(120), weight), fitted(twice), fitted(np.arange(120))
    assert weighted.weights[0] == pytest.approx(repeated.weights[0], abs=1e-5)
    assert weighted.intercept - weighted.intercept.mean() == pytest.approx(
        repeated.intercept - repeated.intercept.mean(), abs=1e-5)
    assert np.abs(weighted.weights[0] - plain.weights[0]).max() > 0.01
