"""Networks: paired seeds, sums of log-probabilities, and files that come back as they were."""

import math
from pathlib import Path

import torch
from torch import nn

from trivium import models
from trivium.modalities.spec import Spec
from trivium.models import files
from trivium.models.network import Ensemble, Unimodal

SPECS = {"text": Spec("text", "tokens", (6,), vocab=20), "image": Spec("image", "image", (1, 8, 8))}
SETTINGS = {"width": 16, "depth": 1, "text": "cnn", "image": "cnn", "audio": "cnn"}
INPUTS = {"text": torch.randint(3, 20, (5, 6), generator=torch.Generator().manual_seed(1)),
          "image": torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(2))}
PRESENT = torch.ones(5, 2, dtype=torch.bool)


def test_an_encoder_of_one_seed_starts_the_same_in_every_network() -> None:
    alone = models.encoder(SETTINGS, SPECS["image"], seed=3)
    joint = models.multimodal(SETTINGS, SPECS, 4, "attention", seed=3)
    other = models.encoder(SETTINGS, SPECS["image"], seed=4)
    torch.testing.assert_close(alone(INPUTS["image"]), joint.features(INPUTS)["image"])
    assert not torch.allclose(alone(INPUTS["image"]), other(INPUTS["image"]))


def test_parts_of_one_seed_start_from_different_weights() -> None:
    other = Spec("audio", "image", (1, 8, 8))
    image, audio = (models.encoder(SETTINGS, spec, seed=0) for spec in (SPECS["image"], other))
    assert not torch.allclose(image(INPUTS["image"]), audio(INPUTS["image"]))


def test_building_leaves_the_global_random_state_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    models.multimodal(SETTINGS, SPECS, 4, "concat", seed=0)
    assert torch.equal(torch.rand(3), expected)


def test_a_saved_model_comes_back(tmp_path: Path) -> None:
    model = models.multimodal(SETTINGS, SPECS, 4, "concat", seed=1).eval()
    model.temperature.fill_(2.0)
    about = files.describe("fusion", SETTINGS, SPECS, tuple("abcd"), fusion="concat", modalities=["text", "image"])
    models.save(model, about, tmp_path / "one")
    models.save(model, about, tmp_path / "two")
    again = models.load(tmp_path / "one")
    assert torch.equal(again(INPUTS, PRESENT), model(INPUTS, PRESENT))
    assert (tmp_path / "one/model.safetensors").read_bytes() == (tmp_path / "two/model.safetensors").read_bytes()


class Fixed(nn.Module):
    """An encoder whose vector is the log of given probabilities."""

    width = 2

    def __init__(self, *probabilities: float) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.tensor([math.log(p) for p in probabilities]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.log.expand(len(x), -1)


def member(*probabilities: float) -> Unimodal:
    model = Unimodal(Fixed(*probabilities), 2)
    with torch.no_grad():
        model.head.weight.copy_(torch.eye(2))
        model.head.bias.zero_()
    return model


def test_the_ensemble_multiplies_probabilities_of_present_modalities() -> None:
    ensemble = Ensemble({"text": member(0.8, 0.2), "image": member(0.6, 0.4)}, ("text", "image"))
    present = torch.tensor([[True, True], [True, False], [False, False]])
    inputs = {"text": torch.zeros(3, 1), "image": torch.zeros(3, 1)}
    # 0.8 * 0.6 against 0.2 * 0.4; text alone; nothing at all
    expected = torch.tensor([[6 / 7, 1 / 7], [0.8, 0.2], [0.5, 0.5]])
    torch.testing.assert_close(ensemble(inputs, present).exp(), expected)


def test_a_temperature_flattens() -> None:
    model = models.multimodal(SETTINGS, SPECS, 4, "concat", seed=0).eval()
    sharp = model(INPUTS, PRESENT)
    model.temperature.fill_(2.0)
    torch.testing.assert_close(model(INPUTS, PRESENT), (sharp / 2).log_softmax(-1))
    ensemble = Ensemble({"text": member(0.8, 0.2)}, ("text",))
    ensemble.temperatures.fill_(2.0)
    present = torch.ones(1, 1, dtype=torch.bool)
    # square roots of 4 : 1 are 2 : 1
    torch.testing.assert_close(ensemble({"text": torch.zeros(1, 1)}, present).exp(), torch.tensor([[2 / 3, 1 / 3]]))
