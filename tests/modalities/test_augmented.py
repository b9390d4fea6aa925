"""Settings of augmentation: each does what it says and no more, and what is usual is as it was without any."""

import math

import pytest
import torch

from trivium import modalities
from trivium.modalities import shift
from trivium.modalities.augmented import audio, image, table, text
from trivium.modalities.spec import Spec
from trivium.settings.errors import UserError
from trivium.training.augment import Augment
from trivium.training.settings import Loop

PICTURE = Spec("photo", "image", (3, 8, 8), modality="image")
SOUND, WAVE = Spec("audio", "spectrogram", (1, 20, 30)), Spec("audio", "waveform", (1, 100))
ROW = Spec("table", "columns", (2, 2), columns=(("area", 2), ("kind", 4)))
LOOP = {"batch": 4, "weight_decay": 0.0, "warmup": 0.1, "clip": 1.0, "evaluations": 1, "device": "cpu", "workers": 1}


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_without_settings_it_is_as_it_ever_was() -> None:
    for size in range(8, 300):  # whole numbers of pixels, frames and bins, not one less for rounding
        assert int(image.USUAL.shift * size) == size // 8
        assert int(audio.USUAL.time_shift * size) == size // 10 and int(audio.USUAL.pitch_shift * size) == size // 20
    x = torch.randn(4, 3, 8, 8, generator=draw())
    assert torch.equal(image.augment(x, draw(5), PICTURE), shift(x, (1, 1), draw(5)))
    sound = torch.randn(4, 1, 20, 30, generator=draw())
    assert torch.equal(audio.augment(sound, draw(5), SOUND), shift(sound, (1, 3), draw(5)))
    wave = torch.randn(4, 1, 100, generator=draw())
    assert torch.equal(audio.augment(wave, draw(5), WAVE), shift(wave, (10,), draw(5)))
    words = torch.randint(3, 20, (50, 9), generator=draw())
    expected = torch.where(torch.rand(50, 9, generator=draw(5)) < 0.1, 2, words)
    assert torch.equal(text.augment(words, draw(5), Spec("text", "tokens", (9,), 20)), expected)
    cells = torch.ones(100, 2, 2)
    kept = torch.rand(100, 2, generator=draw(5)) >= 0.1
    assert torch.equal(table.augment(cells, draw(5), ROW), cells * kept.unsqueeze(-1))


@pytest.mark.parametrize(("part", "spec", "x"), [
    (image, PICTURE, torch.randn(4, 3, 8, 8)), (audio, SOUND, torch.randn(4, 1, 20, 30)),
    (text, Spec("text", "tokens", (9,), 20), torch.randint(3, 20, (4, 9))), (table, ROW, torch.ones(4, 2, 2))])
def test_where_all_is_off_nothing_changes(part, spec: Spec, x: torch.Tensor) -> None:
    assert torch.equal(part.augment(x, draw(), spec, part.Settings()), x)


def test_half_of_the_pictures_are_mirrored() -> None:
    x = torch.randn(400, 3, 8, 8, generator=draw())
    found = image.augment(x, draw(), PICTURE, image.Settings(flip=0.5))
    flipped = (found == x.flip(3)).flatten(1).all(1)
    assert 150 < flipped.sum() < 250 and torch.equal(found[~flipped], x[~flipped])


def test_a_picture_is_cut_and_turned_about_its_middle() -> None:
    columns, rows = torch.meshgrid(torch.arange(9.0) - 4, torch.arange(9.0) - 4, indexing="xy")
    x = torch.stack([columns, rows]).unsqueeze(0).repeat(200, 1, 1, 1)  # each pixel holds its own place
    spec = Spec("image", "image", (2, 9, 9))
    turned = image.augment(x, draw(), spec, image.Settings(rotation=30))[:, :, 4, 4:6]  # the middle and its right
    torch.testing.assert_close(turned[..., 0], torch.zeros(200, 2), atol=1e-5, rtol=0)
    angles = torch.atan2(turned[:, 1, 1], turned[:, 0, 1]) * 180 / math.pi
    assert angles.abs().max() <= 30 and angles.min() < -25 and angles.max() > 25
    torch.testing.assert_close(turned[..., 1].norm(dim=1), torch.ones(200))
    cut = image.augment(x, draw(), spec, image.Settings(crop=0.5))
    step = cut[:, 0, 4, 5] - cut[:, 0, 4, 4]  # how far apart neighbours were before
    assert step.min() >= 0.5 - 1e-5 and step.max() <= 1 and step.min() < 0.55 and step.max() > 0.95
    torch.testing.assert_close(cut[:, 1, 5, 4] - cut[:, 1, 4, 4], step)  # both sides alike
    assert cut.abs().max() <= 4 and cut[:, 0, 4, 4].abs().max() <= 2.26  # within the picture


def test_colours_change_by_channel() -> None:
    x = torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)]).repeat(50, 1, 1, 1)
    found = image.augment(x, draw(), PICTURE, image.Settings(colour=0.2))
    assert torch.equal(found, found[:, :, :1, :1].expand_as(found))  # one change for a whole channel
    assert found[::2].abs().max() <= 0.2 and (found[1::2] - 1).abs().max() <= 0.4 + 1e-6
    assert found[0].unique().numel() == 3 and found.std() > 0.1


def test_a_run_of_bins_and_one_of_frames_become_the_mean() -> None:
    found = audio.augment(torch.ones(300, 1, 20, 30), draw(), SOUND, audio.Settings(spec_mask=0.3))[:, 0]
    bins, frames = (found == 0).all(2), (found == 0).all(1)
    assert torch.equal(found == 0, bins.unsqueeze(2) | frames.unsqueeze(1))
    for masked, most in ((bins, 6), (frames, 9)):
        counts = masked.sum(1)
        assert counts.min() == 0 and counts.max() == most
        assert ((masked[:, 1:] & ~masked[:, :-1]).sum(1) + masked[:, 0] <= 1).all()  # one run
        assert masked.any(0).all()  # anywhere


def test_noise_has_the_deviation_that_is_asked_for() -> None:
    found = audio.augment(torch.zeros(100, 1, 100), draw(), WAVE, audio.Settings(noise=0.3))
    assert found.std().item() == pytest.approx(0.3, rel=0.03)


def test_numbers_of_a_table_are_a_little_off_and_categories_are_not() -> None:
    x = torch.tensor([[[2.0, 1], [0, 3]], [[0.0, 0], [0, 1]]]).repeat(500, 1, 1)  # the second row's number is missing
    found = table.augment(x, draw(), ROW, table.Settings(noise=0.1))
    assert torch.equal(found[..., 1], x[..., 1]) and torch.equal(found[:, 1], x[:, 1])
    assert torch.equal(found[1::2], x[1::2])
    assert (found[::2, 0, 0] - 2).std().item() == pytest.approx(0.1, rel=0.1)


def test_only_the_modalities_that_are_named_change() -> None:
    from trivium.data.store import Batch

    x = {"photo": torch.randn(4, 3, 8, 8, generator=draw()), "audio": torch.randn(4, 1, 20, 30, generator=draw())}
    given = Batch(x, torch.ones(4, 2, dtype=torch.bool), torch.zeros(4))
    made = Augment({"photo": PICTURE, "audio": SOUND}, 0, {"image": {"flip": 1.0}})
    found = made(given, 0)
    assert torch.equal(found.inputs["photo"], x["photo"].flip(3)) and torch.equal(found.inputs["audio"], x["audio"])


def test_augmentation_as_people_write_it() -> None:
    loop = Loop(augment={"image": {"flip": 0.5}, "text": {}}, **LOOP)
    assert loop.augment == {"image": {"shift": 0.0, "flip": 0.5, "crop": 0.0, "rotation": 0.0, "colour": 0.0},
                            "text": {"token_dropout": 0.0}}
    assert Loop(augment=True, **LOOP).augment is True
    for value, words in (
            ({"imge": {}}, "params.yaml: `loop.augment.imge`: there is no modality `imge` that has settings for this; "
                           "did you mean `image`?"),
            ({"image": {"flp": 0.5}}, "params.yaml: unknown key `loop.augment.image.flp`; did you mean `flip`?"),
            ({"audio": {"spec_mask": 2}}, "params.yaml: `loop.augment.audio.spec_mask` must be at most 1 (got 2)."),
            ({"text": 0.1}, "params.yaml: `loop.augment.text` is a mapping of settings (got 0.1).")):
        with pytest.raises(UserError) as caught:
            Loop(augment=value, **LOOP)
        assert str(caught.value) == words
    assert all(hasattr(modalities.get(name), "Augment") for name in ("image", "audio", "text", "table"))
