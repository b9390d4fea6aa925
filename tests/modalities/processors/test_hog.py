import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from trivium.modalities.processors import hog

SETTINGS = hog.Settings()


def decode(folder, pixels, settings=SETTINGS):
    Image.fromarray(np.asarray(pixels, np.uint8)).save(folder / "a.png")
    return hog.decode("a.png", folder, None, None, settings)


def test_the_width_is_what_is_decoded(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (50, 70, 3))
    for settings, expected in ((SETTINGS, 768 + 64 + 7 * 7 * 36), (hog.Settings(size=32, colours=2), 768 + 8 + 9 * 36)):
        x = decode(tmp_path, noise, settings)
        assert x.shape == (expected,) == (hog.width(settings),)
        assert x.dtype == np.float32 and x.min() >= 0 and x.max() <= 1


def test_a_plain_picture_is_its_colour_and_has_no_edges(tmp_path):
    x = decode(tmp_path, np.broadcast_to([255, 0, 102], (64, 64, 3)))
    assert x[:768].reshape(3, 256).mean(1).tolist() == pytest.approx([1.0, 0.0, 0.4])
    colours = np.zeros(64)
    colours[3 * 16 + 0 * 4 + 1] = 1  # red in the last of four steps, green in the first, blue in the second
    assert (x[768:832] == colours).all()
    assert not x[832:].any()


def test_small_pixels_are_the_means_of_their_squares(tmp_path):
    left = np.zeros((64, 64, 3))
    left[:4, :2] = 255  # half of the first of 16 x 16 squares of 4 x 4 pixels
    small = decode(tmp_path, left)[:768].reshape(3, 16, 16)
    assert small[0, 0, 0] == 0.5 and small.sum() == pytest.approx(1.5)


def test_an_edge_is_found_in_its_direction(tmp_path):
    upright = np.zeros((64, 64, 3))
    upright[:, 32:] = 255
    cells = decode(tmp_path, upright)[832:].reshape(7, 7, 4, 9)  # 0 degrees: between bins 8 (170) and 0 (10)
    assert (cells[..., 1:8] == 0).all() and cells[:, 3, :, 0].min() > 0.1
    assert np.allclose(cells[..., 0], cells[..., 8])
    assert not cells[:, [0, 1, 5, 6]].any()  # blocks that the edge does not touch
    lying = decode(tmp_path, upright.transpose(1, 0, 2))[832:].reshape(7, 7, 4, 9)
    assert (lying[..., [0, 1, 2, 3, 5, 6, 7, 8]] == 0).all() and lying[3, :, :, 4].min() > 0.1  # 90 degrees


def test_a_block_has_length_one_whatever_the_contrast(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3))
    loud, soft = (decode(tmp_path, noise // by)[832:].reshape(49, 36) for by in (1, 8))
    assert np.linalg.norm(loud, axis=1) == pytest.approx(1, abs=1e-4)
    assert np.abs(loud - soft).max() < 0.05


def test_what_cannot_be_read_says_why(tmp_path):
    with pytest.raises(ValueError, match="there is no such file"):
        hog.decode("none.png", tmp_path, None, None, SETTINGS)
    with pytest.raises(ValidationError):
        hog.Settings(size=40)
