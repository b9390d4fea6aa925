"""Streams with tables of their own meet samples on one clock."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from tests.data.clocks import csv, hold_a_late_clock, ingested, joined, picked, sound, unaligned
from tests.helpers import ROOT
from trivium.data import clock_settings, tables
from trivium.data import streams as settings_of_streams
from trivium.data.settings import Align, Data, Stream
from trivium.settings.errors import UserError


def mics(folder: Path) -> dict:
    """Two recordings of ten seconds, which begin at 100 and at 200."""
    for k, name in enumerate("ab"):
        sound(folder / f"{name}.wav", 10, seed=k)
    path = csv(folder / "mics.csv", "rec,file,at", "a,a.wav,100", "b,b.wav,200")
    return {"modality": "audio", "column": "file", "table": {"path": str(path), "time": "at"}}


def words(folder: Path, *rows: str) -> dict:
    path = csv(folder / "words.csv", "rec,text,from,to", *rows)
    return {"modality": "text", "column": "text", "table": {"path": str(path), "start": "from", "end": "to"}}


def sensor(folder: Path, *rows: str) -> dict:
    path = csv(folder / "sensor.csv", "rec,at,temp", *rows)
    return {"modality": "table", "columns": ["temp"], "table": {"path": str(path), "time": "at"}}


EVENTS = "id,label,rec,time"


def test_a_window_around_each_event(tmp_path):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,101", "e2,y,a,105.5", "e3,x,b,200.25", "e4,y,b,900")
    streams = {"mic": mics(tmp_path),
               "words": words(tmp_path, "a,hello,100.8,101.2", "a,you,101.2,101.4", "a,far,108,109", "b,ho,199,200"),
               "temp": sensor(tmp_path, "a,100.9,1", "a,101.2,2", "b,201,3")}
    rows = joined(tmp_path, streams, window=["-500 ms", 0.5])
    assert picked(rows, "sample", "mic", "mic_start", "mic_end", "words", "temp") == [
        ("e1", "a.wav", 0.5, 1.5, "hello you", '{"temp":"1"}'),
        ("e2", "a.wav", 5.0, 6.0, None, None),
        ("e3", "b.wav", 0.0, 0.75, "ho", None)]
    why = "no sample takes it up: others of its recording are nearer, or none is near in time; it is at "
    assert unaligned(tmp_path) == [
        ("words", "far", why + "108.000 to 109.000 s"),
        ("temp", '{"temp":"2"}', why + "101.200 s"),
        ("temp", '{"temp":"3"}', why + "201.000 s"),
        ("labels", "y", "no row of any stream is near in time; it is at 899.500 to 900.500 s")]


def test_one_row_per_tick(tmp_path):
    csv(tmp_path / "events.csv", "id,label,rec,start,end", "r1,x,a,100.5,103", "r2,y,a,103,105", "r3,x,b,,")
    rows = joined(tmp_path, {"mic": mics(tmp_path), "temp": sensor(tmp_path, "a,101,1", "a,102,2", "b,204.5,3")},
                  every="1 s", streams={"temp": {"tolerance": 0.0}})
    of_a = [row for row in rows if row["mic"] == "a.wav"]
    assert picked(of_a, "sample", "label", "mic_start", "mic_end", "temp") == [
        ("r1@0.5", "x", 1.0, 2.0, '{"temp":"1"}'), ("r1@1.5", "x", 2.0, 3.0, '{"temp":"2"}'),
        ("r2@0", "y", 3.0, 4.0, None), ("r2@1", "y", 4.0, 5.0, None)]
    # without times a row lasts as long as its recording does
    assert [row["sample"] for row in rows if row["mic"] == "b.wav"] == [f"r3@{k}" for k in range(10)]
    assert [row["sample"] for row in rows if row["temp"] == '{"temp":"3"}'] == ["r3@4"]


def test_rows_without_a_tick_are_said_with_their_times(tmp_path, capsys):
    csv(tmp_path / "events.csv", "id,label,rec,start,end", "r1,x,a,100,101.6", "r2,y,a,101.6,101.9", "r3,x,a,101.9,104",
        "r4,y,b,199.5,200.5", "r5,y,none,,")
    rows = joined(tmp_path, {"mic": mics(tmp_path)}, every="1 s")
    assert [row["sample"] for row in rows] == ["r1@0", "r3@0.1", "r3@1.1"]
    lost = tables.read(tmp_path / "aligned/unaligned.parquet").to_pylist()
    assert picked([row for row in lost if row["table"] == "labels"], "key", "sample", "value", "reason") == [
        ("a", "r2", "y", "no whole tick of 1 s (align.every) lies in it; it is at 101.600 to 101.900 s"),
        ("b", "r4", "y", "no whole tick of 1 s (align.every) lies in it; it is at 199.500 to 200.500 s"),
        ("none", "r5", "y", "no whole tick of 1 s (align.every) lies in it; it has no time")]
    assert "clock: 3 of 5 rows of the table become no sample: no whole tick of 1 s (align.every) lies in them.\n" in (
        capsys.readouterr().out)


def test_a_tick_in_no_row_says_when_all_are(tmp_path):
    csv(tmp_path / "events.csv", "id,label,rec,start,end", "r1,x,a,101.2,101.6", "r2,y,a,101.6,101.9")
    with pytest.raises(UserError, match=r"No whole tick of 1 s \(align.every\) lies in any row of the table: the rows "
                                        r"are at 101.200 to 101.900 s, mic are at 100.000 to 210.000 s. Lower it"):
        joined(tmp_path, {"mic": mics(tmp_path)}, every="1 s")


@pytest.mark.parametrize(("take", "found"), [("nearest", "2"), ("before", "1"), ("after", "3"), (None, "2")])
def test_what_counts_of_several_rows(tmp_path, take, found):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,10", "e2,y,b,10")
    stream = sensor(tmp_path, "a,9.5,1", "a,9.9,1", "a,10.05,2", "a,10.2,3", "b,10,4")
    if take == "after":
        stream = sensor(tmp_path, "a,9.99,2", "a,10.02,3", "a,10.2,4", "b,10,4")
    if take in ("nearest", None):
        stream = sensor(tmp_path, "a,9.5,1", "a,9.9,1", "a,10.05,2", "b,10,4")
    settings = {"streams": {"temp": {"take": take}}} if take else {}
    rows = joined(tmp_path, {"temp": stream}, window=[-1, 1], **settings)
    assert [row["temp"] for row in rows] == [f'{{"temp":"{found}"}}', '{"temp":"4"}']


def test_the_tolerance_is_of_each_stream(tmp_path):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,10", "e2,y,a,20")
    streams = {"temp": sensor(tmp_path, "a,10.3,1", "a,20.05,2"), "words": words(tmp_path, "a,hi,10.3,11")}
    assert picked(joined(tmp_path, streams, streams={"temp": {"tolerance": "0.5 s"}}), "sample", "temp", "words") == [
        ("e1", '{"temp":"1"}', None), ("e2", '{"temp":"2"}', None)]


def test_a_stream_of_the_manifest_goes_with_its_row(tmp_path):
    csv(tmp_path / "events.csv", "id,label,rec,time,note", "e1,x,a,101,one", "e2,y,a,101.1,two")
    rows = joined(tmp_path, {"note": {"modality": "text"}, "mic": mics(tmp_path)}, window=[-1, 1])
    assert picked(rows, "sample", "note", "mic_start") == [("e1", "one", 0.0), ("e2", "two", 0.1)]


def test_dates_with_zones_are_one_clock(tmp_path):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,2026-03-29T02:00:00.5+01:00", "e2,y,a,2026-03-29T01:00:04Z")
    stream = sensor(tmp_path, "a,2026-03-29 01:00:00.500000Z,1", "a,2026-03-29T03:00:04+02:00,2")
    rows = joined(tmp_path, {"temp": stream})
    assert [row["temp"] for row in rows] == ['{"temp":"1"}', '{"temp":"2"}']
    assert tables.read_json(tmp_path / "aligned/meta.json")["clock"] == "dates"


def test_an_offset_moves_a_stream_when_it_is_asked_for(tmp_path):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,103", "e2,y,a,105")
    rows = joined(tmp_path, {"mic": mics(tmp_path)}, window=[0, 1], offset={"mic": "700 ms"})
    assert picked(rows, "mic_start", "mic_end") == [(2.3, 3.3), (4.3, 5.3)]


BAD = {
    "zones": (["a,2026-01-01T00:00:00Z,1", "a,2026-01-01T00:00:01,2"],
              r"sensor.csv: row 2 has the time `2026-01-01T00:00:01` with no time zone, and rows before it have one"),
    "units": (["a,1,1", "a,2 ms,2"], r"sensor.csv: row 2 has the time `2 ms`, which is no time: .* without `ms`"),
    "words": (["a,1,1", "a,soon,2"], r"sensor.csv: row 2 has the time `soon`, which is no time"),
    "a date among seconds": (
        ["a,101.9,1", "a,102.9,2", "a,103.9,3", "a,2026-01-01T00:00:04,4"],
        r"sensor.csv: row 4 has the time `2026-01-01T00:00:04`, which is a date, and other rows have numbers: write "
        "seconds in every row, or dates in every row"),
    "seconds among dates": (
        ["a,20260101,1", "a,2026-01-02,2", "a,3.5,3", "a,20260103,4"],
        r"sensor.csv: row 3 has the time `3.5`, which is a number, and other rows have dates"),
    "words among both": (["a,101.9,1", "a,2026-01-01,2", "a,soon,3"], r"row 3 has the time `soon`, which is no time"),
    "milliseconds": (["a,500000000000,1"], r"row 1 has the time `500000000000`, which is too much for seconds"),
    "kinds": (["a,2026-01-01,1"], r"events.csv has numbers in the column `time`, and .*sensor.csv has dates in"),
}


@pytest.mark.parametrize("bad", BAD)
def test_times_that_cannot_be_read_name_file_and_row(tmp_path, bad):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,10", "e2,y,a,20")
    rows, says = BAD[bad]
    with pytest.raises(UserError, match=says):
        ingested(tmp_path, {"temp": sensor(tmp_path, *rows)})


@pytest.mark.parametrize("many", [1, 1000, 10**6])
def test_numbers_that_count_from_1970_are_read_in_their_unit(tmp_path, capsys, many):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,2026-01-01T00:00:00Z", "e2,y,a,2026-01-01T00:00:09Z")
    rows = joined(tmp_path, {"temp": sensor(tmp_path, *(f"a,{(1767225600 + k) * many},{k}" for k in (0, 9)))})
    assert [row["temp"] for row in rows] == ['{"temp":"0"}', '{"temp":"9"}']
    unit = {1: "", 1000: "milliseconds", 10**6: "microseconds"}[many]
    assert (f"the time is a number, read as {unit} since 1970 (UTC)" in capsys.readouterr().out) == bool(unit)


def test_times_that_run_backwards_or_come_twice_are_said(tmp_path, capsys):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,10", "e2,y,a,20")
    rows = joined(tmp_path, {"temp": sensor(tmp_path, "a,20,1", "a,10,2", "a,20,3", "b,5,9")}, checked=True)
    said = capsys.readouterr().out
    assert "sensor.csv: row 2 is at 10, before an earlier row of `a`: its rows are put into the order of time" in said
    assert "sensor.csv: row 3 is at 20, as an earlier row of `a` is: if both end together, the later one goes" in said
    assert [row["temp"] for row in rows] == ['{"temp":"2"}', '{"temp":"1"}']
    lost = tables.read(tmp_path / "valid/quarantine.parquet").to_pylist()
    assert picked(lost, "value", "reason") == [
        ('{"temp":"3"}', "an earlier row has the same key `a`, start and end (it is at 20.000000 s)"),
        ('{"temp":"9"}', "labels.parquet has no row with the key `b`")]


def test_an_end_before_its_start_names_the_row(tmp_path):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,10", "e2,y,a,20")
    with pytest.raises(UserError, match=r"words.csv: row 2 ends \(`to`\) before it starts"):
        ingested(tmp_path, {"words": words(tmp_path, "a,one,1,2", "a,two,4,3")})


def test_moments_need_a_window_for_what_lasts(tmp_path):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,101", "e2,y,a,102")
    with pytest.raises(UserError, match=r"Samples are moments, and mic lasts: .* align.window"):
        joined(tmp_path, {"mic": mics(tmp_path)})


def test_clocks_that_never_meet_say_when_each_is(tmp_path):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,1", "e2,y,a,2")
    with pytest.raises(UserError, match=r"the rows are at 1.000 to 2.000 s, mic are at 100.000 to 210.000 s"):
        joined(tmp_path, {"mic": mics(tmp_path)}, window=[0, 1])


def test_lengths_of_time_have_units():
    settings = Align.model_validate({"tolerance": 0.1, "every": "250 ms", "window": ["-1 s", "0.5 min"]})
    assert (settings.every, settings.window) == (0.25, (-1.0, 30.0))
    for wrong in ({"every": "1 day"}, {"window": [1, -1]}, {"every": 0}, {"offset": {"a": "guessed"}}):
        with pytest.raises(ValueError):
            Align.model_validate({"tolerance": 0.1} | wrong)


def bursts(folder: Path, late: float) -> None:
    """Two sounds of the same bursts, at 100 in a.wav, and `late` seconds sooner in the other, with noise of its own."""
    rng = np.random.default_rng(7)
    times, waves = rng.uniform(2, 58, 60), rng.normal(0, 0.01, (2, 60 * 1000))
    for at in times:
        for wave, begin in zip(waves, (at, at - late), strict=True):
            first = round(begin * 1000)
            wave[first: first + 150] += rng.uniform(-0.5, 0.5, 150)
    for name, wave in zip(("a", "far"), waves, strict=True):
        soundfile.write(folder / f"{name}.wav", wave, 1000)


@pytest.mark.parametrize("late", [0.7, -0.31])
def test_a_planted_offset_is_found_and_applied_when_asked(tmp_path, late):
    bursts(tmp_path, late)
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,110", "e2,y,a,120")
    streams = {}
    for name, file in (("near", "a"), ("far", "far")):
        path = csv(tmp_path / f"{name}.csv", "rec,file,at", f"a,{file}.wav,100")
        streams[name] = {"modality": "audio", "column": "file", "table": {"path": str(path), "time": "at"}}
    asked = {"near": 10.0, "far": 10.0}
    for settings in ({}, {"offset": {"far": "estimated"}}):
        row = joined(tmp_path, streams, window=[0, 1], **settings)[0]
        (found,) = tables.read_json(tmp_path / "aligned/clock.json")["offsets"]
        assert abs(found["seconds"] - late) < 0.02 and found["low"] - 0.01 < late < found["high"] + 0.01
        assert found["sure"] and found["ratio"] > 2 and found["agree"] >= 5
        assert found["drift"][1] < 0 < found["drift"][2]
        moved = asked["far"] - (found["seconds"] if settings else 0)
        assert (row["near_start"], row["far_start"]) == (10.0, pytest.approx(moved, abs=1e-6))


def test_an_offset_that_cannot_be_told_is_not_applied(tmp_path):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,101", "e2,y,a,105")
    streams = {"mic": mics(tmp_path), "words": words(tmp_path, "a,one,101,102", "a,two,103,108.5")}
    with pytest.raises(UserError, match=r"align.offset.words .* cannot be told"):
        joined(tmp_path, streams, window=[0, 1], offset={"words": "estimated"})
    with pytest.raises(UserError, match=r"align.offset.mic .* is the clock of mic that others are measured against"):
        joined(tmp_path, streams, window=[0, 1], offset={"mic": "estimated"})


def of_params(**align: object) -> tuple[Data, Align]:
    """Settings of two sounds with tables of their own, whose columns have one name."""
    own = {"modality": "audio", "column": "file", "table": {"path": "mics.csv", "time": "at"}}
    data = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["data"]
    data |= {"source": "manifest", "streams": {"near": own, "far": own}, "manifest": data["manifest"] | {"key": "rec"}}
    return Data.model_validate(data), Align.model_validate({"tolerance": 0.1} | align)


def test_settings_that_point_nowhere_are_said():
    data, align = of_params()
    assert settings_of_streams.wrong(data) == [] and clock_settings.wrong(data, align) == []
    assert clock_settings.wrong(*of_params(offset={"fra": 1}, streams={"near": {"take": "all"}})) == [
        "`align.offset.fra`: there is no such stream with a `table` of its own; did you mean `far`?",
        "`align.streams.near.take`: only texts can be put together, and near is audio: choose one of overlap, nearest, "
        "before, after."]
    plain = data.model_copy(update={"streams": {"text": Stream(modality="text")}})
    assert clock_settings.wrong(plain, Align(tolerance=0.1, every=1.0)) == [
        "`data.manifest.key` says which recording a row is of, but no stream has a `table` of its own: take it out, or "
        "name the table of a stream as data.streams.NAME.table.",
        "`align.every` needs streams with times: no stream of data.streams has a `table` of its own."]


def test_a_series_is_cut_out_on_the_clock_and_its_offset_is_found(tmp_path):
    rng = np.random.default_rng(3)
    beats, wave, sensor_values = rng.uniform(2, 58, 50), rng.normal(0, 0.01, 60_000), rng.normal(0, 0.02, 6_000)
    for at in beats:
        wave[round(at * 1000): round(at * 1000) + 200] += rng.uniform(-0.5, 0.5, 200)
        sensor_values[round((at - 0.7) * 100): round((at - 0.7) * 100) + 20] += 1.0
    soundfile.write(tmp_path / "a.wav", wave, 1000)
    lines = [f"{k / 100},{value:.4f}" for k, value in enumerate(sensor_values)]
    csv(tmp_path / "pulse.csv", "time,pulse", *lines)
    hold_a_late_clock(tmp_path, "series", "pulse.csv")
