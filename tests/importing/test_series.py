"""Long tables, and lists in Parquet, as rows with a file each."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trivium import importing, tasks
from trivium.data.cut import Cut
from trivium.data.meta import Meta
from trivium.data.settings import Manifest, Stream
from trivium.data.sources import manifest
from trivium.modalities import recordings, series
from trivium.settings.errors import UserError

pytestmark = pytest.mark.usefixtures("folder")
RNG = np.random.default_rng(0)


def lines(keys: int = 12, points: int = 60, label: str = "label") -> list[str]:
    """A recording `r0` has the label b, `r1` a, ...; 50 points a second; every 17th cell of `ay` is empty."""
    return [f"recording,t,ax,ay,{label},who", *(
        f"r{k},{i / 50:.2f},{np.sin(i / (3 + k % 2)):.4f},{f'{k + i / 7:.3f}' * (i % 17 > 0)},{'ba'[k % 2]},p{k}"
        for k in range(keys) for i in range(points))]


def written(text: list[str], name: str = "long.csv") -> str:
    Path(name).write_text("\n".join(text) + "\n")
    return name


def rows(source: str, into: str = "out", **asked: object) -> tuple[list[dict[str, str]], Path]:
    found = importing.table(source, Path(into), **asked)  # type: ignore[arg-type]
    return pq.read_table(found.path).to_pylist(), found.path.parent


def test_a_long_table_is_recognised_and_becomes_a_row_for_each_recording() -> None:
    found = importing.table(written(lines()))
    assert found.form == "one long table of recordings (a row for each moment)"
    assert found.notes == ("channels: ax, ay; time: `t`; a row for each `recording`.",)
    made = pq.read_table(found.path).to_pylist()
    assert [row | {"series": ""} for row in made[:2]] == [
        {"id": "r0", "label": "b", "who": "p0", "series": ""}, {"id": "r1", "label": "a", "who": "p1", "series": ""}]
    one = recordings.read(made[3]["series"], found.path.parent)
    assert one.channels == ("ax", "ay") and np.allclose(one.seconds, np.arange(60) / 50)
    assert np.allclose(one.values[0], np.sin(np.arange(60) / 4), atol=1e-4)
    assert np.flatnonzero(np.isnan(one.values[1])).tolist() == [0, 17, 34, 51]


def test_a_key_of_another_name_is_told_and_not_gone_by() -> None:
    text = lines()
    found = importing.table(written([text[0].replace("recording", "batch"), *text[1:]]))
    assert found.form.startswith("a table") and found.notes[0] == (
        "each row is taken for a sample. If one `batch` is a sample, and its rows are moments of a recording, add "
        "`--key batch --time t`.")
    shuffled = [text[0].replace("recording", "batch"), *RNG.permutation(text[1:]).tolist()]
    assert not any("--key" in note for note in importing.table(written(shuffled, "b.csv"), Path("b")).notes)


def test_the_finer_of_two_keys_is_a_recording() -> None:
    """Machines have several runs each."""
    text = lines()
    runs = [text[0].replace("recording", "machine,run"), *(f"m{line[1:].split(',')[0]},{line}" for line in text[1:])]
    found = importing.table(written([runs[0], *(line.replace("m0,", "m1,", 1) for line in runs[1:])]))
    assert found.form == "one long table of recordings (a row for each moment)"
    assert found.notes[0].endswith("a row for each `run`.")


def test_rows_of_a_recording_need_not_stand_together() -> None:
    one, _ = rows(written(lines()))
    text = lines()
    mixed = [text[0], *sorted(text[1:], key=lambda line: float(line.split(",")[1]))]
    other, _ = rows(written(mixed, "mixed.csv"), "other")
    assert sorted(map(str, one)) == sorted(map(str, other))


def test_windows_with_overlap_are_rows_of_one_group() -> None:
    made, home = rows(written(lines(4)), window=0.5, step=0.25)
    assert len(made) == 4 * 3 and len({row["series"] for row in made}) == 4
    assert [(row["id"], row["start"], row["end"], row["group"], row["label"]) for row in made[:4]] == [
        ("r0@0", "0", "0.5", "r0", "b"), ("r0@0.25", "0.25", "0.75", "r0", "b"),
        ("r0@0.5", "0.5", "1", "r0", "b"), ("r1@0", "0", "0.5", "r1", "a")]
    assert series.probe(made[1]["series"], home, 0.25, 0.75)["points"] == 25


def test_a_label_that_changes_needs_windows_and_each_takes_what_it_has_most_of() -> None:
    text = lines(4, label="activity")
    text = [text[0], *(",".join([*line.split(",")[:4], "walk" if k % 60 < 20 else "rest", line.split(",")[5]])
                       for k, line in enumerate(text[1:]))]
    with pytest.raises(UserError, match=r"the `activity` of `r0` changes from `walk` to `rest`, so a recording has "
                                        r"several\. Cut it into windows, each with its own: `--window SECONDS`\."):
        rows(written(text), label="activity")
    made, _ = rows(written(text), label="activity", window=0.6)
    assert [row["activity"] for row in made[:4]] == ["walk", "rest", "walk", "rest"]
    spare = importing.table(written(text), Path("third")).notes[0]
    assert spare == ("left out, since it changes within a recording and is no number: activity. To predict it, "
                     "add `--label activity`.")


def alone(points: int) -> list[str]:
    """One recording without a key, 50 points a second."""
    return [",".join(line.split(",")[1:4]) for line in lines(1, points)]


def test_one_recording_without_a_key_is_cut_into_stretches() -> None:
    """Each of them is a file and a group, so that it can be split."""
    made, home = rows(written(alone(100), "log.csv"), window=0.5)
    assert [(row["id"], row["start"], row["time"], row["group"]) for row in made] == [
        ("log@0", "0", "0.00", "log-01"), ("log@0.5", "0.5", "0.50", "log-02"),
        ("log@1", "1", "1.00", "log-03"), ("log@1.5", "1.5", "1.50", "log-04")]
    assert len({row["series"] for row in made}) == 4
    assert [series.probe(row["series"], home, float(row["start"]), float(row["end"]))["points"] for row in made] == [
        25, 25, 25, 25]


def test_windows_that_overlap_never_reach_into_the_next_stretch() -> None:
    """203 windows would fit; 5 of them in a stretch of 3 s, whose last ends where the next stretch begins."""
    found = importing.table(written(alone(5100), "log.csv"), Path("out"), window=1.0, step=0.5)
    made = pq.read_table(found.path).to_pylist()
    by_group: dict[str, list[tuple[float, float]]] = {}
    for row in made:
        by_group.setdefault(row["group"], []).append((float(row["start"]), float(row["end"])))
    assert len(by_group) == 34 and {len(own) for own in by_group.values()} == {5}
    assert [own[0][0] for own in by_group.values()] == [3.0 * k for k in range(34)]
    assert [own[-1][1] for own in by_group.values()] == [3.0 * (k + 1) for k in range(34)]
    assert found.notes[1] == (
        "fewer than 3 recordings cannot be split, so they are cut into 34 stretches, each on one side (33 samples, "
        "which would reach into the next, left out). Neighbours may be alike, so results are better than on a new "
        "recording. `split.method: time` tests on the end.")


def test_milliseconds_since_1970_are_read_as_these() -> None:
    text = [",".join(["t", "ax"]), *(f"{1_767_225_600_000 + 20 * k},{np.sin(k / 3):.4f}" for k in range(100))]
    found = importing.table(written(text, "log.csv"), Path("out"), window=0.5)
    made = pq.read_table(found.path).to_pylist()
    assert len(made) == 4
    assert "channels: ax; time: `t`, milliseconds since 1970 (UTC); all is one recording" in found.notes[0]
    probed = series.probe(made[0]["series"], found.path.parent, float(made[0]["start"]), float(made[0]["end"]))
    assert probed["points"] == 25 and probed["duration"] == pytest.approx(0.5)


def test_two_recordings_with_a_key_are_cut_as_well() -> None:
    made, _ = rows(written(lines(2, 100)), window=0.5)
    assert [(row["id"], row["group"], row["start"], row["time"]) for row in made] == [
        ("r0@0", "r0-01", "0", "0.00"), ("r0@0.5", "r0-02", "0.5", "0.50"), ("r0@1", "r0-03", "1", "1.00"),
        ("r0@1.5", "r0-04", "1.5", "1.50"), ("r1@0", "r1-01", "0", "0.00"), ("r1@0.5", "r1-02", "0.5", "0.50"),
        ("r1@1", "r1-03", "1", "1.00"), ("r1@1.5", "r1-04", "1.5", "1.50")]


def test_a_label_that_is_a_number_is_the_mean_of_its_window() -> None:
    text = [alone(100)[0] + ",wear", *(f"{line},{k / 10:.1f}" for k, line in enumerate(alone(100)[1:]))]
    found = importing.table(written(text, "log.csv"), Path("out"), window=0.5, label="wear")
    assert [row["wear"] for row in pq.read_table(found.path).to_pylist()] == ["1.2", "3.7", "6.2", "8.7"]
    assert "`wear` is a number: each window has its mean." in found.notes
    settings = Manifest(path=str(found.path), id="id", label="wear", group="group", split="", language="", domain="",
                        start="start", end="end")
    manifest.write(Path("raw"), settings, 0, {"series": Stream(modality="series")}, tasks.kind("regression"))
    assert Meta.read("raw/meta.json").cut == Cut(stretches=4, across=0)  # which look and report say


def test_one_bad_recording_of_many_keeps_its_label() -> None:
    text = lines(6)
    text[1 + 60 * 2 + 7] = text[1 + 60 * 2 + 6]  # a time twice
    made, _ = rows(written(text), window=0.5)
    assert [(row["id"], row["label"]) for row in made if row["id"].startswith("r2")] == [("r2", "b")]


def test_a_log_without_a_key_is_no_key_of_its_state() -> None:
    text = [alone(100)[0] + ",state", *(f"{line},{'ab'[k // 20 % 2]}" for k, line in enumerate(alone(100)[1:]))]
    found = importing.table(written(text, "log.csv"), label="state")
    assert found.notes == ("each row is taken for a sample. If the rows are moments of one recording, cut it into "
                           "windows: `--window SECONDS`.",)


def test_dates_of_one_recording_are_the_time_of_its_windows() -> None:
    text = [f"timestamp,v\n{chr(10).join(f'2026-01-01T00:{k // 60:02}:{k % 60:02},{k % 7}' for k in range(300))}"]
    made, home = rows(written(text, "log.csv"), window=60)
    assert [(row["id"], row["time"], row["start"], row["end"]) for row in made[:2]] == [
        ("log@0", "2026-01-01T00:00:00", "0", "60"), ("log@60", "2026-01-01T00:01:00", "0", "60")]
    assert series.probe(made[1]["series"], home, 0, 60)["points"] == 60


def test_new_rows_are_not_cut_into_stretches() -> None:
    found = importing.table(written(alone(5100), "log.csv"), Path("out"), window=1.0, step=0.5, whole=True)
    made = pq.read_table(found.path).to_pylist()
    assert len(made) == 203 and len({row["series"] for row in made}) == 1


def test_what_is_wrong_with_one_recording_is_told_of_it_alone() -> None:
    text = lines(6)
    text[1 + 60 * 2 + 7] = text[1 + 60 * 2 + 6]  # a time twice
    text[1 + 60 * 3 + 7] = text[1 + 60 * 3 + 7].replace(",0.14,", ",0.01,")
    text[1 + 60 * 4 + 3] = "r4,0.06,3.2 mV,1,b,p4"
    made, home = rows(written(text))
    assert [series.probe(row["series"], home).get("error") for row in made] == [
        None, None, "point 8 (0.12 s) has the same time as the one before",
        "point 8 (0.01 s) is earlier than the one before: its times run backwards",
        "column `ax` holds numbers with a unit, such as `3.2 mV`: write numbers alone, and the unit into the name, as "
        "in `ax (mV)`", None]


def test_what_is_wrong_with_all_of_it_is_said() -> None:
    units = [line.replace(",t,ax", ",t,ax") if k == 0 else
             ",".join([*line.split(",")[:2], f"{k} mV", *line.split(",")[3:]]) for k, line in enumerate(lines(3))]
    for text, asked, words in (
            (units, {}, "the column `ax` holds numbers with a unit, such as `1 mV`: write numbers alone"),
            (lines(3), {"key": "trial"}, "has no column `trial`, which `--key` names"),
            ([line.replace("recording,t,", "recording,x,") for line in lines(3)], {"key": "recording"},
             "has no column that is called like a time: name it with `--time COLUMN`"),
            (lines(3), {"step": 1.0}, "it needs `--window SECONDS`"),
            (lines(3), {"window": 5.0}, "no window of 5 s fits into a recording: they are shorter"),
            (alone(100)[:51] + alone(100)[50:], {"window": 0.5},
             r"long\.csv: point 51 \(0\.98 s\) has the same time as the one before\. Mend it, or sort"),
            ([line.replace("0.98", "01/05/2026") for line in alone(100)], {"window": 0.5},
             "has the time `01/05/2026`, which is no time: write seconds, or dates such as 2026-01-31T12:00:00.25.$")):
        with pytest.raises(UserError, match=words):
            rows(written(text), **asked)


def test_a_table_of_samples_that_have_times_is_none() -> None:
    written(["id,subject,time,v,label", *(f"s{k},p{k // 20},{k % 20},{k},{k % 2}" for k in range(200))], "plain.csv")
    assert importing.table("plain.csv").form == "a table (CSV, TSV, JSONL, JSON or Parquet)"
    assert not importing.of_series(Path("plain.csv")) and importing.of_series(Path(written(lines())))


def test_lists_in_parquet() -> None:
    x = RNG.normal(size=(40, 50))
    pq.write_table(pa.table({
        "id": [f"i{k}" for k in range(40)], "label": ["a", "b"] * 20, "time": [list(np.arange(50) / 10)] * 40,
        "x": list(map(list, x)), "y": [list(one[: 49 if k == 3 else 50]) for k, one in enumerate(x)]}), "a.parquet")
    made, home = rows("a.parquet")
    assert list(made[0]) == ["id", "label", "series"]
    found = recordings.read(made[0]["series"], home)
    assert found.channels == ("x", "y") and np.allclose(found.values[0], x[0]) and found.seconds[1] == 0.1
    assert series.probe(made[3]["series"], home) == {
        "error": "its channels have different lengths (time: 50, x: 50, y: 49)"}
    pq.write_table(pa.table({"id": ["a", "b"], "ecg": [list(x[0]), None], "flow": [list(x[1][:20])] * 2,
                             "fs": [10.0, 10.0]}), "b.parquet")
    made, home = rows("b.parquet", "other")
    assert [sorted(row) for row in made] == [["ecg", "flow", "id"]] * 2 and made[1]["ecg"] is None
    assert series.probe(made[0]["flow"], home)["duration"] == pytest.approx(2.0)
    pq.write_table(pa.table({"id": ["a", "b"], "label": [[1.0, 2.0], [3.0, 4.0]]}), "c.parquet")
    assert importing.table("c.parquet").form.startswith("a table")  # two numbers to be predicted
