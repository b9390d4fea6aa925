import numpy as np
import pytest
from PIL import Image

from trivium.modalities import image

SETTINGS = image.Settings(size=8, channels=3)
RED, WHITE = [255, 0, 0], [255, 255, 255]


def decode(folder, name, size=8, channels=3):
    return image.decode(name, folder, None, None, image.Settings(size=size, channels=channels))


def test_a_picture_of_the_right_size_is_kept_as_it_is(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    x = decode(tmp_path, "a.png")
    assert x.dtype == np.uint8 and x.shape == (3, 8, 8) == image.spec(SETTINGS).shape
    assert np.array_equal(x, pixels.transpose(2, 0, 1))


@pytest.mark.parametrize(("size", "filled"), [((40, 20), np.s_[:, 2:6, :]), ((20, 40), np.s_[:, :, 2:6]),
                                              ((4, 2), np.s_[:, 2:6, :]), ((900, 1), np.s_[:, 3:4, :])])
def test_proportions_are_kept_and_the_rest_is_white(tmp_path, size, filled):
    Image.new("RGB", size, (0, 0, 0)).save(tmp_path / "a.png")
    expected = np.full((3, 8, 8), 255)
    expected[filled] = 0
    assert np.array_equal(decode(tmp_path, "a.png"), expected)


def paint(mode):
    """Left half red (or half of full white where there is only grey), right half fully transparent where possible."""
    picture = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (0, 0, 4, 8))
    return picture.convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "P", "PA"])
def test_transparent_parts_become_white(tmp_path, mode):
    paint("RGBA").convert(mode).save(tmp_path / ("a.png" if mode != "PA" else "a.tiff"))
    x = decode(tmp_path, "a.png" if mode != "PA" else "a.tiff")
    assert x[:, 4, 1].tolist() == RED and x[:, 4, 6].tolist() == WHITE


def test_transparent_grey_becomes_white(tmp_path):
    grey = Image.new("LA", (8, 8), (0, 0))
    grey.paste((100, 255), (0, 0, 4, 8))
    grey.save(tmp_path / "a.png")
    x = decode(tmp_path, "a.png", channels=1)
    assert x.shape == (1, 8, 8) and x[0, 4, 1] == 100 and x[0, 4, 6] == 255


def test_a_colour_that_stands_for_transparency_becomes_white(tmp_path):
    picture = Image.new("RGB", (8, 8), (0, 255, 0))
    picture.paste((255, 0, 0), (0, 0, 4, 8))
    picture.save(tmp_path / "a.png", transparency=(0, 255, 0))
    x = decode(tmp_path, "a.png")
    assert x[:, 4, 1].tolist() == RED and x[:, 4, 6].tolist() == WHITE


def test_16_bit_grey_keeps_its_brightness(tmp_path):
    Image.fromarray(np.full((8, 8), 32896, np.uint16)).save(tmp_path / "a.png")
    assert set(decode(tmp_path, "a.png").ravel()) == {128}


def test_float_grey_keeps_its_brightness(tmp_path):
    Image.fromarray(np.full((8, 8), 0.5, np.float32)).save(tmp_path / "a.tiff")
    assert set(decode(tmp_path, "a.tiff").ravel()) == {128}


def test_pixels_that_are_not_numbers_are_told(tmp_path):
    """One of them would darken the whole picture."""
    pixels = np.full((8, 8), 0.5, np.float32)
    pixels[2, 3] = np.nan
    Image.fromarray(pixels).save(tmp_path / "a.tiff")
    assert image.probe("a.tiff", tmp_path) == {"error": "has pixels that are not numbers (NaN or infinite)"}
    with pytest.raises(ValueError, match="not numbers"):
        decode(tmp_path, "a.tiff")


@pytest.mark.parametrize("channels", [1, 3])
def test_what_can_be_probed_can_be_decoded(tmp_path, channels):
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F"):
        Image.new(mode, (9, 7)).save(tmp_path / "a.tiff")
        assert image.probe("a.tiff", tmp_path) == {"width": 9, "height": 7}
        assert decode(tmp_path, "a.tiff", channels=channels).shape == (channels, 8, 8)


def test_cmyk_is_turned_into_rgb(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.tiff")
    assert decode(tmp_path, "a.tiff")[:, 4, 4].tolist() == RED


def test_one_bit_pictures_are_read(tmp_path):
    Image.new("1", (8, 8), 1).save(tmp_path / "a.png")
    assert set(decode(tmp_path, "a.png").ravel()) == {255}


def test_the_camera_s_rotation_is_undone(tmp_path):
    picture = Image.new("RGB", (16, 8), "white")
    picture.paste((255, 0, 0), (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the scene is the right side of the file
    picture.save(tmp_path / "a.png", exif=exif)
    assert image.probe("a.png", tmp_path) == {"width": 8, "height": 16}
    x = decode(tmp_path, "a.png", size=16)
    assert x[:, 2, 8].tolist() == RED and x[:, 13, 8].tolist() == WHITE


def test_the_first_frame_of_an_animation_counts(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert decode(tmp_path, "a.gif")[:, 4, 4].tolist() == RED


def test_large_jpegs_shrink_to_their_mean(tmp_path):
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(small.repeat(200, 0).repeat(200, 1)).save(tmp_path / "a.jpg", quality=95)
    x = decode(tmp_path, "a.jpg").reshape(3, 4, 2, 4, 2).mean((2, 4)).transpose(1, 2, 0)
    assert np.abs(x - small).max() < 24


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "webp", "bmp", "tiff"])
def test_damaged_files_are_told_apart(tmp_path, ending):
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / f"good.{ending}")
    whole = (tmp_path / f"good.{ending}").read_bytes()
    (tmp_path / f"half.{ending}").write_bytes(whole[: len(whole) // 2])
    (tmp_path / f"text.{ending}").write_text("not a picture")
    (tmp_path / f"empty.{ending}").write_bytes(b"")
    assert image.probe(f"good.{ending}", tmp_path) == {"width": 60, "height": 40}
    assert "cannot be decoded" in image.probe(f"half.{ending}", tmp_path)["error"]
    for name in ("text", "empty"):
        assert "not an image" in image.probe(f"{name}.{ending}", tmp_path)["error"]
        with pytest.raises(ValueError, match="not an image"):
            decode(tmp_path, f"{name}.{ending}")


def test_what_is_no_file_or_no_picture_is_told(tmp_path):
    (tmp_path / "a.svg").write_text("<svg/>")
    assert image.probe("none.png", tmp_path) == {"error": "there is no such file"}
    assert image.probe(".", tmp_path) == {"error": "this is a folder, not a file"}
    assert "render it to PNG" in image.probe("a.svg", tmp_path)["error"]


def test_decompression_bombs_are_not_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(image, "MAX_PIXELS", 10_000)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)  # the probe sets it; this puts it back
    for name, side in (("fits", 100), ("large", 101), ("huge", 1000)):
        Image.new("1", (side, side)).save(tmp_path / f"{name}.png")
    assert image.probe("fits.png", tmp_path) == {"width": 100, "height": 100}
    for name in ("large", "huge"):
        assert "too large to decode safely" in image.probe(f"{name}.png", tmp_path)["error"]
