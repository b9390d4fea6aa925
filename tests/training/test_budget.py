"""Counted and analytic FLOPs are those of a count by hand."""

from pathlib import Path

import pytest
import torch
from torch import nn

from tests import networks
from tests.training import tiny
from trivium import models
from trivium.data.store import Store
from trivium.data.tables import read_json, write_json
from trivium.modalities.spec import Spec
from trivium.models.network import Multimodal
from trivium.settings.errors import UserError
from trivium.training import budget
from trivium.training.settings import Budget

SPECS = {
    "text": Spec("text", "tokens", (24,), vocab=100),
    "image": Spec("image", "image", (3, 32, 32)),
    "audio": Spec("audio", "spectrogram", (1, 40, 96)),
}


def network(encoder: str, fusion: str) -> Multimodal:
    return networks.multimodal(SPECS, 10, fusion, architecture=encoder, width=32, depth=2)


def scores(model: Multimodal) -> torch.Tensor:
    batch = budget.example(SPECS, networks.task(10))
    return model.outputs(model.vectors(batch.inputs), batch.present)


def test_linear_layer_by_hand() -> None:
    layer = nn.Linear(10, 20, bias=False)
    x = torch.zeros(2, 10)
    # forward 2 * 10 * 20 per sample, gradient of the weight the same, none of the input
    assert budget.counted(lambda: layer(x).sum()) == 800
    assert budget.analytic(layer, lambda: layer(x).sum()) == 800


def test_a_grouped_convolution_costs_a_part_of_a_full_one_forward_and_backward() -> None:
    """2 per weight and output: 8 outputs of 3 weights at 10 places; three times, and twice where it reads the input."""
    layer = nn.Conv1d(8, 8, 3, padding=1, groups=8, bias=False)
    x = torch.zeros(2, 8, 10)
    for count, given in ((2, x), (3, x.clone().requires_grad_())):
        assert budget.counted(lambda given=given: layer(given).sum()) == count * 2 * 8 * 3 * 10
        assert budget.analytic(layer, lambda given=given: layer(given).sum()) == count * 2 * 8 * 3 * 10


TOKENS = {"text": 24, "image": 64, "audio": 24}  # patches of 4 x 4 pixels and of 4 frames


def by_hand(encoder: str, fusion: str) -> float:
    """Training FLOPs of one sample, width D = 32, two blocks: 2 per weight and output, three times (forward, gradient
    of the weights, gradient of the input); attention 4 T^2 D, forward once and backward 2.5 times.
    """
    d = 32
    stems = 64 * (3 * 4 * 4) * d + 24 * (40 * 4) * d  # read the input, which needs no gradient; words are looked up
    layers, attended = 10 * d, 0  # the head
    for t in TOKENS.values():
        if encoder == "cnn":
            layers += 2 * t * d * d * (9 if t == 64 else 3)
        else:
            layers += 2 * t * (4 * d * d + 2 * d * 2 * d)  # query, key, value, out; there and back
            attended += 2 * t * t * d
    if fusion == "concat":
        layers += 3 * d * 2 * d + 2 * d * d
    else:
        layers += 4 * (4 * d * d + 2 * d * 2 * d)  # four tokens: the summary and the streams
        attended += 4 * 4 * d
    return 2 * (2 * stems + 3 * layers) + 4 * 3.5 * attended


@pytest.mark.parametrize("encoder", ["cnn", "transformer"])
@pytest.mark.parametrize("fusion", ["concat", "attention"])
def test_a_network_by_hand(encoder: str, fusion: str) -> None:
    model = network(encoder, fusion)

    def loss() -> torch.Tensor:
        return scores(model).square().sum()

    assert budget.counted(loss) == by_hand(encoder, fusion) > 1e6
    model.zero_grad()
    assert budget.analytic(model, loss) == by_hand(encoder, fusion)


def test_frozen_encoders_cost_their_forward_pass_only() -> None:
    model = network("cnn", "concat")
    everything = budget.counted(lambda: scores(model).sum())
    model.encoders.requires_grad_(False)
    frozen = budget.counted(lambda: scores(model).sum())
    assert frozen == pytest.approx(everything / 3, rel=0.08)


def test_steps_never_exceed_the_budget() -> None:
    assert budget.steps(1e6, 100.0, 64) == 156
    assert budget.steps(10.0, 100.0, 64) == 1


def test_projections_of_unequal_widths_are_paid_for() -> None:
    """Text is 16 wide, image 32, and the fusion 64: D_s x 64 each, three times 2 FLOPs, and nothing for their sum."""
    specs = {s: SPECS[s] for s in ("text", "image")}
    batch = budget.example(specs, networks.task(10))
    costs = {}
    for width in (64, 32):
        model = models.multimodal({"text": networks.encoder(SPECS["text"], width=16),
                                            "image": networks.encoder(SPECS["image"], width=32)}, networks.task(10),
                                           {"name": "concat", "width": width}, 0)
        costs[width] = budget.counted(lambda m=model: m(batch.inputs, batch.present).sum(), module=model)
    top = {64: 16 * 64 + 32 * 64 + 128 * 128 + 128 * 64 + 64 * 10, 32: 16 * 32 + 64 * 64 + 64 * 32 + 32 * 10}
    assert costs[64] - costs[32] == 6 * (top[64] - top[32])


def test_the_budget_of_so_many_epochs_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    settings = Budget(of="end_to_end", epochs=10, flops=None)
    found = budget.write(Store("scratch"), {"name": "concat", "width": None}, settings, 2, budget.BUDGET)
    assert found == [42_662_400, 42_662_400] == [tiny.BUDGET] * 2 == budget.read()
    assert read_json(budget.BUDGET) == {"of": "end_to_end", "epochs": 10, "flops": [42_662_400] * 2}


def test_a_budget_in_flops_is_everybodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    settings = Budget(of="end_to_end", epochs=10, flops=5e6)
    assert budget.write(Store("scratch"), {"name": "concat"}, settings, 2, budget.BUDGET) == [5e6, 5e6]
    assert read_json(budget.BUDGET)["epochs"] is None


def test_the_setting_that_would_be_enough(tmp_path: Path) -> None:
    assert budget.enough(1.4e10, 4.83e11, tmp_path) == "`budget.flops: 4.9e+11`"
    assert budget.enough(1.0, 4.0, tmp_path) == "`budget.flops: 4.0e+00`"
    write_json({"of": "end_to_end", "epochs": 20.0, "flops": [1e9]}, tmp_path / "models/budget.json")
    assert budget.enough(1e9, 4.01e9, tmp_path) == "`budget.epochs: 81`"
    assert budget.enough(1e9, 72_061.2e9, tmp_path) == "`budget.epochs: 1500000`"


def test_without_a_budget_nobody_begins(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="budget.json is not there: run `dvc repro budget` first"):
        budget.read(tmp_path)
