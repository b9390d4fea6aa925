"""A video that is sent to a server, and what is measured of one."""

import numpy as np
import pytest

from tests import clips
from trivium.report.media import Media
from trivium.runtime.server.limits import Limits
from trivium.runtime.server.reading import Reader
from trivium.runtime.statistics import video


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sent")
    clips.write(folder / "moving.mp4", clips.moving("square", "right", np.random.default_rng(0)), 8)
    clips.write(folder / "still.mp4", [np.full((32, 48, 3), 128, np.uint8)] * 12, 8)
    return folder


def test_the_header_is_looked_at_before_anything_is_decoded(folder):
    content = (folder / "still.mp4").read_bytes()
    assert Reader({"clip": "video"}, {}, Limits()).row({"clip": content})[0]["clip"] == content
    for limits, said in ((Limits(pixels=1000), "clip has 48 x 32 pixels, and 1,000 are allowed"),
                         (Limits(seconds=1), "clip is 2 s long, and 1 s are allowed")):
        with pytest.raises(ValueError, match=said):
            Reader({"clip": "video"}, {}, limits).row({"clip": content})
    with pytest.raises(ValueError, match="not a video"):
        Reader({"clip": "video"}, {}, Limits()).row({"clip": b"hello"})


def test_what_is_measured_tells_a_moving_clip_from_a_still_one(folder):
    still, moving = (video.measured(folder / f"{name}.mp4", None, None) for name in ("still", "moving"))
    assert (still["seconds"], still["width"], still["height"]) == (pytest.approx(1.5, abs=0.01), 48.0, 32.0)
    assert still["brightness"] == pytest.approx(0.5, abs=0.02) and still["motion"] < 0.001 < moving["motion"]


def test_a_report_shows_moments_as_one_picture(folder):
    import base64
    import io

    from PIL import Image

    uri = Media(folder, 10**6).film("moving.mp4")
    picture = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert picture.size == (3 * 99, 3 * 99)  # nine moments of 96 pixels, with a line between two
    assert Media(folder, 10**6).film("nowhere.mp4") is None
