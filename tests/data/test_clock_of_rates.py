"""Streams of different rates on one clock: rows of tables averaged or interpolated, series at regular times."""

import numpy as np
import pytest

from tests.data.clocks import csv, joined, picked
from tests.data.test_clock import of_params
from trivium.data import clock_settings
from trivium.data.settings import Stream
from trivium.modalities import series

EVENTS = "id,label,rec,time"


def sensor(folder, *rows, header="rec,at,temp,state", columns=("temp", "state")):
    path = csv(folder / "sensor.csv", header, *rows)
    times = {what: column for what, column in (("time", "at"), ("start", "from"), ("end", "to"))
             if column in header.split(",")}
    return {"temp": {"modality": "table", "columns": list(columns), "table": {"path": str(path), **times}}}


def found(rows):
    return [row["temp"] for row in rows]


def test_the_mean_of_the_rows_in_each_tick(tmp_path):
    csv(tmp_path / "events.csv", "id,label,rec,start,end", "r1,x,a,0,2", "r2,y,a,2,4")
    stream = sensor(tmp_path, "a,0,1,on", "a,0.3,2,off", "a,0.6,6,off", "a,1,10,on", "a,2.5,,on", "a,2.9,7.5,idle")
    rows = joined(tmp_path, stream, every=1, streams={"temp": {"take": "mean", "tolerance": 0.2}})
    assert picked(rows, "sample", "temp") == [
        ("r1@0", '{"temp":"3","state":"off"}'), ("r1@1", '{"temp":"10","state":"on"}'),
        ("r2@0", '{"temp":"7.5","state":"on"}'),  # an empty cell counts for nothing; of equals, the first one
        ("r2@1", '{"temp":"7.5","state":"idle"}')]  # none lies in it; this one is near


def test_the_mean_of_spans_is_by_how_long_they_overlap(tmp_path):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,10", "e2,y,a,20")
    stream = sensor(tmp_path, "a,8,9.5,1,low", "a,9.5,11,5,high", "a,19,21,0.1,low",
                    header="rec,from,to,temp,state")
    rows = joined(tmp_path, stream, window=[-1, 1], streams={"temp": {"take": "mean"}})
    assert found(rows) == ['{"temp":"4","state":"high"}', '{"temp":"0.1","state":"low"}']  # (0.5 x 1 + 1.5 x 5) / 2


def test_between_two_rows_the_value_is_on_the_line(tmp_path):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,10.25", "e2,y,a,11", "e3,x,a,12.2", "e4,y,a,20", "e5,x,a,10.75")
    stream = sensor(tmp_path, "a,10,1,on", "a,11,3,off", "a,20.4,9,on", "a,19.5,4,off")
    rows = joined(tmp_path, stream, streams={"temp": {"take": "interpolate", "tolerance": 0.8}})
    assert picked(rows, "sample", "temp") == [
        ("e1", '{"temp":"1.5","state":"on"}'), ("e2", '{"temp":"3","state":"off"}'),  # e3: no row is near
        ("e4", '{"temp":"6.77777777778","state":"on"}'), ("e5", '{"temp":"2.5","state":"off"}')]


def test_beyond_the_last_row_and_within_one_that_lasts(tmp_path):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,9.9", "e2,y,a,13", "e3,x,a,15", "e4,y,a,20.3")
    stream = sensor(tmp_path, "a,10,14,1,on", "a,16,20,3,on", header="rec,from,to,temp,state")
    rows = joined(tmp_path, stream, streams={"temp": {"take": "interpolate", "tolerance": 1}})
    assert [one.split('"')[3] for one in found(rows)] == ["1", "1", "2", "3"]


def test_what_is_a_code_is_not_averaged(tmp_path):
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,10", "e2,y,a,20")
    stream = sensor(tmp_path, "a,9.9,007,1", "a,10.1,009,0", "a,10.2,009,0", "a,20,007,1", columns=("temp", "state"))
    rows = joined(tmp_path, stream, window=[-1, 1], streams={"temp": {"take": "mean"}})
    assert found(rows) == ['{"temp":"009","state":"0"}', '{"temp":"007","state":"1"}']


@pytest.mark.parametrize(("take", "wanted"), [("before", "1"), ("after", "2")])
def test_one_that_is_near_on_its_side_counts(tmp_path, take, wanted):
    """Although another one lies in the tick."""
    csv(tmp_path / "events.csv", "id,label,rec,start,end", "r1,x,a,10,11", "r2,y,b,10,11")
    rows = joined(tmp_path, sensor(tmp_path, "a,9.8,1,u", "a,10.5,2,u", "b,10,3,v"), every=1,
                  streams={"temp": {"take": take, "tolerance": 0.5}})
    assert [one.split('"')[3] for one in found(rows)] == [wanted, "3"]


def test_only_tables_are_averaged():
    data, align = of_params(streams={"near": {"take": "mean"}, "far": {"take": "interpolate"}})
    own = data.streams["far"].table
    data = data.model_copy(update={"streams": data.streams | {"far": Stream(modality="series", table=own)}})
    assert clock_settings.wrong(data, align) == [
        "`align.streams.near.take`: only the numbers of tables are averaged, and near is audio: choose one of overlap, "
        "nearest, before, after.",
        "`align.streams.far.take`: only the numbers of tables are averaged, and far is series: the encoder of far does "
        "that: `processor.rate` says how many points a second it sees."]


def worn(folder):
    """A line that rises by 10 a second, with a point each 0.05 s, and a gap from 3 to 4 s; `fast` turns 8 times a
    second.
    """
    times = 100 + np.arange(0, 6, 0.05)
    lines = [f"{t:.2f},{'' if 103 <= t < 104 else f'{10 * t:.1f}'},{np.sin(2 * np.pi * 8 * t):.9f}" for t in
             times.round(2).tolist()]
    csv(folder / "a.csv", "time,line,fast", *lines)
    path = csv(folder / "worn.csv", "rec,file", "a,a.csv")
    return {"worn": {"modality": "series", "column": "file", "table": {"path": str(path)}}}


def test_a_series_is_at_regular_times_in_each_window(tmp_path):
    """All samples have one length; values between two points are on the line; gaps stay gaps, and so does what is
    before the first point or behind the last; what is too fast for the new rate is filtered out.
    """
    csv(tmp_path / "events.csv", EVENTS, "e1,x,a,101.03", "e2,y,a,100.25", "e3,x,a,105.75", "e4,y,a,103")
    rows = joined(tmp_path, worn(tmp_path), window=[-0.5, 0.5])
    assert picked(rows, "sample", "worn_start", "worn_end") == [
        ("e1", 100.53, 101.53), ("e2", 99.75, 100.75), ("e3", 105.25, 106.0), ("e4", 102.5, 103.5)]

    def seen(rate, channel):
        settings = series.Settings(channels=(channel,), rate=rate, seconds=1)
        return [series.decode(row["worn"], tmp_path, row["worn_start"], row["worn_end"], settings) for row in rows]

    whole = seen(20, "line")
    assert {one.shape for one in whole} == {(2, 20)}
    assert np.allclose(whole[0][0], 1005.3 + 0.5 * np.arange(20), atol=1e-3) and whole[0][1].all()
    assert whole[1][1].tolist() == [0] * 5 + [1] * 15 and whole[1][0, 5] == 1000.0
    assert whole[2][1].tolist() == [1] * 15 + [0] * 5 and whole[2][0, 14] == pytest.approx(1059.5)
    assert whole[3][1].tolist() == [1] * 10 + [0] * 10 and whole[3][0, 9] == pytest.approx(1029.5)
    faster = seen(40, "line")
    assert {one.shape for one in faster} == {(2, 40)}
    assert np.allclose(faster[0][0], 1005.3 + 0.25 * np.arange(40), atol=1e-3)
    assert max(np.abs(one[0]).max() for one in seen(20, "fast")) > 0.9
    # at 5 points a second, 8 turns would look like 2; in the middle of the file nothing is left of them
    assert np.abs(seen(5, "fast")[3][0]).max() < 0.02
