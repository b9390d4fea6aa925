"""Fewer than three recordings on a clock are cut into stretches that can be split."""

from pathlib import Path

import numpy as np
import soundfile

from tests.data.clocks import csv, joined, sound, unaligned
from trivium.data import tables, twins
from trivium.data.alignment import align
from trivium.data.cut import Cut
from trivium.data.settings import Align, Near, Split
from trivium.data.splits import split
from trivium.data.stretches import cut
from trivium.data.timeline import Timeline


def test_each_stretch_ends_before_the_next_begins():
    """Of two recordings 10 and 5 windows of 2 s, one a second; what counts is in order of time, whatever its place."""
    start = np.array([*range(10), 3.0, 1, 0, 2, 4])
    found = cut(np.array([7] * 10 + [9] * 5), start, start + 2, np.ones(15, bool))
    assert found is not None
    assert found.number.tolist() == [0] * 4 + [1] * 4 + [2] * 2 + [3, 3, 3, 3, 4]
    assert np.flatnonzero(found.across).tolist() == [3, 7, 10]
    assert found.counts.said == (
        "fewer than 3 recordings cannot be split, so they are cut into 5 stretches, each on one side (3 samples, which "
        "would reach into the next, left out). Neighbours may be alike, so results are better than on a new recording. "
        "`split.method: time` tests on the end.")


def test_fifty_stretches_at_most():
    start = np.arange(1000.0)
    found = cut(np.zeros(1000, np.int64), start, start + 1, np.ones(1000, bool))
    assert found is not None and not found.across.any()
    assert np.bincount(found.number).tolist() == [20] * 50


def test_enough_recordings_and_samples_without_a_time_stay_as_they_are():
    start, every = np.arange(6.0), np.ones(6, bool)
    assert cut(np.arange(6) // 2, start, start + 1, every) is None
    assert cut(np.zeros(6, int), np.where(start == 2, np.nan, start), start + 1, every) is None
    only = np.array([1, 1, 1, 1, 0, 0], bool)  # the third recording meets nothing
    assert cut(np.arange(6) // 2, start, start + 1, only) is not None


def _mics(folder: Path, names: str) -> dict:
    for k, name in enumerate(names):
        sound(folder / f"{name}.wav", 20, seed=k)
    path = csv(folder / "mics.csv", "rec,file,at", *(f"{name},{name}.wav,100" for name in names))
    return {"mic": {"modality": "audio", "column": "file", "table": {"path": str(path), "time": "at"}}}


def test_one_recording_is_cut_and_each_sample_has_its_time(tmp_path, capsys):
    csv(tmp_path / "events.csv", "id,label,rec,start,end", "r1,x,a,100,110", "r2,y,a,110,120")
    rows = joined(tmp_path, _mics(tmp_path, "a"), every="1 s", window=[0, 1.5])
    assert [(row["sample"], row["duplicate_group"], row["time"]) for row in rows[:5]] == [
        ("r1@0", "stretch 1", "100"), ("r1@1", "stretch 1", "101"), ("r1@2", "stretch 1", "102"),
        ("r1@4", "stretch 2", "104"), ("r1@5", "stretch 2", "105")]
    lost = [("labels", value, why) for table, value, why in unaligned(tmp_path) if table == "labels"]
    assert len(lost) == 4 and lost[0] == (
        "labels", "x", "it reaches into the next stretch of its recording; it is at 103.000 to 104.500 s")
    clock = Timeline.read(tmp_path / "aligned/clock.json")
    assert (clock.samples, clock.alone, clock.cut) == (16, 0, Cut(stretches=5, across=4))
    assert "clock: fewer than 3 recordings cannot be split, so they are cut into 5 stretches" in capsys.readouterr().out


def test_near_duplicates_do_not_tie_all_parts_of_the_one_file(tmp_path):
    csv(tmp_path / "events.csv", "id,label,rec,start,end", "r1,x,a,100,120", "r2,y,a,120,140")
    streams = _mics(tmp_path, "a")
    noise, rate = soundfile.read(sound(tmp_path / "a.wav", 40))
    soundfile.write(tmp_path / "a.wav", np.concatenate([noise[:38 * rate], noise[:2 * rate]]), rate)
    rows = joined(tmp_path, streams, every="2 s")
    (found,) = twins.find(tmp_path / "aligned", 0.5, Near())
    code = {row["mic_start"]: number for row, number in zip(rows, found.by_row()[:, 0].tolist(), strict=True)}
    assert sorted(code) == [2.0 * k for k in range(20)]
    assert code[38.0] == code[0.0] and len(set(code.values())) == 19  # the last two seconds are the first ones again
    settings = Split(method="holdout", val=0.2, test=0.2, labels=1.0, group_identical_text=False,
                     held_out_domain="", near_duplicates=Near())
    report = split(tmp_path / "aligned", tmp_path / "splits", settings, 2, {"audio": found.by_row()})
    assert report["groups"]["count"] == 4


def test_dates_are_written_as_dates(tmp_path):
    csv(tmp_path / "events.csv", "id,label,rec,start,end", "r1,x,a,2026-01-01T00:00:00,2026-01-01T00:00:08",
        "r2,y,a,2026-01-01T00:00:08,2026-01-01T00:00:12")
    streams = _mics(tmp_path, "a")
    csv(tmp_path / "mics.csv", "rec,file,at", "a,a.wav,2026-01-01T00:00:00")
    assert [row["time"] for row in joined(tmp_path, streams, every="4 s")] == [
        "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:04.000Z", "2026-01-01T00:00:08.000Z"]


def test_new_rows_and_given_splits_are_not_cut(tmp_path):
    csv(tmp_path / "events.csv", "id,label,rec,start,end", "r1,x,a,100,110", "r2,y,a,110,120")
    whole = joined(tmp_path, _mics(tmp_path, "a"), every="1 s", window=[0, 1.5])
    assert len(whole) == 16
    align(tmp_path / "valid", tmp_path / "new", {"mic": "audio"},
          Align.model_validate({"tolerance": 0.1, "every": "1 s", "window": [0, 1.5]}), whole=True)
    new = tables.read(tmp_path / "new/samples.parquet").to_pylist()
    assert Timeline.read(tmp_path / "new/clock.json").cut is None
    assert len(new) == 20 and {row["duplicate_group"] for row in new} == {"r1"}
    csv(tmp_path / "events.csv", "id,label,rec,start,end,split", "r1,x,a,100,110,train", "r2,y,a,110,120,test")
    assert len(joined(tmp_path, _mics(tmp_path, "a"), every="1 s", window=[0, 1.5])) == 20


def test_parts_of_one_of_three_recordings_stay_together(tmp_path):
    csv(tmp_path / "events.csv", "id,label,rec,start,end", "r1,x,a,100,110", "r2,y,a,110,120", "r3,x,b,,", "r4,x,c,,")
    rows = joined(tmp_path, _mics(tmp_path, "abc"), every="5 s")
    assert [(row["sample"], row["duplicate_group"]) for row in rows[:5]] == [
        ("r1@0", "r1"), ("r1@5", "r1"), ("r2@0", "r1"), ("r2@5", "r1"), ("r3@0", "r3")]
