"""Which pictures a video gives, whatever its container, its rate and its turn."""

from pathlib import Path

import numpy as np
import pytest

from tests import clips
from trivium.modalities import video
from trivium.modalities.videos import reader

FORMATS = [("mp4", "libx264"), ("mov", "libx264"), ("mkv", "libx264"), ("ts", "libx264"), ("webm", "libvpx-vp9"),
           ("avi", "mpeg4")]
COUNT = 50  # frames of 1 / 25 s


def settings(**given) -> video.Settings:
    return video.Settings(**{"size": 16, "channels": 1} | given)


def greys(folder: Path, name: str, start: float | None = None, end: float | None = None, **given) -> list[int]:
    """The grey in the middle of each frame that is no repetition."""
    x, count = video.read(name, folder, start, end, settings(**given))
    assert x.dtype == np.uint8 and x.shape == video.spec(settings(**given)).shape
    assert (x[:, count:] == x[:, count - 1: count]).all()  # behind the end the last one stays
    return x[0, :count, 8, 8].tolist()


def at(*seconds: float, fps: float = 25, count: int = COUNT) -> pytest.approx:
    """The greys that are shown then."""
    return pytest.approx([clips.grey_of(int(one * fps), count) for one in seconds], abs=4)


@pytest.mark.parametrize(("ending", "codec"), FORMATS)
def test_frames_are_those_of_the_middle_of_each_quarter_of_a_second(tmp_path, ending, codec):
    clips.write(tmp_path / f"a.{ending}", clips.greys(COUNT), codec=codec)
    found = greys(tmp_path, f"a.{ending}")
    assert found == at(0.125, 0.375, 0.625, 0.875, 1.125, 1.375, 1.625, 1.875)
    assert greys(tmp_path, f"a.{ending}", frames=3) == found[:3]
    assert video.probe(f"a.{ending}", tmp_path) == {"width": 96, "height": 64, "seconds": 2.0}


def test_without_a_rate_frames_are_spread_over_the_span(tmp_path):
    clips.write(tmp_path / "a.mp4", clips.greys(COUNT))
    assert greys(tmp_path, "a.mp4", frames=4, frames_per_second=None) == at(0.25, 0.75, 1.25, 1.75)
    assert greys(tmp_path, "a.mp4", 1.0, 2.0, frames=2, frames_per_second=None) == at(1.25, 1.75)
    assert greys(tmp_path, "a.mp4", 1.0, 1.6) == at(1.125, 1.375)
    assert greys(tmp_path, "a.mp4", 1.9, None) == at(1.95)  # no quarter of a second is left
    assert video.length("a.mp4", tmp_path, 0.5, None) == 1.5


def test_times_count_and_not_numbers_of_frames(tmp_path):
    times = [0, 0.1, 0.2, 0.3, 2.0, 2.1, 3.0]
    clips.write(tmp_path / "a.mp4", clips.greys(7), times=times)
    expected = [clips.grey_of(k, 7) for k in (2, 3, 3, 3, 5, 5)]
    assert greys(tmp_path, "a.mp4", frames_per_second=2)[:6] == pytest.approx(expected, abs=3)


@pytest.mark.parametrize(("pose", "bright", "dark"), [
    ("quarter", "top right", "bottom left"), ("half", "bottom right", "top left"),
    ("three quarters", "bottom left", "top right"), ("mirror", "top right", "bottom left"),
    ("upside down", "bottom left", "top right"), ("transpose", "top left", "bottom right"),
    ("other transpose", "bottom right", "top left")])
def test_pictures_are_turned_upright_and_mirrored_back(tmp_path, pose, bright, dark):
    """The quarter at the top left is white, that at the bottom right black. They are where ffmpeg shows them."""
    picture = np.full((48, 96, 3), 120, np.uint8)
    picture[:24, :48], picture[24:, 48:] = 255, 0
    clips.posed(clips.write(tmp_path / "a.mp4", [picture] * 5), pose)
    frame = video.decode("a.mp4", tmp_path, None, None, settings(frames=1))[0, 0].astype(int)
    wide = pose in ("half", "mirror", "upside down")
    corners = {f"{row} {column}": frame[y, x] for row, y in (("top", 5), ("bottom", 10))
               for column, x in (("left", 5), ("right", 10))}
    assert max(corners, key=corners.get) == bright and min(corners, key=corners.get) == dark
    assert video.probe("a.mp4", tmp_path)["width"] == (96 if wide else 48)


@pytest.mark.parametrize(("ending", "keys", "most"), [("mp4", 50, 320), ("mkv", 50, 320), ("mp4", 10_000, 3_000)])
def test_what_is_between_far_moments_is_not_decoded(tmp_path, monkeypatch, ending, keys, most):
    clips.write(tmp_path / f"a.{ending}", clips.greys(3000, (32, 32)), fps=10, keys=keys, sc_threshold="0")
    decoded, own = [], reader.Film._next
    monkeypatch.setattr(reader.Film, "_next", lambda film: decoded.append(1) or own(film))
    assert greys(tmp_path, f"a.{ending}", frames=8, frames_per_second=None) == at(
        *(300 * (k + 0.5) / 8 for k in range(8)), fps=10, count=3000)
    assert len(decoded) <= most
    assert greys(tmp_path, f"a.{ending}", 200.05, 200.6) == at(200.175, 200.425, fps=10, count=3000)


def test_frames_that_nobody_asks_for_are_left_out_and_no_other(tmp_path):
    clips.write(tmp_path / "a.mp4", clips.greys(100), preset="veryfast", bf="3", b_strategy="0")
    times = np.arange(100) / 25 + 0.02
    for step in (1, 3, 7, 25):
        found = []
        for fast in (False, True):
            with reader.Film(tmp_path / "a.mp4") as film:
                found.append([frame.pts for frame in film.shown(times[::step], fast=fast)])
                found.append(film._count)
        assert found[0] == found[2] and len(set(found[0])) == len(times[::step])
        assert found[3] < 0.8 * found[1] if step > 3 else True


def test_memory_does_not_grow_with_the_length(tmp_path):
    import tracemalloc

    clips.write(tmp_path / "a.mp4", clips.greys(3000, (32, 32)), fps=10)
    tracemalloc.start()
    with reader.Film(tmp_path / "a.mp4") as film:
        assert sum(frame is not None for frame in film.shown(np.arange(0, 300, 0.1))) == 3000
    assert tracemalloc.get_traced_memory()[1] < 2e6
    tracemalloc.stop()


def test_settings_are_bounded():
    with pytest.raises(ValueError, match=r"frames of 512 x 512 pixels are 384 MB of each sample; 128 MB at most"):
        video.Settings(frames=512, size=512)
    assert video.Settings(frames=8, frames_per_second=4).seconds == 2
