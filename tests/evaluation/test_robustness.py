"""Noise, wrong partners, late sounds and attacks on models where the damage can be computed by hand."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.evaluation import toys
from trivium.data.store import Batch
from trivium.evaluation import encoded
from trivium.evaluation.robustness import LEVELS, attacks, corruption, misalignment, relative, shift
from trivium.modalities.spec import Spec

WAVE = {"audio": Spec("audio", "waveform", (1, 4))}
BOTH = WAVE | {"image": Spec("image", "image", (1, 2, 2))}


def first_number_is_positive(v: dict[str, Tensor]) -> Tensor:
    return torch.stack([-v["audio"][:, 0], v["audio"][:, 0]], 1)


def waves(first: Tensor, y: Tensor) -> tuple[Batch, Batch, toys.Toy]:
    """Sounds whose first number is given, the same encoded, and a model that goes by that number alone."""
    model = toys.Toy(["audio"], first_number_is_positive)
    x = torch.zeros(len(first), 1, 4)
    x[:, 0, 0] = first
    batch = Batch({"audio": x}, torch.ones(len(first), 1, dtype=torch.bool), y)
    return batch, encoded.encode(model, batch, 100), model


def noise(batch: Batch, stream: str) -> Callable[[slice, float], Tensor]:
    """sqrt(1 - s) x + sqrt(s) z, the same z of a sample at every severity s."""
    x = batch.inputs[stream]
    z = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    return lambda part, severity: (1 - severity) ** 0.5 * x[part] + severity**0.5 * z[part]


def test_noise_takes_accuracy_to_chance() -> None:
    y = torch.arange(20_000) % 2
    batch, clean, model = waves(2.0 * y - 1, y)
    found = corruption(model, clean, "audio", noise(batch, "audio"), 5000)
    assert found.levels == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    # P(sqrt(1 - s) + sqrt(s) z > 0) of the normal distribution
    assert found.score == pytest.approx([1.0, 0.977, 0.890, 0.793, 0.691, 0.5], abs=0.01)
    assert found.relative == pytest.approx(0.820, abs=0.01)
    assert found == corruption(model, clean, "audio", noise(batch, "audio"), 777)


def test_a_modality_that_is_not_used_stays_flat() -> None:
    y = torch.arange(100) % 2
    model = toys.Toy(["audio", "image"], first_number_is_positive)
    x = torch.zeros(100, 1, 4)
    x[:, 0, 0] = 2.0 * y - 1
    batch = Batch({"audio": x, "image": torch.randn(100, 1, 2, 2)}, torch.ones(100, 2, dtype=torch.bool), y)
    found = corruption(model, encoded.encode(model, batch, 100), "image", noise(batch, "image"), 100)
    assert found.score == [1.0] * len(LEVELS)


def test_relative_robustness_is_the_area() -> None:
    assert relative([1.0, 0.5, 0.0], [0.0, 0.5, 1.0]) == pytest.approx(0.5)


def test_wrong_partners() -> None:
    """Labels alternate, so a stranger's sound is right half of the time."""
    y = torch.arange(2000) % 2
    _, clean, model = waves(2.0 * y - 1, y)
    found = misalignment(model, clean)["audio"]
    assert found == pytest.approx({"0.0": 1.0, "0.25": 0.875, "0.5": 0.75, "1.0": 0.5}, abs=0.02)
    assert found["0.0"] == 1.0


def test_a_late_sound() -> None:
    """Four numbers: a quarter later, the last one is where the first was."""
    y = torch.arange(10) % 2
    batch, clean, model = waves(2.0 * y - 1, y)
    batch.inputs["audio"][:3, 0, 3] = -batch.inputs["audio"][:3, 0, 0]
    batch.inputs["audio"][3:, 0, 3] = batch.inputs["audio"][3:, 0, 0]
    found = shift(model, batch, clean, WAVE, 10)["audio"]
    assert found == {"0.0": 1.0, "0.1": 1.0, "0.25": pytest.approx(0.7)}


def test_attacks_overcome_what_is_within_their_reach() -> None:
    """All samples are of class 1 and `first` away from the border: an attack of a greater strength flips them."""
    batch, clean, model = waves(torch.tensor([0.03, 0.07, 0.2, 0.9]), torch.ones(4, dtype=torch.int64))
    found = attacks(model, batch, clean, WAVE)["audio"]
    assert found.fgsm == found.pgd == {"0.0": 1.0, "0.05": 0.75, "0.1": 0.5, "0.25": 0.25}
    assert attacks(model, batch, clean, WAVE, size=5)["audio"] == found


def test_many_steps_find_what_one_step_misses() -> None:
    """The gradient at the start leads away from the weak spot behind the bend at 0.1 of the second number."""
    def rule(v: dict[str, Tensor]) -> Tensor:
        a, b = v["audio"][:, 0], v["audio"][:, 1]
        margin = 1.0 - 8 * a.clamp(max=0.02) - 40 * (a - 0.02).clamp(min=0) * b
        return torch.stack([torch.zeros_like(margin), margin], 1)

    model = toys.Toy(["audio"], rule)
    batch = Batch({"audio": torch.zeros(1, 1, 4)}, torch.ones(1, 1, dtype=torch.bool), torch.ones(1, dtype=torch.int64))
    found = attacks(model, batch, encoded.encode(model, batch, 1), WAVE)["audio"]
    assert found.fgsm["0.25"] == 1.0
    assert found.pgd["0.25"] == 0.0


def test_attacks_leave_weights_and_words_alone() -> None:
    model = toys.Toy(["text"], lambda v: v["text"])
    y = torch.tensor([0, 0])
    batch = Batch({"text": torch.ones(2, 3, dtype=torch.int64)}, torch.ones(2, 1, dtype=torch.bool), y)
    clean = toys.batch(y, text=torch.ones(2, 3))
    assert attacks(model, batch, clean, {"text": Spec("text", "tokens", (3,), 9)}) == {}


def test_many_steps_are_a_quarter_of_the_strength_each() -> None:
    """The weak spot is 0.02 wide, around 0.1875: three steps of 0.0625 with a strength of 0.25, out of reach else."""
    def rule(v: dict[str, Tensor]) -> Tensor:
        margin = (v["audio"][:, 0] - 0.1875).abs() - 0.01
        return torch.stack([torch.zeros_like(margin), margin], 1)

    model = toys.Toy(["audio"], rule)
    batch = Batch({"audio": torch.zeros(1, 1, 4)}, torch.ones(1, 1, dtype=torch.bool), torch.ones(1, dtype=torch.int64))
    found = attacks(model, batch, encoded.encode(model, batch, 1), WAVE)["audio"]
    assert found.fgsm == {"0.0": 1.0, "0.05": 1.0, "0.1": 1.0, "0.25": 1.0}
    assert found.pgd == {"0.0": 1.0, "0.05": 1.0, "0.1": 1.0, "0.25": 0.0}
