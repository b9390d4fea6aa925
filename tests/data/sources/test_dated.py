"""`start` and `end` of a series as dates, where the times in its file are dates."""

from pathlib import Path

import numpy as np
import pytest

from tests.data.through import through
from trivium.data import tables
from trivium.data.settings import Stream
from trivium.data.store import Store
from trivium.modalities import series
from trivium.runtime import values
from trivium.runtime.inputs import Inputs, Row
from trivium.runtime.server.limits import Limits
from trivium.runtime.server.reading import Reader
from trivium.settings.errors import UserError

STREAMS = {"signal": Stream(modality="series")}
OWN = {"channels": ["x"], "rate": 1.0, "seconds": 10.0}
ENTRIES = {"waves": {"modality": "series", "architecture": "cnn", "processor": OWN}}


def files(folder: Path) -> None:
    """a: from noon on, a point a second, as dates;  b: the same in a zone;  c: seconds."""
    (folder / "a.csv").write_text("time,x\n" + "".join(f"2026-01-31T12:00:{k:02d},{k}\n" for k in range(60)))
    (folder / "b.csv").write_text("time,x\n" + "".join(f"2026-01-31T14:00:{k:02d}+02:00,{k}\n" for k in range(60)))
    (folder / "c.csv").write_text("time,x\n" + "".join(f"{k},{k}\n" for k in range(60)))


def table(folder: Path, *lines: str, head: str = "id,label,signal,start,end") -> Path:
    files(folder)
    (folder / "m.csv").write_text("\n".join([head, *lines]) + "\n")
    return folder / "m.csv"


def test_a_date_is_the_moment_in_the_file(tmp_path: Path) -> None:
    more = [f"r{k},{'uv'[k % 2]},{'ab'[k // 10]}.csv,2026-01-31T12:00:{k:02d},2026-01-31 12:00:{k + 5}Z"
            for k in range(5, 20)]
    own = [f"q{k},{'uv'[k % 2]},c.csv,{k},{k + 5}" for k in range(10)]
    lost = ["z1,u,a.csv,2026-01-31T13:00:00,", "z2,u,gone.csv,2026-01-31T12:00:00,", "z3,v,b.csv,,2026-01-31T12:00:03"]
    through(table(tmp_path, *more, *own, *lost), tmp_path, STREAMS, {"scratch": {"signal": "waves"}}, ENTRIES)
    rows = tables.read(tmp_path / "data/raw/signal.parquet").to_pylist()
    raw = {row["key"]: (row["start"], row["end"]) for row in rows}
    assert raw["r7"] == (7.0, 12.0) and raw["r15"] == (15.0, 20.0) and raw["q3"] == (3.0, 8.0)
    assert raw["z1"] == (3600.0, None) and raw["z3"] == (None, 3.0) and raw["z2"] == (None, None)
    bad = {row["key"]: row["reason"] for row in tables.read(tmp_path / "data/valid/quarantine.parquet").to_pylist()
           if row["table"] == "signal"}
    assert bad == {"z1": "starts at 3600 s, but the recording ends at 60 s", "z2": "there is no such file"}
    store = Store("scratch", tmp_path)
    row = store.samples.index("r15")
    x = store.batch(np.array([row]), seed=0).inputs["signal"][0].numpy()
    assert (x[1, :5] == 1).all() and not x[1, 5:].any()


@pytest.mark.parametrize(("line", "says"), [
    ("b,v,c.csv,2026-01-31T12:00,",
     "row 2 has the start `2026-01-31T12:00`, a date, and the times in its file are seconds: write seconds (c.csv)."),
    ("b,v,a.csv,,noon", "row 2 has the end `noon`, which is not a number of seconds, and no date."),
])
def test_what_cannot_be_meant_is_said(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        through(table(tmp_path, "a,u,a.csv,1,2", line), tmp_path, STREAMS, {"scratch": {"signal": "waves"}}, ENTRIES)
    assert str(caught.value) == f"{tmp_path}/m.csv: {says}"


def test_a_sound_has_no_dates(tmp_path: Path) -> None:
    streams = STREAMS | {"mic": Stream(modality="audio")}
    lines = "a,u,a.csv,a.wav,2026-01-31T12:00:05,", "b,v,a.csv,,,"
    path = table(tmp_path, *lines, head="id,label,signal,mic,start,end")
    with pytest.raises(UserError, match=r"row 1 has the start `2026-01-31T12:00:05`, a date, .* seconds \(a.wav\)"):
        through(path, tmp_path, streams, {"scratch": {"signal": "waves"}}, ENTRIES)


def test_a_model_that_is_asked_understands_them(tmp_path: Path) -> None:
    files(tmp_path)
    spec = series.spec(series.Settings(channels=("x",), rate=1.0, seconds=10.0))
    about = {"signal": {"spec": spec.plain(), "processor": {"name": "series"} | OWN, "tokenizer": None,
                        "statistics": {"mean": [0.0, 0.0], "deviation": [1.0, 1.0]}}}
    asked: list[Row] = [{"signal": "b.csv", "start": "2026-01-31T12:00:05Z", "end": "2026-01-31T12:00:08"},
                        {"signal": "b.csv", "start": "5", "end": "8"},
                        {"signal": "c.csv", "start": "2026-01-31T12:00"}, {"signal": "a.csv", "start": "noon"}]
    found, present, broken = Inputs(about, ["signal"]).arrays(asked, tmp_path, ["signal"])
    assert found["signal"][0].tolist() == found["signal"][1].tolist()
    assert found["signal"][0, 0].tolist() == [5.0, 6.0, 7.0] + 7 * [0.0]
    assert present[:, 0].tolist() == [True, True, False, False]
    assert broken[2:] == [
        ["signal 'c.csv' cannot be used: start is '2026-01-31T12:00', a date, and the times in its file are seconds: "
         "write seconds"], ["signal 'a.csv' cannot be used: start is 'noon', not a number of seconds"]]


def test_a_server_takes_them(tmp_path: Path) -> None:
    files(tmp_path)
    given = {"signal": {"time": ["2026-01-31T12:00:00", "2026-01-31T12:00:01"], "x": [1, 2]},
             "start": "2026-01-31T12:00:01"}
    row, _ = Reader({"signal": "series"}, {}, Limits()).row(given)
    with values.as_file(row["signal"]) as file:
        assert values.span(row, "signal", lambda: series.since(str(file), "")) == (1.0, None)
    with pytest.raises(ValueError, match="start is no number of seconds"):
        Reader({"mic": "audio"}, {}, Limits()).row({"mic": b"x", "start": "2026-01-31T12:00:01"})
