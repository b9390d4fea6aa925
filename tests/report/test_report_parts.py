"""The small pieces: markup, numbers, scales, markdown, media, and the arithmetic of the sections."""

from __future__ import annotations

import base64
import io
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from markupsafe import Markup
from PIL import Image

from tests import clips
from trivium.drawing import numbers
from trivium.drawing.charts import Point, scatter, spread
from trivium.drawing.looks import Look
from trivium.drawing.scale import Scale, around
from trivium.drawing.svg import drawing, tag
from trivium.report.answers import binned
from trivium.report.markdown import render
from trivium.report.media import Media
from trivium.report.parts import breakable, coded
from trivium.report.sections.calibration import bins
from trivium.report.sections.cost import front


def test_svg_escapes_all_but_markup() -> None:
    drawn = tag("text", "<b>", Markup("<i>x</i>"), None, ["&", 3], id='"', fill=None)
    assert drawn == '<text id="&#34;">&lt;b&gt;<i>x</i>&amp;3</text>'
    assert tag("circle", cx=1.26, aria_hidden="true") == '<circle cx="1.3" aria-hidden="true"></circle>'
    assert drawing(9, 8, tag("text", "a\x00<")).endswith("a\ufffd&lt;</text></svg>\n")
    assert coded("a `b<` c` & d") == "a <code>b&lt;</code> c` &amp; d"
    assert breakable("a_b<+") == "a_<wbr>b&lt;+<wbr>"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.percent(0.8974), "89.7 %"),
        (numbers.percent(None), "–"),
        (numbers.percent(float("nan")), "–"),
        (numbers.points(-0.0312), "−3.1"),
        (numbers.flops(1.94e12), "1.94 TFLOP"),
        (numbers.flops(19_400_000), "19.4 MFLOP"),
        (numbers.scaled(171_234, ""), "171 k"),
        (numbers.scaled(999.9, "B"), "1.00 kB"),
        (numbers.scaled(12, ""), "12"),
        (numbers.scaled_down(0.00213, "s"), "2.13 ms"),
        (numbers.scaled_down(4.1e-5, "J"), "41.0 µJ"),
        (numbers.scaled_down(1.5, "s"), "1.50 s"),
        (numbers.seconds(4.26), "4.3 s"),
        (numbers.seconds(91), "91 s"),
        (numbers.seconds(600), "10 min"),
        (numbers.seconds(9000), "2.5 h"),
        (numbers.p_value(0.0001), "< 0.001"),
        (numbers.plural(1, "row"), "1 row"),
        (numbers.plural(1200, "row"), "1,200 rows"),
    ],
)
def test_numbers(written: str, expected: str) -> None:
    assert written.replace(numbers.SPACE, " ") == expected


def test_axis_has_one_unit() -> None:
    assert numbers.axis(1.94e12, "FLOP") == (1e12, "TFLOP")
    assert numbers.axis(1500, "") == (1, "")
    assert numbers.axis(1200, "s") == (60, "min")


@pytest.mark.parametrize(
    ("highest", "unit", "expected", "title"),
    [
        (1.94e12, "FLOP", ["0", "1", "2"], "cost, TFLOP"),
        (1500, "", ["0", "500", "1,000", "1,500"], "cost"),
        (0.8, "", ["0", "0.5"], "cost"),
        (600, "s", ["0", "5", "10"], "cost, min"),  # round minutes: every 200 seconds would be 3.33
    ],
)
def test_ticks_are_round_in_the_unit_that_is_shown(highest: float, unit: str, expected: list[str], title: str) -> None:
    points = [Point("a", Look(0, 0, 0), highest, 0.5, 0.4, 0.6, ""), Point("b", Look(1, 1, 1), 0.0, 0.5, 0.4, 0.6, "")]
    drawn = str(scatter(points, "cost", unit, "accuracy", lambda v: "y", "a chart"))
    words = re.findall(r'class="(?:tick|label)"[^>]*text-anchor="(?:middle|end)">([^<]*)<', drawn)
    assert [word for word in words if word != "y"] == [*expected, title]


def test_scale() -> None:
    scale = Scale(0, 10, 100, 200)
    assert [scale(0), scale(5), scale(10)] == [100, 150, 200]
    assert scale.ticks(5) == [0, 2, 4, 6, 8, 10]
    assert Scale(0.61, 0.9, 0, 1).ticks(5) == [0.7, 0.8, 0.9]
    assert Scale(1, 100, 0, 100, log=True)(10) == pytest.approx(50)
    assert Scale(5, 2e4, 0, 1, log=True).ticks() == [10, 100, 1000, 10_000]
    assert around([2.0, 2.0], 0, 1).low < 2.0 < around([2.0, 2.0], 0, 1).high
    assert around([0.2, 0.99], 0, 1, most=1).high == 1 and around([0.2, 0.9], 0, 1, most=1).high < 1
    assert around([], 0, 1).high > around([], 0, 1).low


def test_labels_arespread_without_moving_more_than_needed() -> None:
    assert spread([10, 50, 90], 20, 0, 100) == [10, 50, 90]
    assert spread([50, 50], 20, 0, 100) == [40, 60]
    assert spread([52, 48], 20, 0, 100) == [60, 40]
    assert spread([95, 95, 95], 20, 0, 100) == [60, 80, 100]


def test_markdown_of_a_card() -> None:
    text = "# Digits\nReal **speech** and `code`, *not* <script>.\ngoes on\n\n- one\n  more\n- two_words_here"
    assert render(text) == (
        "<h4>Digits</h4>\n<p>Real <strong>speech</strong> and <code>code</code>, <em>not</em> &lt;script&gt;.\ngoes on"
        "</p>\n<ul>\n<li>one\nmore</li>\n<li>two_words_here</li>\n</ul>\n"
    )


def test_a_card_brings_no_markup_and_loads_nothing() -> None:
    made = render("<img src=x onerror=alert(1)> a<script>b</script>\n\n<div onclick=c>\n\n![seen](https://a.b/c.png)")
    assert "<img" not in made and "<script" not in made and "<div" not in made and "&lt;img" in made
    assert "seen" in made and "a.b" not in made  # a picture is its description
    assert render("[paper](https://a.b/?c&d 'title')") == (
        '<p><a href="https://a.b/?c&amp;d" rel="noopener noreferrer">paper</a></p>\n')
    for address in ("javascript:alert(1)", "data:text/html,x", "//a.b", "x.html", "JaVaScRiPt:x"):
        assert render(f"[press]({address})") == "<p>press</p>\n"
    assert render("<javascript:alert(1)>") == "<p>javascript:alert(1)</p>\n"


def test_image_is_made_small_and_flat(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (1000, 500), (255, 0, 0, 0))
    picture.save(tmp_path / "a.png")
    uri = Media(tmp_path, 100_000).image("a.png")
    assert uri is not None and uri.startswith("data:image/png;base64,")
    shown = Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1])))
    assert shown.size == (192, 96) and shown.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_audio_is_cut_resampled_and_mono(tmp_path: Path) -> None:
    seconds = np.arange(44_100 * 6) / 44_100
    tone = np.stack([np.sin(2 * np.pi * 440 * seconds), np.zeros_like(seconds)], 1) * 0.5
    soundfile.write(tmp_path / "a.wav", tone, 44_100)
    for start, end, length in ((None, None, 4.0), (1.0, 2.5, 1.5), (5.0, None, 1.0)):
        uri = Media(tmp_path, 1_000_000).audio("a.wav", start, end)
        assert uri is not None
        wave, rate = soundfile.read(io.BytesIO(base64.b64decode(uri.split(",")[1])))
        assert rate == 16_000 and wave.ndim == 1 and len(wave) == pytest.approx(16_000 * length, abs=1)
        spectrum = np.abs(np.fft.rfft(wave))
        assert spectrum.argmax() * 16_000 / len(wave) == pytest.approx(440, abs=1)
        assert np.abs(wave).max() == pytest.approx(0.25, abs=0.01)


def test_each_moment_of_a_clip_says_its_second(tmp_path: Path) -> None:
    """White letters in the lower left corner of each, which is grey all over."""
    clips.write(tmp_path / "a.mp4", [np.full((32, 32, 3), 128, np.uint8)] * 24, 8)
    uri = Media(tmp_path, 1_000_000).film("a.mp4")
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("L"))
    moments = sheet.reshape(3, 99, 3, 99).swapaxes(1, 2).reshape(9, 99, 99)[:, :96, :96]
    assert (moments[:, 78:, :40].max((1, 2)) > 220).all() and (moments[:, 78:, :40].min((1, 2)) < 40).all()
    assert abs(moments[:, :76].astype(int) - 128).max() < 12
    assert not any(np.array_equal(one, other) for one, other in itertools.pairwise(moments))


def test_media_keep_to_their_budget(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    for name in ("a.png", "b.png"):
        Image.fromarray(noise).save(tmp_path / name)
    size = len(Media(tmp_path, 10**6).image("a.png") or "")
    media = Media(tmp_path, size + 10)
    assert media.image("a.png") and media.image("b.png") is None
    assert media.image("a.png")  # the same picture again costs nothing
    assert media.left == 10


def test_calibration_bins() -> None:
    confidence, right = (
        np.repeat([0.95, 0.97, 0.55, 1.0, 0.25], [10, 10, 10, 10, 9]),
        np.repeat([1, 0, 1, 1, 1], [10, 10, 10, 10, 9]),
    )
    found = bins(binned(confidence, right == 1))
    assert found == [(pytest.approx(0.55), 1.0, 10 / 49), (pytest.approx(2.92 / 3), pytest.approx(2 / 3), 30 / 49)]


def test_pareto_front() -> None:
    def point(name: str, x: float, y: float) -> Point:
        return Point(name, Look(0, 0, 0), x, y, y, y, "")

    points = [point("cheap", 1, 0.5), point("good", 3, 0.9), point("worse", 3, 0.8), point("dear", 4, 0.9)]
    assert front(points) == ["cheap", "good"]
    assert front(points, higher=False) == ["cheap"]
    # Costs within 20 % count as equal, accuracies do not.
    assert front([point("a", 1.0, 0.8), point("b", 1.19, 0.9)]) == ["b"]
    assert front([point("a", 1.0, 0.8), point("b", 1.21, 0.9)]) == ["a", "b"]
    assert front([point("a", 1.0, 0.9), point("b", 1.19, 0.9)]) == ["a"]
    assert front([point("a", 1.0, 0.9), point("b", 1.0, 0.9)]) == ["a", "b"]


def test_ticks_of_a_narrow_axis_can_be_told_apart() -> None:
    assert [numbers.tick(value) for value in (0.02, 0.022, 0.024, 1.0)] == [
        "2\u00a0%", "2.2\u00a0%", "2.4\u00a0%", "100\u00a0%"]
