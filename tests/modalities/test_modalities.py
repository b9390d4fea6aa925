import pytest
import torch

from trivium import modalities
from trivium.errors import UserError


def test_the_modalities_are_the_files():
    assert modalities.names() == ("audio", "image", "text")


def test_an_unknown_modality_is_told_with_the_known_ones():
    with pytest.raises(UserError, match=r"no modality `smell`.*audio, image, text"):
        modalities.get("smell")


def test_settings_are_typed():
    assert modalities.settings("image", {"image": {"size": 32, "channels": 1}}).channels == 1


@pytest.mark.parametrize(("raw", "words"), [
    ({}, "`preprocess.image` is missing; it has the keys size, channels"),
    ({"image": {"sizes": 32, "channels": 3}}, r"unknown key `preprocess.image.sizes`; did you mean `size`"),
    ({"image": {"size": 32}}, r"`preprocess.image.channels` is missing"),
    ({"image": {"size": 4, "channels": 3}}, r"`preprocess.image.size`.*got 4"),
])
def test_wrong_settings_are_told(raw, words):
    with pytest.raises(UserError, match=words):
        modalities.settings("image", raw)


def test_noise_goes_from_the_signal_to_none_of_it_at_constant_variance():
    x = torch.randn(200, 1, 10, 10, generator=torch.Generator().manual_seed(1))

    def noisy(severity):
        return modalities.add_noise(x, severity, torch.Generator().manual_seed(2))

    assert torch.equal(noisy(0.0), x)
    for severity in (0.25, 0.5, 1.0):
        kept = torch.corrcoef(torch.stack([x.flatten(), noisy(severity).flatten()]))[0, 1]
        assert kept.item() == pytest.approx((1 - severity) ** 0.5, abs=0.02)
        assert noisy(severity).std().item() == pytest.approx(1.0, abs=0.02)
    assert torch.equal(noisy(0.5), noisy(0.5))
