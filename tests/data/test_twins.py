"""Twins of samples, and the leak that a split has."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.data.alike_media import (
    as_jpeg,
    noisy,
    one_word,
    picture,
    save_picture,
    save_series,
    save_sound,
    sentence,
    sound,
    steps,
)
from trivium.data import leaks, overlap, tables, twins
from trivium.data.settings import Near, Split
from trivium.settings.errors import UserError
from trivium.settings.parts import typed
from trivium.tasks.classification import Classification

SAMPLES = [f"s{i}" for i in range(8)]


def write(folder: Path, split: list[str | None] | None = None) -> Path:
    """Eight samples: s1 has the file of s0, s3 nearly the picture of s2, s5 nearly the sound of s4, s7 nearly the text
    of s6.
    """
    pictures = [picture(i) for i in range(8)]
    pictures[3] = as_jpeg(pictures[2], 40)
    photos = [save_picture(one, folder / f"{i}.png") for i, one in enumerate(pictures)]
    photos[1] = photos[0]
    sounds = [sound(i) for i in range(8)]
    sounds[5] = noisy(sounds[4] / 2, 5)
    clips = [save_sound(one, folder / f"{i}.wav") for i, one in enumerate(sounds)]
    words = [sentence(i) for i in range(8)]
    words[7] = one_word(words[6], 7)
    none = pa.nulls(8, pa.float64())
    columns = {"sample": SAMPLES, "label": list("abababab"), "split": pa.array(split or [None] * 8, pa.string()),
               "title": [" ".join(one) for one in words],
               **{f"{s}{end}": cells for s, files in (("photo", photos), ("clip", clips))
                  for end, cells in (("", files), ("_digest", files), ("_start", none), ("_end", none))}}
    tables.write(pa.table(columns), folder / "samples.parquet")
    tables.write_json({"root": str(folder), "streams": {"photo": "image", "clip": "audio", "title": "text"},
                       "task": Classification(["a", "b"]).plain()}, folder / "meta.json")
    return folder


def tied(found: list[twins.Twins]) -> dict[str, list[tuple[int, ...]]]:
    return {one.names[0]: sorted(group for code in set(one.code.tolist()) - {-1}
                                 if len(group := tuple(one.row[one.code == code].tolist())) > 1) for one in found}


def test_the_same_and_nearly_the_same(tmp_path: Path) -> None:
    write(tmp_path)
    assert tied(twins.find(tmp_path, 0.01)) == {"photo": [(0, 1)], "clip": [], "title": []}
    assert tied(twins.find(tmp_path, 0.01, Near())) == {"photo": [(0, 1), (2, 3)], "clip": [(4, 5)], "title": [(6, 7)]}
    assert tied(twins.find(tmp_path, 0.01, Near(image=None, text=0.99))) == {"photo": [(0, 1)], "clip": [(4, 5)],
                                                                             "title": []}


def test_series_that_are_nearly_the_same(tmp_path: Path) -> None:
    own = [steps(0), steps(1), 3 * steps(0) + 1]
    files = [save_series(one, tmp_path / f"{i}.npz") for i, one in enumerate(own)]
    none = pa.nulls(3, pa.float64())
    table = pa.table({"sample": files, "label": list("aba"), "gait": files, "gait_digest": files, "gait_start": none,
                      "gait_end": none})
    tables.write(table, tmp_path / "samples.parquet")
    tables.write_json({"root": str(tmp_path), "streams": {"gait": "series"}}, tmp_path / "meta.json")
    assert tied(twins.find(tmp_path, 0.01, Near())) == {"gait": [(0, 2)]}
    assert tied(twins.find(tmp_path, 0.01, Near(series=None))) == {"gait": []}


def split(folder: Path, sides: list[str]) -> None:
    tables.write(pa.table({"sample": SAMPLES, "seed_0": sides}), folder / "splits.parquet")


def test_a_leak_is_measured_and_named(tmp_path: Path) -> None:
    sides = ["train", "test", "test", "unlabelled", "val", "test", "train", "test"]
    write(tmp_path, ["test", "train", *["train"] * 6])
    split(tmp_path, sides)
    exact = leaks.measure(tmp_path, tmp_path, twins.find(tmp_path, 0.01), False)
    assert [(one.stream, one.rows, one.of) for one in exact.seeds[0]] == [
        ("clip", 0, 4), ("photo", 1, 4), ("title", 0, 4)]
    assert [one.rows for one in exact.given] == [0, 1, 0]
    assert exact.given[1].examples[0].plain() == {"test": "s0", "train": "s1", "test_value": "0.png",
                                                  "train_value": "0.png"}
    assert leaks.measure(tmp_path, tmp_path, twins.find(tmp_path, 0.01), False, own=False).given == []
    near = leaks.measure(tmp_path, tmp_path, twins.find(tmp_path, 0.01, Near()), True)
    assert [(one.stream, one.rows) for one in near.seeds[0]] == [("clip", 0), ("photo", 2), ("title", 1)]  # s4: val
    assert [(one.test, one.train) for one in near.seeds[0][1].examples] == [("s1", "s0"), ("s2", "s3")]
    assert near.whole == [0]
    assert leaks.said(exact, ["photo", "clip"]) == [
        "by the data's own split column, 1 of 1 test rows have the same photo as a train row: `s0` like `s1`",
        "1 of 4 test rows of seed 0 have the same photo as a train row: `s1` like `s0`"]


def test_a_given_split_that_tears_texts_apart_is_told_where_a_row_has_nothing_else(tmp_path: Path) -> None:
    """The texts of s0 and s1 are those of s6; s0 has no picture and no sound."""
    write(tmp_path, ["test", "test", *["train"] * 6])
    table = tables.read(tmp_path / "samples.parquet")
    for name in ("title", "photo", "clip"):
        cells = table[name].to_pylist()
        cells[0] = cells[6] if name == "title" else None
        cells[1] = cells[6] if name == "title" else cells[1]
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(cells))
    tables.write(table, tmp_path / "samples.parquet")
    split(tmp_path, ["train"] * 8)
    found = leaks.measure(tmp_path, tmp_path, twins.find(tmp_path, 0.5), False)
    assert [(one.stream, one.rows, one.bare) for one in found.given if one.stream == "title"] == [("title", 2, 1)]
    assert [line for line in leaks.said(found, ["photo", "clip"]) if "text" in line] == [
        "by the data's own split column, 1 test row that has nothing but text has the same title as a train row: "
        "`s0` like `s6`"]


def test_what_near_duplicates_keep_together_is_counted_and_named(tmp_path: Path) -> None:
    """Also where a third sample has the very file of one of them; and none of it is written where there is none."""
    write(tmp_path)
    table = tables.read(tmp_path / "samples.parquet")
    for name in ("photo", "photo_digest"):
        cells = table[name].to_pylist()
        cells[6] = cells[2]
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(cells))
    tables.write(table, tmp_path / "samples.parquet")
    split(tmp_path, ["train"] * 8)
    found = leaks.measure(tmp_path, tmp_path, twins.find(tmp_path, 0.01, Near(text=None)), True)
    assert [one.plain() for one in found.nearly or ()] == [
        {"stream": "clip", "samples": 2, "examples": (
            {"one": "s4", "other": "s5", "one_value": "4.wav", "other_value": "5.wav"},)},
        {"stream": "photo", "samples": 3, "examples": (
            {"one": "s2", "other": "s3", "one_value": "2.png", "other_value": "3.png"},)}]
    found.write(tmp_path / "leaks.json")
    assert leaks.Leaks.read(tmp_path / "leaks.json") == found
    exact = leaks.measure(tmp_path, tmp_path, twins.find(tmp_path, 0.01), False)
    assert set(exact.plain()) == {"near", "given", "seeds", "whole"}


def test_of_two_streams_each_names_its_own_pairs_and_one_sample_alone_is_none(tmp_path: Path) -> None:
    words = [sentence(i) for i in range(4)]
    title = [" ".join(one) for one in words]
    story = [" ".join(one_word(words[0], 3)), None, title[3], " ".join(one_word(words[1], 5))]
    tables.write(pa.table({"sample": SAMPLES[:4], "label": list("abab"), "title": title, "story": story}),
                 tmp_path / "samples.parquet")
    tables.write_json({"root": ".", "streams": {"title": "text", "story": "text"}}, tmp_path / "meta.json")
    split(tmp_path, ["train"] * 8)
    found = leaks.measure(tmp_path, tmp_path, twins.find(tmp_path, 0.01, Near()), True).nearly or ()
    assert sorted((one.stream, one.samples, *((p.one, p.other) for p in one.examples)) for one in found) == [
        ("story", 1, ("s1", "s3")), ("title", 1, ("s1", "s3"))]  # of s0 both texts are alike: it is one sample


def test_parts_of_one_file_are_twins_where_they_overlap(tmp_path: Path) -> None:
    """s0 to s5 are of one recording, s6 and s7 of another; s4 has no end, s7 is whole; s2 ends where s1 begins."""
    files = ["a.wav"] * 6 + ["b.wav"] * 2
    start = [0.0, 2.0, 1.5, 4.0, 8.0, 9.0, 3.0, None]
    end = [2.0, 4.0, 2.0 + 1e-9, 5.0, None, 10.0, 4.0, None]
    tables.write(pa.table({"sample": SAMPLES, "label": list("abababab"), "clip": files, "clip_digest": files,
                           "clip_start": pa.array(start, pa.float64()), "clip_end": pa.array(end, pa.float64())}),
                 tmp_path / "samples.parquet")
    tables.write_json({"root": ".", "streams": {"clip": "audio"}}, tmp_path / "meta.json")
    for sides, rows, named in (
            ("train test train test val train val val", 0, []),  # next to one, within rounding, or apart
            ("train val test val val val train val", 1, [("s2", "s0")]),
            ("val test val val train test train test", 2, [("s5", "s4"), ("s7", "s6")]),
            ("test val val val test val val train", 0, [])):
        split(tmp_path, sides.split())
        (found,) = leaks.measure(tmp_path, tmp_path, twins.find(tmp_path, 0.5), False).seeds[0]
        assert (found.rows, [(one.test, one.train) for one in found.examples]) == (rows, named), sides


def test_overlaps_are_those_of_every_pair() -> None:
    rng = np.random.default_rng(0)
    start = rng.integers(0, 60, 400).astype(float)
    parts = twins.Parts(rng.integers(0, 5, 400), start, start + rng.integers(0, 4, 400))
    learned, asked = np.arange(400) % 7 == 0, np.arange(400) % 3 == 1
    has = np.flatnonzero(learned)
    pairs = [bool(overlap.overlap(parts, has[parts.file[has] == parts.file[one]], one).any())
             for one in np.flatnonzero(asked).tolist()]
    assert 20 < sum(pairs) < 120
    assert overlap.meets(parts, learned, asked).tolist() == pairs


def test_near_duplicates_of_another_file_are_twins_whatever_their_time() -> None:
    """Of one code: the third part is of another file than the first two, which do not overlap."""
    one = twins.Twins(3, ["clip"], np.arange(3), np.zeros(3, int), np.zeros(3, int),
                      twins.Parts(np.array([0, 0, 1]), np.array([0.0, 5, 9]), np.array([1.0, 6, 9.5])))
    test, train, val = (tables.SPLITS.index(side) for side in ("test", "train", "val"))
    assert leaks._hit(np.array([test, train, val]), one)[1].tolist() == [False, False, False]
    assert leaks._hit(np.array([test, val, train]), one)[1].tolist() == [True, False, False]


def test_rows_all_of_whose_streams_are_known(tmp_path: Path) -> None:
    write(tmp_path)
    table = tables.read(tmp_path / "samples.parquet")
    for name in ("photo", "photo_digest", "clip", "clip_digest", "title"):
        cells = table[name].to_pylist()
        cells[1] = cells[0]
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(cells))
    tables.write(table, tmp_path / "samples.parquet")
    split(tmp_path, ["train", "test", *["train"] * 6])
    found = leaks.measure(tmp_path, tmp_path, twins.find(tmp_path, 0.01), False)
    assert found.whole == [1] and found.given == []


def test_a_placeholder_is_nobodys_twin(tmp_path: Path) -> None:
    count = 90
    table = pa.table({"sample": [f"s{i}" for i in range(count)], "label": list("ab" * 45),
                      "title": ["n/a"] * 30 + ["x", "x"] + [f"title {i}" for i in range(58)]})
    tables.write(table, tmp_path / "samples.parquet")
    tables.write_json({"root": ".", "streams": {"title": "text"}}, tmp_path / "meta.json")
    assert tied(twins.find(tmp_path, 0.01)) == {"title": [(30, 31)]}
    assert tied(twins.find(tmp_path, 0.5)) == {"title": [tuple(range(30)), (30, 31)]}


def test_near_duplicates_are_a_switch_or_thresholds() -> None:
    others = {"method": "holdout", "val": 0.15, "test": 0.35, "labels": 1.0, "group_identical_text": False,
              "held_out_domain": ""}

    def given(value: object) -> Near | None:
        return typed(Split, others | {"near_duplicates": value}, "split").near_duplicates

    assert given(True) == Near(text=0.7, image=0.95, audio=0.9)
    assert given(False) is None
    assert given({"image": 0.9, "audio": None}) == Near(image=0.9, audio=None)
    with pytest.raises(UserError, match=r"unknown key `split.near_duplicates.imag`.*image"):
        given({"imag": 0.9})


@pytest.mark.slow
def test_workers_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More values than are decoded in this process alone."""
    files = [save_picture(picture(i, 24), tmp_path / f"{i}.png") for i in range(240)]
    none = pa.nulls(240, pa.float64())
    table = pa.table({"sample": files, "label": list("ab" * 120), "photo": files, "photo_digest": files,
                      "photo_start": none, "photo_end": none})
    tables.write(table, tmp_path / "samples.parquet")
    tables.write_json({"root": str(tmp_path), "streams": {"photo": "image"}}, tmp_path / "meta.json")
    found = []
    for workers in (1, 3):
        monkeypatch.setattr("trivium.data.probe.cores", lambda count=workers: count)
        (one,) = twins.find(tmp_path, 0.01, Near(image=0.5))
        found.append([np.flatnonzero(one.code == code).tolist() for code in dict.fromkeys(one.code.tolist())])
    assert found[0] == found[1]
