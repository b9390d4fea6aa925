"""What the pictures of attributions show, read back from their SVG."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.helpers import drawn
from trivium.drawing.lanes import Channel, plot
from trivium.evaluation.panels import step
from trivium.evaluation.pictures import Panel, Row, draw
from trivium.modalities import audio
from trivium.modalities.spec import Spec

TEXT = Spec("text", "tokens", (6,), vocab=50)


def words(values: list[float], tokens: list[str]) -> Panel:
    padded = np.r_[values, np.zeros(6 - len(values))]
    return Panel(TEXT, np.r_[np.arange(3, 3 + len(values)), np.zeros(6 - len(values), int)], padded, tokens)


def test_a_bar_per_token_to_the_side_it_speaks_for(tmp_path: Path) -> None:
    panel = words([0.4, -0.2, 0.1], ["yes", "no", "a\x00<very> long one"])
    draw(tmp_path / "a.svg", "cat (80%)", [Row("", {"text": panel}, {})])
    _, _, texts, shapes = drawn(tmp_path / "a.svg")
    assert texts == ["cat (80%)", "text: +0.30 nats", "yes", "no", "a\ufffd<very> lo…", "-0.2", "+0.4",
                     "nats for the answer, per token"]
    bars = [shape for shape in shapes if shape["tag"] == "rect" and shape.get("fill", "")[0] == "#"]
    assert [bar["fill"] for bar in bars] == ["#7f3b08", "#998fbf", "#fed6a1"]  # strong orange, violet, light orange
    x, wide = ([float(bar[key]) for bar in bars] for key in ("x", "width"))
    assert wide[0] == pytest.approx(2 * wide[1], abs=0.2) == pytest.approx(4 * wide[2], abs=0.4)
    assert x[0] == x[2] == pytest.approx(x[1] + wide[1], abs=0.2)  # the line of 0


def test_the_veil_lies_where_the_attribution_is(tmp_path: Path) -> None:
    x, values = np.zeros((1, 12, 12), np.float32), np.zeros((1, 12, 12), np.float32)
    x[0, :, 6:] = 1.0  # the right half is white
    values[0, 2, 3] = 2.0
    for kind in ("image", "spectrogram"):
        draw(tmp_path / "a.svg", "", [Row("", {"m": Panel(Spec("m", kind, (1, 12, 12)), x, values, [])}, {})])
        _, _, texts, shapes = drawn(tmp_path / "a.svg")
        assert "m: +2.00 nats" in texts and ("frequency" in texts) == (kind == "spectrogram")
        (pixels,) = [shape["pixels"] for shape in shapes if shape["tag"] == "image"]
        if kind == "spectrogram":
            pixels = pixels[::-1]  # low frequencies are below
        assert pixels[2, 3].tolist() == [102, 47, 6]  # 0.8 of the strongest orange on black
        assert pixels[11, 0].tolist() == [0, 0, 0] and pixels[11, 11].tolist() == [255, 255, 255]


def test_rows_are_named_and_say_what_was_not_read(tmp_path: Path) -> None:
    image = Panel(Spec("image", "image", (1, 4, 8)), np.ones((1, 4, 8)), np.ones((1, 4, 8)), [])
    rows = [Row("joint\ncat (80%)\nright", {"text": words([1.0], ["yes"]), "image": image}, {}),
            Row("unimodal\ndog (51%)\nwrong: cat has 49%", {"image": image}, {})]
    draw(tmp_path / "a.svg", "s1", rows)
    _, _, texts, shapes = drawn(tmp_path / "a.svg")
    assert {"joint", "cat (80%)", "unimodal", "wrong: cat has 49%"} <= set(texts) and texts.count("not shown") == 1
    assert "nats for the answer, per token" in texts  # below the last row that has text
    places = [(float(shape["width"]), float(shape["height"])) for shape in shapes if shape["tag"] == "image"]
    assert all(width == pytest.approx(2 * height, abs=0.2) for width, height in places)  # in the image's own shape


def test_a_stream_that_a_sample_lacks_is_said_and_not_drawn(tmp_path: Path) -> None:
    none = np.zeros((1, 8, 8))
    for kind in ("spectrogram", "image", "waveform"):
        sound = Panel(Spec("audio", kind, (1, 8, 8)), none, none, [])
        draw(tmp_path / "a.svg", "s1", [Row("", {"text": words([1.0], ["yes"]), "audio": sound}, {})])
        _, _, texts, shapes = drawn(tmp_path / "a.svg")
        assert "no audio" in texts and "frequency" not in texts and "audio: 0.00 nats" not in texts
        assert [shape["tag"] for shape in shapes if shape["tag"] in ("image", "polyline")] == []


def test_each_line_has_the_tokens_that_its_own_encoder_read(tmp_path: Path) -> None:
    """The second encoder cuts the text after two tokens, the third puts a mark before it."""
    values = [0.4, -0.2, 0.1]
    short = Panel(Spec("text", "tokens", (2,), vocab=50), np.array([3, 4]), np.array([0.3, 0.2]), ["yes", "no"])
    marked = words([0.0, 0.5, 0.1, 0.2], ["[CLS]", "yes", "no", "more"])
    rows = [Row("one", {"text": words(values, ["yes", "no", "more"])}, {}), Row("two", {"text": short}, {}),
            Row("three", {"text": marked}, {})]
    draw(tmp_path / "a.svg", "s1", rows)
    _, _, texts, _ = drawn(tmp_path / "a.svg")
    read = [text for text in texts if text in ("[CLS]", "yes", "no", "more", "one", "two", "three")]
    assert read == ["one", "yes", "no", "more", "two", "yes", "no", "three", "[CLS]", "yes", "no", "more"]


def test_sound_is_a_line_with_what_it_says_over_it(tmp_path: Path) -> None:
    spec = Spec("audio", "waveform", (1, 5))
    panel = Panel(spec, np.array([[0.0, 2.0, -2.0, 1.0, 0.0]]), np.array([[0.0, 0.0, 0.3, 0.0, 0.0]]), [])
    draw(tmp_path / "a.svg", "", [Row("", {"audio": panel}, {})])
    _, _, texts, shapes = drawn(tmp_path / "a.svg")
    sound, said = ([float(point.split(",")[1]) for point in shape["points"].split()] for shape in shapes
                   if shape["tag"] == "polyline")
    middle = sound[0]
    assert [np.sign(middle - y) for y in sound] == [0, 1, -1, 1, 0]  # up is positive
    assert [np.sign(middle - y) for y in said] == [0, 0, 1, 0, 0] and "time" in texts
    draw(tmp_path / "a.svg", "", [Row("", {"audio": panel._replace(step=0.1, values=-panel.values)}, {})])
    assert drawn(tmp_path / "a.svg")[2][1:] == ["audio: −0.30 nats", "0", "0.25", "0.5 s"]


@pytest.mark.parametrize(("settings", "seconds"), [
    ({"sample_rate": 100, "seconds": 2.0, "features": "waveform"}, 0.01), ({"hop_ms": 12.5}, 0.0125)])
def test_a_step_of_a_sound_is_a_sample_or_a_hop(settings: dict[str, Any], seconds: float) -> None:
    spec = audio.spec(audio.Settings.model_validate(settings))
    store: Any = SimpleNamespace(specs={"mic": spec}, encoders={"mic": SimpleNamespace(processor=("audio", settings))})
    assert step(store, "mic") == pytest.approx(seconds)


def test_a_series_names_its_channels_and_says_how_far_each_goes(tmp_path: Path) -> None:
    """In the units of the files, though models see it scaled; nothing of a gap."""
    x = np.array([[-1, 0, 1, 0], [-1, 1, 9, 0], [0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 1], [0, 0, 0, 0]], np.float32)
    channels = (Channel("ax", 1000.0, 0.1), Channel("ay", 3.0, 2.0), Channel("az"))
    panel = Panel(Spec("imu", "series", (6, 4), seconds=2.0), x, np.ones((6, 4)), [], channels=channels)
    draw(tmp_path / "a.svg", "", [Row("", {"imu": panel}, {})])
    assert drawn(tmp_path / "a.svg")[2][1:] == ["imu: +24.00 nats", "ax", "1000.10", "999.90", "ay", "5.0", "1.0", "az",
                                                "0", "1", "2 s"]
    values = np.array([[-100.0, 100.0], [3e-6, 9e-6], [7.0, 7.0]])
    _, _, texts, _ = drawn(plot(values, np.ones((3, 2), bool), ("mV", "a very long name", "flat"), 5.0, 2.0))
    assert texts == ["mV", "100", "−100", "a very long…", "9e−06", "3e−06", "flat", "7.00", "5", "6", "7 s"]


def test_moments_of_a_video_say_when_they_are(tmp_path: Path) -> None:
    x = np.full((1, 18, 4, 4), 0.1)
    panel = Panel(Spec("clip", "frames", (1, 18, 4, 4)), x, x, [], step=0.25)
    draw(tmp_path / "a.svg", "", [Row("", {"clip": panel}, {})])
    assert drawn(tmp_path / "a.svg")[2][2:] == ["9 moments from 0.125 s to 4.12 s, row by row"]


def test_what_a_moment_of_a_video_says_stays_in_its_own_picture(tmp_path: Path) -> None:
    x, values = np.full((1, 4, 4, 4), 0.1), np.zeros((1, 4, 4, 4))
    values[0, 0, :, 3] = 1.0  # the edge of the first moment, beside the second
    draw(tmp_path / "a.svg", "", [Row("", {"clip": Panel(Spec("clip", "frames", (1, 4, 4, 4)), x, values, [])}, {})])
    shapes = drawn(tmp_path / "a.svg")[3]
    (pixels,) = [shape["pixels"] for shape in shapes if shape["tag"] == "image"]
    assert pixels[:4, 3].any() and not pixels[:, 4:].any() and not pixels[4:].any()
    (seams,) = [shape["d"] for shape in shapes if shape.get("stroke") == "#ffffff"]
    assert (seams.count("V"), seams.count("H")) == (1, 1)
