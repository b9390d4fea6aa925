"""Rows are forgotten whose streams have tables of their own."""

from pathlib import Path

import pyarrow as pa
import pytest

from tests.data.clocks import csv, sound
from tests.helpers import set_params
from trivium.cli.forget import forget
from trivium.data import sources, tables
from trivium.data.sources.forgotten import PATH, Forgotten
from trivium.params import load


@pytest.fixture
def clocked(project: Path) -> Path:
    """Three recordings: anna has one event, bo has two, and ed one."""
    own = project / "own"
    own.mkdir()
    for k, name in enumerate(("anna", "bo", "ed")):
        sound(own / f"{name}.wav", 2, seed=k)
    csv(own / "events.csv", "id,label,rec,time", "e1,x,anna,1", "e2,y,bo,1", "e3,x,bo,1.5", "e4,y,ed,1")
    csv(own / "mics.csv", "rec,file", "anna,anna.wav", "bo,bo.wav", "ed,ed.wav")
    csv(own / "words.csv", "rec,text,at", "bo,one,0.1", "anna,hello,1", "anna,you,1.1", "bo,two,1.4", "bo,three,1.5")
    set_params(project, {
        "data.source": "manifest", "data.watch": "own", "data.manifest.path": "own/events.csv",
        "data.manifest.key": "rec", "align.window": [-0.5, 0.5], "data.streams": {
            "mic": {"modality": "audio", "column": "file", "table": {"path": "own/mics.csv"}},
            "words": {"modality": "text", "column": "text", "table": {"path": "own/words.csv", "time": "at"}}}})
    return project


def raw(project: Path, name: str) -> dict[str, list]:
    params = load()
    (project / name).mkdir(parents=True)
    sources.write(params.data, project / name, params.kind)
    return {s: tables.read(project / name / f"{s}.parquet")["value"].to_pylist() for s in ("mic", "words")}


def test_a_recording_goes_with_its_last_row(clocked: Path) -> None:
    said = forget(["e1"])
    assert ("own/mics.csv has 1 row (1) of recordings that no other row is of: ingest passes over them. The table is "
            "yours, and stays as it is: take them out of it yourself, and the files anna.wav with them.") in said
    assert "own/words.csv has 2 rows (2 to 3) of recordings that no other row is of: ingest passes over them." in said
    assert "still has" not in said and "anna" not in PATH.read_text()
    assert raw(clocked, "raw") == {"mic": ["bo.wav", "ed.wav"], "words": ["one", "two", "three"]}


def test_what_other_rows_share_is_named_and_stays_until_they_go(clocked: Path) -> None:
    said = forget(["e2"])
    assert ("own/words.csv still has 3 rows (1, 4 to 5), of bo, which rows that stay are of as well: ingest reads "
            "them. Take out of it yourself what is about the rows that are forgotten.") in said
    assert "own/mics.csv still has 1 row (2), of bo," in said and Forgotten.at().recordings is None
    assert len(raw(clocked, "raw")["words"]) == 5
    lines = (clocked / "own/events.csv").read_text().splitlines()
    csv(clocked / "own/events.csv", *(line for line in lines if not line.startswith("e2")))
    assert "own/words.csv has 3 rows (1, 4 to 5) of recordings that no other row is of" in forget(["e3"])
    assert raw(clocked, "again") == {"mic": ["anna.wav", "ed.wav"], "words": ["hello", "you"]}


def test_once_the_rows_are_out_of_the_manifest_the_recording_stays_forgotten(clocked: Path) -> None:
    forget(["e1"])
    lines = (clocked / "own/events.csv").read_text().splitlines()
    csv(clocked / "own/events.csv", *(line for line in lines if not line.startswith("e1")))
    assert raw(clocked, "raw")["words"] == ["one", "two", "three"]


def test_a_dry_run_says_the_same_and_keeps_nothing(clocked: Path) -> None:
    assert "own/mics.csv has 1 row (1) of recordings" in forget(["e1"], dry=True) and not PATH.exists()


def test_without_recordings_there_is_one_of_which_all_rows_are(clocked: Path) -> None:
    set_params(clocked, {"data.manifest.key": ""})
    assert "own/mics.csv still has 3 rows (1 to 3), of it all, which rows that stay" in forget(["e1"])


def test_what_was_kept_before_there_were_recordings_is_read() -> None:
    old = Forgotten.checked({"key": "00", "ids": []}, "x")
    assert old.recorded(pa.chunked_array([["a", None]])).tolist() == [False, False]
    assert old.plain() == {"key": "00", "ids": ()}
