"""What is measured of raw rows and answers, where it can be said beforehand."""

import io
import json
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from PIL import Image

from trivium.modalities import table
from trivium.modalities.columns import fitted
from trivium.modalities.columns.typed import Column
from trivium.runtime.statistics import answer, audio, described, image
from trivium.runtime.statistics import table as of_table
from trivium.tasks import of


def picture(pixels: object, mode: str = "RGB") -> io.BytesIO:
    out = io.BytesIO()
    Image.fromarray(np.array(pixels, np.uint8), mode).save(out, "PNG")
    return out


def test_a_picture_of_two_greys() -> None:
    """Half black, half white: one bit."""
    assert image.measured(picture([[0, 255], [255, 0]], "L"), None, None) == {
        "width": 2.0, "height": 2.0, "brightness": 0.5, "contrast": 0.5, "entropy": 1.0, "colourfulness": 0.0}
    plain = image.measured(picture([[128] * 4], "L"), None, None)
    assert plain["entropy"] == 0.0 and plain["contrast"] == pytest.approx(0)


def test_colourfulness_is_that_of_the_formula() -> None:
    """Red and blue: rg is 255 and 0, yb 127.5 and -255; deviations 127.5 and 191.25, means 127.5 and -63.75."""
    found = image.measured(picture([[[255, 0, 0], [0, 0, 255]]]), None, None)
    assert found["colourfulness"] == pytest.approx(np.hypot(127.5, 191.25) + 0.3 * np.hypot(127.5, 63.75))
    grey = image.measured(picture([[[90, 90, 90], [7, 7, 7]]]), None, None)
    assert grey["colourfulness"] == 0.0


def test_of_a_huge_picture_pixels_are_looked_at_here_and_there() -> None:
    stripes = np.tile(np.repeat([0, 255], 512).astype(np.uint8), (2048, 2))  # 2048 x 2048, both halves alike
    found = image.measured(picture(stripes, "L"), None, None)
    assert (found["width"], found["height"], found["brightness"], found["entropy"]) == (2048.0, 2048.0, 0.5, 1.0)


def sound(wave: np.ndarray, rate: int = 8000) -> io.BytesIO:
    out = io.BytesIO()
    soundfile.write(out, wave, rate, format="WAV", subtype="FLOAT")
    out.seek(0)
    return out


def test_a_tone_after_silence() -> None:
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)
    found = audio.measured(sound(np.concatenate([np.zeros(8000), tone])), None, None)
    assert found == {"seconds": 2.0, "loudness": pytest.approx(-12.04, abs=0.01), "silence": 0.5,
                     "centroid": pytest.approx(1000, abs=1)}
    assert audio.measured(sound(np.zeros(800)), None, None) == {"seconds": 0.1, "loudness": -120.0, "silence": 1.0}
    short = np.concatenate([np.zeros(160), np.full(8, 0.01)])  # the second frame is short, and not silent
    assert audio.measured(sound(short), None, None)["silence"] == 0.5


def test_a_sound_is_measured_in_pieces_as_it_is_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wave = np.random.default_rng(0).normal(0, 0.1, (20_050, 2))
    whole = audio.measured(sound(wave), 0.25, 2.0)
    monkeypatch.setattr(audio, "FRAMES", 3)
    assert audio.measured(sound(wave), 0.25, 2.0) == pytest.approx(whole) and whole["seconds"] == 1.75
    assert whole["centroid"] == pytest.approx(2000, abs=30)  # white noise: the middle of what there is


def test_a_part_of_a_sound_is_as_long_wherever_it_begins() -> None:
    """0.7 - 0.4 is a little less than 0.3."""
    wave = np.random.default_rng(0).normal(0, 0.1, 8000)
    assert [audio.measured(sound(wave), a, b)["seconds"] for a, b in ((0.0, 0.3), (0.4, 0.7))] == [0.3, 0.3]


def test_the_cells_of_a_table() -> None:
    train = {"area": ["1", "2", "3.5"], "kind": ["flat", "flat", "house"], "day": ["2020-01-01", "2021-03-04", ""],
             "sold": ["yes", "no", "yes"]}
    columns = {name: Column(pa.array([cell or None for cell in cells])) for name, cells in train.items()}
    kinds = {"area": "Number", "kind": "Category", "day": "Date", "sold": "Boolean"}
    every = np.ones(3, bool)
    made = fitted.Fitted([getattr(fitted, kind).of(name, columns[name], every, "quantile", 256)
                          for name, kind in kinds.items()])
    rows = [{"area": "12.3456", "kind": "flat", "day": "1970-01-11", "sold": "Yes"},
            {"area": "n/a", "kind": "castle", "day": "soon", "sold": "perhaps"}, {"area": "big"}]
    found = of_table.measured([json.dumps(row) for row in rows] + ["no row"], made, table.spec(table.Settings()))
    assert found == [
        {"area state": "given", "area value": 12.35, "kind state": "given", "kind value": "flat",
         "day state": "given", "day value": 10.0, "sold state": "given", "sold value": "yes"},
        {"area state": "missing", "kind state": "unknown", "day state": "unreadable", "sold state": "unknown"},
        {"area state": "unreadable", "kind state": "missing", "day state": "missing", "sold state": "missing"}, None]


def test_an_answer_and_how_sure_it_is() -> None:
    one = of({"name": "classification", "classes": ["a", "b"]})
    assert answer.measured(one, np.array([[0.5, 0.5], [1.0, 0.0]])) == [
        {"label": "a", "confidence": 0.5, "entropy": pytest.approx(np.log(2))},
        {"label": "a", "confidence": 1.0, "entropy": 0.0}]
    tags = of({"name": "multilabel", "tags": ["x", "y"]})
    assert answer.measured(tags, np.array([[0.5, 0.5]]))[0]["entropy"] == pytest.approx(2 * np.log(2))


def test_a_column_may_be_called_state() -> None:
    column = Column(pa.array(["CA", "CA", "NY"]))
    made = fitted.Category.of("state", column, np.ones(3, bool), "quantile", 256)
    spec = table.spec(table.Settings())
    inputs = SimpleNamespace(streams={"facts": "table"}, fitted={"facts": fitted.Fitted([made])}, specs={"facts": spec},
                             without_placeholders=lambda rows, root: rows)
    rows = [{"facts": '{"state": "CA"}'}, {"facts": "no row"}, {"facts": None}]
    assert described(rows, inputs, ["facts"]) == [  # type: ignore[arg-type]
        {"facts": {"state": "given", "state state": "given", "state value": "CA"}},
        {"facts": {"state": "unreadable"}}, {"facts": {"state": "missing"}}]
