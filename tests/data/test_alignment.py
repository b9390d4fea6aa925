from pathlib import Path

import pytest

from tests.raw_tables import labels, table, texts
from trivium.data import tables
from trivium.data.alignment import align
from trivium.data.settings import Align
from trivium.settings.errors import UserError
from trivium.tasks.classification import Classification

MODALITIES = {"low": "audio", "high": "audio", "title": "text"}  # of streams that are not called like theirs


def write(folder: Path, rows: list[dict], **streams: list[dict]) -> Path:
    """`folder`/valid, as validate writes it."""
    tables.write(table(rows, "sample key label group domain language split start end duplicate_group"),
                 folder / "valid/labels.parquet")
    for name, given in streams.items():
        tables.write(table(given, "key value digest start end"), folder / f"valid/{name}.parquet")
    classes = sorted({row["label"] for row in rows})
    tables.write_json({"root": "data/raw", "task": Classification(classes).plain(), "world": None},
                      folder / "valid/meta.json")
    return folder


def aligned(folder: Path, *streams: str, tolerance: float = 0.1) -> list[dict]:
    align(folder / "valid", folder / "aligned", {s: MODALITIES.get(s, s) for s in streams}, Align(tolerance=tolerance))
    return tables.read(folder / "aligned/samples.parquet").to_pylist()


def unaligned(folder: Path) -> list[tuple]:
    return [(row["table"], row["key"], row["sample"], row["value"])
            for row in tables.read(folder / "aligned/unaligned.parquet").to_pylist()]


def spans(rows: list[dict], m: str) -> list[tuple]:
    return [(row[m], row[f"{m}_start"], row[f"{m}_end"]) for row in rows]


def test_on_the_key_alone(tmp_path):
    rows = labels(3, sample=["z", "a", "m"], group=["g", None, "h"], language=["de", "fr", None])
    write(tmp_path, rows, text=texts(["zero", "one", "two"])[::-1], image=[{"key": "k2", "value": "2.png"}])
    samples = aligned(tmp_path, "text", "image")
    assert samples[0] == {
        "sample": "a", "label": "b", "group": None, "domain": None, "language": "fr", "split": None,
        "duplicate_group": None, "y": 1, "text": "one", "text_start": None, "text_end": None, "has_text": True,
        "image": None, "image_digest": None, "image_start": None, "image_end": None, "has_image": False}
    assert [(row["sample"], row["y"], row["text"], row["image"]) for row in samples] == [
        ("a", 1, "one", None), ("m", 0, "two", "2.png"), ("z", 0, "zero", None)]
    assert unaligned(tmp_path) == []
    assert tables.read_json(tmp_path / "aligned/meta.json")["task"]["classes"] == ["a", "b"]
    assert str(tables.read(tmp_path / "aligned/samples.parquet").schema.field("y").type) == "int32"


def test_a_changed_file_changes_the_table(tmp_path):
    found = []
    for digest in ("old", "new"):
        write(tmp_path, labels(2, start=[None, 5.0]), text=texts(["zero", "one"]), audio=[
            {"key": "k0", "value": "0.wav", "digest": "same"},
            {"key": "k1", "value": "1.wav", "digest": "unused", "start": 0.0, "end": 1.0},
            {"key": "k1", "value": "2.wav", "digest": digest, "start": 4.0}])
        found.append([row["audio_digest"] for row in aligned(tmp_path, "text", "audio")])
    assert found == [["same", "old"], ["same", "new"]]


def test_spans_are_seconds_in_the_file(tmp_path):
    rows = labels(4, start=[None, 1.0, 1.0, 0.5], end=[None, 2.0, 2.0, 9.0])
    write(tmp_path, rows, audio=[
        {"key": "k0", "value": "0.wav", "start": 3.0, "end": 4.0},  # the table's times alone
        {"key": "k1", "value": "1.wav"},  # the label's alone
        {"key": "k2", "value": "2.wav", "start": 1.5, "end": 7.0},  # both
        {"key": "k3", "value": "3.wav", "start": 2.0},  # until the end of the file
    ])
    assert spans(aligned(tmp_path, "audio"), "audio") == [
        ("0.wav", 3.0, 4.0), ("1.wav", 1.0, 2.0), ("2.wav", 1.5, 2.0), ("3.wav", 2.0, 9.0)]


def test_media_take_the_largest_overlap_and_text_takes_all(tmp_path):
    rows = labels(2, key=["r", "r"], start=[0.0, 5.0], end=[4.0, 9.0])
    parts = [("early", 0.0, 1.5), ("middle", 1.5, 5.0), ("late", 6.0, 9.5)]
    given = [{"key": "r", "value": value, "start": start, "end": end} for value, start, end in parts]
    write(tmp_path, rows, text=given[::-1], audio=given)
    samples = aligned(tmp_path, "text", "audio")
    assert spans(samples, "audio") == [("middle", 1.5, 4.0), ("late", 6.0, 9.0)]
    assert spans(samples, "text") == [("early middle", 0.0, 4.0), ("late", 6.0, 9.0)]
    assert unaligned(tmp_path) == [("audio", "r", None, "early")]


def test_the_tolerance_joins_what_is_near_only_where_nothing_overlaps(tmp_path):
    rows = labels(2, key=["r", "r"], start=[0.0, 2.0], end=[1.0, 3.0])
    given = [{"key": "r", "value": "before", "start": 1.05, "end": 1.95},
             {"key": "r", "value": "in", "start": 2.0, "end": 3.0}]
    write(tmp_path, rows, text=given, audio=given)
    samples = aligned(tmp_path, "text", "audio")
    assert spans(samples, "audio") == [("before", 1.05, 1.95), ("in", 2.0, 3.0)]
    assert spans(samples, "text") == [("before", 1.05, 1.95), ("in", 2.0, 3.0)]
    samples = aligned(tmp_path, "text", "audio", tolerance=0.01)
    assert [row["sample"] for row in samples] == ["s1"]
    assert unaligned(tmp_path) == [("text", "r", None, "before"), ("audio", "r", None, "before"),
                                   ("labels", "r", "s0", "a")]


def test_of_equal_overlaps_the_earlier_stays(tmp_path):
    rows = labels(1, start=[1.0], end=[3.0])
    write(tmp_path, rows, audio=[{"key": "k0", "value": "b", "start": 2.0, "end": 4.0},
                                 {"key": "k0", "value": "a", "start": 0.0, "end": 2.0}])
    assert spans(aligned(tmp_path, "audio"), "audio") == [("a", 1.0, 2.0)]


def test_nothing_meets(tmp_path):
    sound = {"key": "k0", "value": "a", "start": 0.0, "end": 2.0}
    write(tmp_path, labels(1, start=[1000.0], end=[2000.0]), audio=[sound])
    with pytest.raises(UserError, match="check that `start` and `end` are seconds on the same clock"):
        aligned(tmp_path, "audio")


def test_a_stream_that_no_sample_has(tmp_path):
    write(tmp_path, labels(2), text=[], audio=[{"key": "k0", "value": "a.wav"}])
    assert [(row["text"], row["has_text"], row["audio"]) for row in aligned(tmp_path, "text", "audio")] == [
        (None, False, "a.wav")]


def test_two_recordings_and_a_text_of_other_names(tmp_path):
    rows = labels(2, start=[0.0, None], end=[1.0, None])
    write(tmp_path, rows, low=[{"key": "k0", "value": "l.wav", "start": 0.5, "end": 2.0}], high=[
        {"key": "k0", "value": "h.wav"}, {"key": "k1", "value": "i.wav"}], title=texts(["a", "b"]))
    samples = aligned(tmp_path, "low", "high", "title")
    assert spans(samples, "low") == [("l.wav", 0.5, 1.0), (None, None, None)]
    assert spans(samples, "high") == [("h.wav", 0.0, 1.0), ("i.wav", None, None)]
    assert [(row["has_low"], row["has_high"], row["title"]) for row in samples] == [(True, True, "a"),
                                                                                    (False, True, "b")]
    assert "title_digest" not in samples[0] and "low_digest" in samples[0]
