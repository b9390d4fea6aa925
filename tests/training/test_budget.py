"""Counted and analytic FLOPs agree, and both agree with a count by hand."""

import pytest
import torch
from torch import nn

from trivium import models
from trivium.data.store import Spec
from trivium.training import budget

SPECS = {
    "text": Spec("text", "tokens", (24,), vocab=100),
    "image": Spec("image", "image", (3, 32, 32)),
    "audio": Spec("audio", "spectrogram", (1, 40, 96)),
}


def network(encoder: str, fusion: str) -> models.build.Multimodal:
    settings = {"width": 32, "depth": 2, "text": encoder, "image": encoder, "audio": encoder}
    return models.multimodal(settings, SPECS, 10, fusion, seed=0)


def test_linear_layer_by_hand() -> None:
    layer = nn.Linear(10, 20, bias=False)
    x = torch.zeros(2, 10)
    # forward 2 * 10 * 20 per sample, gradient of the weight the same, none of the input
    assert budget.counted(lambda: layer(x).sum()) == 800
    assert budget.analytic(layer, lambda: layer(x).sum()) == 800


@pytest.mark.parametrize("encoder", ["cnn", "transformer"])
@pytest.mark.parametrize("fusion", ["concat", "attention"])
def test_counted_and_analytic_agree_within_5_percent(encoder: str, fusion: str) -> None:
    model = network(encoder, fusion)
    batch = budget.example(SPECS)

    def loss() -> torch.Tensor:
        return model.logits(batch.inputs, batch.present).square().sum()

    counted = budget.counted(loss)
    model.zero_grad()
    assert counted > 1e6
    assert budget.analytic(model, loss) == pytest.approx(counted, rel=0.05)


def test_frozen_encoders_cost_their_forward_pass_only() -> None:
    model = network("cnn", "concat")
    batch = budget.example(SPECS)
    everything = budget.counted(lambda: model.logits(batch.inputs, batch.present).sum())
    model.encoders.requires_grad_(False)
    frozen = budget.counted(lambda: model.logits(batch.inputs, batch.present).sum())
    assert frozen == pytest.approx(everything / 3, rel=0.08)


def test_steps_never_exceed_the_budget() -> None:
    assert budget.steps(1e6, 100.0, 64) == 156
    assert budget.steps(10.0, 100.0, 64) == 1
