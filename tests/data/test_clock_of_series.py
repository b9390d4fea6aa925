"""The times in the files of a series, wherever they begin, are put on the clock."""

from pathlib import Path

import numpy as np
import pytest

from tests.data.clocks import csv, joined, picked, unaligned
from trivium.data import tables
from trivium.modalities import series

EVENTS = "id,label,rec,time"
SEEN = series.Settings(channels=("v",), rate=10, seconds=1)


def pulse(path: Path, begins: float, at: float, seconds: int = 60, name: str = "time") -> Path:
    """Ten points a second: 0, but 1 at the moment `at` of its own times and for half a second from then on."""
    times = (begins + np.arange(10 * seconds) / 10).round(6)
    return csv(path, f"{name},v", *(f"{t:.1f},{int(at - 1e-6 <= t < at + 0.5 - 1e-6)}" for t in times))


def worn(folder: Path, *rows: str, header: str = "rec,file,at") -> dict:
    path = csv(folder / "worn.csv", header, *rows)
    times = {what: column for what, column in (("time", "at"), ("start", "from")) if column in header.split(",")}
    return {"modality": "series", "column": "file", "table": {"path": str(path), **times}}


def seen(folder: Path, row: dict) -> list[float]:
    """What models see of the first second of a sample."""
    root = tables.read_json(folder / "aligned/meta.json")["root"]
    return series.decode(row["worn"], root, row["worn_start"], row["worn_end"], SEEN)[0].tolist()


HALF = [1.0] * 5 + [0.0] * 5


@pytest.mark.parametrize("checked", [False, True])
def test_a_file_whose_times_begin_later_is_cut_where_the_event_is(tmp_path, checked):
    """Both readings: with `time`, the first point is at that moment; without, the file's times are on the clock."""
    pulse(tmp_path / "a.csv", 101.0, at=120.0)
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,1019", "e2,y,a,1059.5", "e3,x,a,1060.5")
    rows = joined(tmp_path, {"worn": worn(tmp_path, "a,a.csv,1000")}, window=[0, 1], checked=checked)
    assert picked(rows, "sample", "worn_start", "worn_end") == [("e1", 120.0, 121.0), ("e2", 160.5, 161.0)]
    assert seen(tmp_path, rows[0]) == HALF

    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,120", "e2,y,a,160.5", "e3,x,a,30")
    rows = joined(tmp_path, {"worn": worn(tmp_path, "a,a.csv", header="rec,file")}, window=[0, 1], checked=checked)
    assert picked(rows, "sample", "worn_start", "worn_end") == [("e1", 120.0, 121.0), ("e2", 160.5, 161.0)]
    assert seen(tmp_path, rows[0]) == HALF
    assert unaligned(tmp_path) == [("labels", "x", "no row of any stream is near in time; it is at 30.000 to 31.000 s")]


def test_seconds_since_1970_and_times_before_0(tmp_path):
    pulse(tmp_path / "a.csv", 1_767_225_600, at=1_767_225_610, name="t (s)")
    pulse(tmp_path / "b.csv", -5, at=-2, seconds=10)
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,1767225610", "e2,y,b,-2")
    rows = joined(tmp_path, {"worn": worn(tmp_path, "a,a.csv", "b,b.csv", header="rec,file")}, window=[0, 1],
                  checked=True)
    assert picked(rows, "sample", "worn_start") == [("e1", 1767225610.0), ("e2", -2.0)]
    assert np.allclose([seen(tmp_path, row) for row in rows], [HALF, HALF], atol=1e-4)


def test_dates_in_a_file_are_on_a_clock_of_dates(tmp_path):
    days = [f"2026-03-29T00:59:5{k}Z,{int(k == 4)}" for k in range(10)]
    csv(tmp_path / "a.csv", "time,v", *days)
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,2026-03-29T02:59:54+02:00", "e2,y,a,2026-03-29T00:59:57Z")
    for worn_table in (worn(tmp_path, "a,a.csv", header="rec,file"), worn(tmp_path, "a,a.csv,2026-03-29T00:59:50Z")):
        rows = joined(tmp_path, {"worn": worn_table}, window=[0, 1], checked=True)
        assert picked(rows, "worn_start", "worn_end") == [(4.0, 5.0), (7.0, 8.0)]


def test_parts_of_a_file_are_by_its_own_times(tmp_path):
    """`start` is a second of the file, `time` is when the file begins: the part is 10 s later."""
    pulse(tmp_path / "a.csv", 101.0, at=120.0)
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,1019", "e2,y,a,1005")
    rows = joined(tmp_path, {"worn": worn(tmp_path, "a,a.csv,1000,111", header="rec,file,at,from")}, window=[0, 1],
                  checked=True)
    assert picked(rows, "sample", "worn_start", "worn_end") == [("e1", 120.0, 121.0)]


def test_files_of_one_recording_that_follow_each_other_all_count(tmp_path):
    pulse(tmp_path / "a.csv", 0, at=10)
    pulse(tmp_path / "b.csv", 60, at=70)
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,10", "e2,y,a,70")
    rows = joined(tmp_path, {"worn": worn(tmp_path, "a,a.csv", "a,b.csv", header="rec,file")}, window=[0, 1],
                  checked=True)
    assert picked(rows, "worn", "worn_start") == [("a.csv", 10.0), ("b.csv", 70.0)]
    assert [seen(tmp_path, row) for row in rows] == [HALF, HALF]


DATE = "2026-01-01T00:00:0{}"
STRANGE = "its times are {}, and those of the tables are {}: name the column that says when each file begins, as " \
          "`time` of its table"


@pytest.mark.parametrize(("first", "event", "says"), [
    (DATE, "{}", STRANGE.format("dates", "seconds")), ("{}", DATE, STRANGE.format("seconds", "dates"))])
def test_dates_and_seconds_do_not_meet_in_silence(tmp_path, first, event, says):
    csv(tmp_path / "a.csv", "time,v", *(f"{first.format(k)},{k}" for k in range(9)))
    csv(tmp_path / "b.csv", "time,v", *(f"{event.format(k)},{k}" for k in range(9)))
    csv(tmp_path / "events.csv", EVENTS, f"e1,x,a,{event.format(1)}",
        f"e2,y,b,{event.format(1)}", f"e3,x,b,{event.format(2)}")
    joined(tmp_path, {"worn": worn(tmp_path, "a,a.csv", "b,b.csv", header="rec,file")}, window=[0, 1], checked=True)
    lost = tables.read(tmp_path / "valid/quarantine.parquet").to_pylist()
    assert [row["reason"] for row in lost if row["table"] == "worn"] == [says]


def test_without_any_times_a_file_of_dates_goes_with_its_key(tmp_path):
    csv(tmp_path / "a.csv", "time,v", *(f"2026-01-01T00:00:0{k},{k}" for k in range(9)))
    pulse(tmp_path / "b.csv", 101, at=103)
    csv(tmp_path / "events.csv", "id,label,rec", "e1,x,a", "e2,y,b")
    rows = joined(tmp_path, {"worn": worn(tmp_path, "a,a.csv", "b,b.csv", header="rec,file")}, checked=True)
    assert picked(rows, "worn", "worn_start") == [("a.csv", 0.0), ("b.csv", 101.0)]
