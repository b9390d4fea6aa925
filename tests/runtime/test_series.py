"""Series that a server is asked about, and what is measured of them."""

import base64
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from trivium.modalities import recordings
from trivium.modalities import series as own
from trivium.modalities.recordings.written import content
from trivium.runtime.folder import Processed
from trivium.runtime.inputs import Inputs
from trivium.runtime.server import page
from trivium.runtime.server.limits import Limits
from trivium.runtime.server.reading import Reader
from trivium.runtime.statistics import series
from trivium.runtime.values import as_file

READER = Reader({"motion": "series"}, {}, Limits())


def heard(value: object) -> recordings.Recording:
    found, _ = READER.row({"motion": value})
    with as_file(found["motion"]) as file:
        return recordings.read(str(file), "")


def test_numbers_or_a_file_say_the_same() -> None:
    file = base64.b64encode(content({"ax": np.array([1.0, 2.0, 3.0])}, 50)).decode()
    table = base64.b64encode(b"time,ax\n0,1\n0.02,2\n0.04,3\n").decode()
    for value in (file, table, {"ax": [1, 2, 3], "rate": 50}, {"time": [0, 0.02, 0.04], "ax": [1, 2.0, 3]}):
        found = heard(value)
        assert found.seconds.tolist() == pytest.approx([0, 0.02, 0.04]) and found.values.tolist() == [[1, 2, 3]]
    assert np.isnan(heard({"ax": [1, None, 3], "rate": 50}).values[0, 1])


def test_the_docs_of_a_server_show_numbers_that_it_takes() -> None:
    spec = own.spec(own.Settings(channels=("ax", "ay"), rate=50.0, seconds=1.0))
    stream = Processed(spec=spec.plain(), processor={"name": "series", "channels": ["ax", "ay"], "rate": 50.0},
                       statistics=None, tokenizer=None)
    runner = SimpleNamespace(streams={"motion": "series"}, cells={}, about=SimpleNamespace(streams={"motion": stream}))
    service: Any = SimpleNamespace(runner=runner, limits=Limits())
    said = page.schema(service)["requestBody"]["content"]
    motion = said["application/json"]["schema"]["items"]["properties"]["motion"]
    assert motion["example"] == {"rate": 50.0, "ax": [0.1, 0.2], "ay": [0.1, 0.2]}
    assert [one["type"] for one in motion["anyOf"]] == ["object", "string"]
    found = heard(motion["example"])
    assert found.channels == ("ax", "ay") and found.step == pytest.approx(0.02)
    assert page.numbers({"name": "traits"}) == {"rate": 1.0, "x": [0.1, 0.2]}


@pytest.mark.parametrize(("value", "says"), [
    ({"ax": 3}, "motion is to be an object: a list of numbers per channel, and their `time`, or a `rate`"),
    ({"ax": [1, "2 mV"]}, "motion has a list with something else than numbers, or times, in it"),
    ({"ax": [1, 2], "time": [1, 1]}, "motion cannot be read: point 2 (1 s) has the same time as the one before"),
    ({"ax": []}, "motion cannot be read: "),
    (base64.b64encode(b"\x00\x01").decode(), "motion cannot be read: no recording that can be read"),
    ("100.hea", "motion is not base64: send the content of a file, not its name"),
])
def test_what_cannot_be_read_is_said(value: object, says: str) -> None:
    with pytest.raises(ValueError) as caught:
        READER.row({"motion": value})
    assert str(caught.value).startswith(says)


def test_what_is_measured(tmp_path) -> None:
    (tmp_path / "a.arrow").write_bytes(content({"x": np.arange(10.0), "y": np.array([np.nan] * 5 + [2.0] * 5)}, 10))
    assert series.measured("a.arrow", tmp_path, None, None) == {
        "duration": pytest.approx(1.0), "points": 10.0, "step": pytest.approx(0.1), "gaps": 0.25, "x mean": 4.5,
        "x deviation": pytest.approx(np.arange(10).std()), "y mean": 2.0, "y deviation": 0.0}
    part = series.measured("a.arrow", tmp_path, 0.0, 0.5)
    assert part["points"] == 5 and part["gaps"] == 0.5 and "y mean" not in part


def test_what_is_measured_does_not_depend_on_where_times_begin(tmp_path) -> None:
    """A step of 0.019999999999999574 is another number than 0.02, and new rows are compared by rank."""
    def seen(begins: float) -> dict[str, float | str]:
        rows = [f"{begins + k * 0.02:.2f},{k * k % 7}" for k in range(150)]
        (tmp_path / "a.csv").write_text("time,x\n" + "\n".join(rows) + "\n")
        return series.measured("a.csv", tmp_path, None, None)

    assert seen(0) == seen(100_000) == seen(1_767_225_600)
    assert (seen(100_000)["step"], seen(100_000)["duration"]) == (0.02, 3.0)


def test_a_row_with_none_of_the_channels_that_the_model_knows_gets_no_answer(tmp_path) -> None:
    """Gaps alone would get one, and a sure one at times."""
    chosen = {"channels": ["ax", "ay"], "rate": 10.0, "seconds": 1.0}
    spec = own.spec(own.Settings.model_validate(chosen)).plain() | {"modality": "series"}
    inputs = Inputs({"motion": {"spec": spec, "processor": {"name": "series"} | chosen,
                                "statistics": {"mean": [0.0] * 4, "deviation": [1.0] * 4}}}, ["motion"])
    for name, channels in (("good", {"AX ": np.arange(10.0)}), ("other", {"x": np.arange(10.0)})):
        (tmp_path / f"{name}.arrow").write_bytes(content(channels, 10))
    x, present, broken = inputs.arrays([{"motion": "good.arrow"}, {"motion": "other.arrow"}], tmp_path, ["motion"])
    assert present.tolist() == [[True], [False]] and x["motion"][0, 0].tolist() == list(range(10))
    assert broken == [[], ["motion 'other.arrow' cannot be used: has the channels x, and none of ax, ay, which the "
                           "model learned from"]]
