import pytest
import torch
from torch import nn

from tests import networks
from trivium.data.store import Batch
from trivium.modalities.spec import Spec
from trivium.objectives.ewc import EWC, fisher
from trivium.objectives.network.joint import Joint


class Line(nn.Module):
    """(a x - y)^2 / 2 of one weight."""

    labels = True

    def __init__(self, a, size=1):
        super().__init__()
        self.a = nn.Parameter(torch.full((size,), a))

    def loss(self, batch, generator):
        return ((self.a[0] * batch.inputs["x"] - batch.y) ** 2 / 2).mean()


def rows(*pairs):
    return [Batch({"x": torch.tensor([x])}, torch.ones(1, 1, dtype=torch.bool), torch.tensor([y])) for x, y in pairs]


def test_the_penalty_by_hand():
    """lambda / 2 * (F1 * 0.5^2 + F2 * 2^2) = 3 / 2 * (2 * 0.25 + 1 * 4) = 6.75"""
    inner = Line(1.0, 2)
    objective = EWC(inner, 3.0, {"a": torch.tensor([2.0, 1.0])})
    assert objective.penalty().item() == 0.0
    with torch.no_grad():
        inner.a.copy_(torch.tensor([1.5, -1.0]))
    assert objective.penalty().item() == pytest.approx(6.75)
    batch = rows((1.0, 1.0))[0]
    assert objective.loss(batch, torch.Generator()).item() == pytest.approx(0.125 + 6.75)


def test_the_fisher_information_by_hand():
    """Slopes (a x - y) x at a = 1: (2 - 0) 2 = 4 and (1 - 3) 1 = -2; the mean of their squares is 10."""
    assert fisher(Line(1.0), rows((2.0, 0.0), (1.0, 3.0)))["a"].tolist() == pytest.approx([10.0])


def test_new_rows_of_a_weight_are_free():
    objective = EWC(Line(1.0, 3), 1.0, {"a": torch.tensor([2.0, 1.0])})
    assert objective.fisher["a"].tolist() == [2.0, 1.0, 0.0]


def test_what_is_frozen_has_no_information():
    inner = Line(1.0)
    inner.a.requires_grad_(False)
    inner.b = nn.Parameter(torch.ones(1))
    assert list(fisher(inner, [])) == ["b"]


def test_lambda_0_is_the_other_objective_bit_for_bit():
    spec = Spec("photo", "image", (1, 8, 8), modality="image")
    batch = Batch({"photo": torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))},
                  torch.ones(6, 1, dtype=torch.bool), torch.arange(6) % 3)

    def slopes(strength):
        inner = Joint(networks.multimodal({"photo": spec}, 3))
        known = {name: torch.ones_like(one) for name, one in inner.named_parameters()}
        objective = inner if strength is None else EWC(inner, strength, known)
        with torch.no_grad():
            inner.model.head.weight.add_(1.0)
        objective.loss(batch, torch.Generator()).backward()
        return [one.grad for one in inner.parameters() if one.grad is not None]

    plain = slopes(None)
    assert all(map(torch.equal, slopes(0.0), plain))
    assert not all(map(torch.equal, slopes(1.0), plain))
