import os
from pathlib import Path

import pytest

from tests.raw_tables import SETTINGS, audio, image, labels, texts, write
from trivium.data import tables
from trivium.data.validation import validate
from trivium.settings.errors import UserError

MODALITIES = {"photo": "image", "scan": "image", "title": "text"}  # of streams that are not called like theirs
WORDS = ["one", "two", "three", "four", "five", "six"]


def run(folder: Path, raw: Path, *streams: str, **settings):
    """The report, and what is in quarantine: [(table, key, sample, reason, value)]."""
    modalities = {s: MODALITIES.get(s, s) for s in streams}
    report = validate(raw, folder / "valid", modalities, SETTINGS.model_copy(update=settings))
    rows = tables.read(folder / "valid/quarantine.parquet").to_pylist()
    return report, [tuple(row.values()) for row in rows]


def kept(folder: Path, table: str, column: str = "key") -> list:
    return tables.read(folder / f"valid/{table}.parquet")[column].to_pylist()


def test_good_data_passes_unchanged(tmp_path):
    raw = write(tmp_path, labels(6, split=["train", "dev", "Valid", "validation", "TEST", ""], group=list("xxyyzz")),
                text=texts(WORDS), image=[image(tmp_path, i) for i in range(6)], audio=[audio(tmp_path, 0)])
    report, out = run(tmp_path, raw, "text", "image", "audio")
    assert out == []
    assert kept(tmp_path, "labels", "split") == ["train", "val", "val", "val", "test", None]
    assert kept(tmp_path, "labels", "group") == list("xxyyzz")
    assert kept(tmp_path, "labels", "duplicate_group") == [None] * 6
    for name in ("text", "image", "audio"):
        assert tables.read(tmp_path / f"valid/{name}.parquet").equals(tables.read(raw / f"{name}.parquet"))
    meta = tables.read_json(tmp_path / "valid/meta.json")
    assert meta["task"]["classes"] == ["a", "b"]
    assert meta["root"] == str(tmp_path)
    assert report["coverage"] == {"a": {"rows": 3, "text": 3, "image": 3, "audio": 1},
                                  "b": {"rows": 3, "text": 3, "image": 3, "audio": 0}}
    assert report["measures"]["image"]["width"] == {"min": 8.0, "median": 8.0, "max": 8.0}
    failed = [(suite["name"], e["says"]) for suite in report["suites"] for e in suite["expectations"]
              if not e["success"]]
    assert failed == [("classes", "every class has some audio")]


def test_an_unreadable_file_costs_its_row_not_its_sample(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG not really")
    images = [image(tmp_path, i) for i in range(4)]
    images += [{"key": "k4", "value": "broken.png", "digest": "x"}, {"key": "k5", "value": "gone.png", "digest": "y"}]
    raw = write(tmp_path, labels(6), text=texts(WORDS[:5]), image=images)
    report, out = run(tmp_path, raw, "text", "image", min_class_count=1)
    assert out == [
        ("labels", "k5", "s5", "everything of the key `k5` is in quarantine", "b"),
        ("image", "k4", "s4", "not an image, or of a format that Pillow cannot read", "broken.png"),
        ("image", "k5", "s5", "there is no such file", "gone.png"),
    ]
    assert kept(tmp_path, "labels") == ["k0", "k1", "k2", "k3", "k4"]
    assert kept(tmp_path, "image") == ["k0", "k1", "k2", "k3"]
    assert report["tables"]["image"] == {"rows": 6, "quarantined": 2, "followed": 0}
    error = next(e for e in report["suites"][1]["expectations"] if e["says"] == "every image can be read")
    assert error == {"says": "every image can be read", "expectation": "expect_column_values_to_be_null",
                     "columns": ["error"], "level": "row", "success": False, "observed": None, "unexpected": 2,
                     "percent": 33.333}


def test_every_kind_of_bad_row_has_its_reason(tmp_path):
    rows = labels(15)
    rows[1] |= {"label": " "}
    rows[2] |= {"split": "holdout"}
    rows[3] |= {"sample": None}
    rows[4] |= {"key": ""}
    rows[5] |= {"sample": "s0"}
    rows[6] |= {"key": "k0"}
    rows[7] |= {"key": "nowhere"}
    words = texts([f"word {i}" for i in range(15)])
    words[8]["value"] = " \n"
    words[9]["value"] = "long " * 10
    words[10]["value"] = None
    words[11]["key"] = None
    words[12]["key"] = "stranger"
    words += [{"key": "k13", "value": "again", "digest": "z"}]
    raw = write(tmp_path, rows, text=words)
    _, out = run(tmp_path, raw, "text", max_bad_fraction=1.0, min_class_count=1)
    found = {(name, key): reason for name, key, _, reason, _ in out}
    follow = "its sample `{}` is in quarantine"
    assert found == {
        ("labels", "k2"): "its split is `holdout`, which is none of train, val (dev, valid, validation) and test",
        ("labels", "k3"): "it has no sample name",
        ("labels", None): "it has no key",
        ("labels", "k5"): "an earlier row has the same sample name `s0`",
        ("labels", "k0"): "an earlier row has the same key `k0`",
        ("labels", "nowhere"): "it has no stream: no table has a row with the key `nowhere`",
        **{("labels", f"k{i}"): f"everything of the key `k{i}` is in quarantine" for i in (8, 9, 10)},
        **{("labels", f"k{i}"): f"it has no stream: no table has a row with the key `k{i}`" for i in (11, 12)},
        ("text", "k2"): follow.format("s2"),
        ("text", "k3"): follow.format(None), ("text", "k5"): follow.format("s0"),
        ("text", "k4"): "labels.parquet has no row with the key `k4`",
        ("text", "k6"): "labels.parquet has no row with the key `k6`",
        ("text", "k7"): "labels.parquet has no row with the key `k7`",
        ("text", "k8"): "the text is empty",
        ("text", "k9"): "49 characters; validate.text_length in params.yaml allows 1 to 30",
        ("text", "k10"): "its value is missing",
        ("text", None): "it has no key",
        ("text", "stranger"): "labels.parquet has no row with the key `stranger`",
        ("text", "k13"): "an earlier row has the same key `k13`",
    }
    assert len(out) == len(found)
    assert kept(tmp_path, "labels", "sample") == ["s0", "s1", "s13", "s14"]
    assert kept(tmp_path, "text", "value") == ["word 0", "word 1", "word 13", "word 14"]


def test_of_equal_keys_the_first_good_row_stays(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"")
    images = [image(tmp_path, i) for i in range(4)]
    images[0] |= {"value": "broken.png"}
    images += [image(tmp_path, 0)]
    raw = write(tmp_path, labels(4), image=images)
    run(tmp_path, raw, "image")
    assert kept(tmp_path, "image") == ["k1", "k2", "k3", "k0"]


def test_sizes_and_lengths_out_of_range(tmp_path):
    images = [image(tmp_path, 0, side=65), *(image(tmp_path, i) for i in range(1, 6))]
    sounds = [audio(tmp_path, 0, seconds=0.001), *(audio(tmp_path, i) for i in range(1, 6))]
    raw = write(tmp_path, labels(6), text=texts(WORDS), image=images, audio=sounds)
    _, out = run(tmp_path, raw, "text", "image", "audio")
    assert [reason for _, _, _, reason, _ in out] == [
        "65 pixels wide; validate.image_side in params.yaml allows 1 to 64; "
        "65 pixels high; validate.image_side in params.yaml allows 1 to 64",
        "0.001 seconds long; validate.audio_seconds in params.yaml, which is for sounds and clips, allows 0.01 to 10",
    ]


def test_rare_classes_go_and_their_rows_with_them(tmp_path):
    raw = write(tmp_path, labels(6, label=list("aabbbc")), text=texts(WORDS))
    _, out = run(tmp_path, raw, "text")
    assert out == [
        ("labels", "k5", "s5", "its class `c` has 1 usable rows; validate.min_class_count in params.yaml is 2", "c"),
        ("text", "k5", "s5", "its sample `s5` is in quarantine", "six"),
    ]
    assert tables.read_json(tmp_path / "valid/meta.json")["task"]["classes"] == ["a", "b"]


def test_times_are_checked(tmp_path):
    sound = audio(tmp_path, 0, seconds=1.0)
    rows = labels(6, key=["k0"] * 6, start=[0.0, 0.2, 0.4, 0.6, 2.0, -1.0], end=[0.2, 0.4, 0.3, 0.8, 2.1, 0.5])
    raw = write(tmp_path, rows, audio=[sound])
    _, out = run(tmp_path, raw, "audio", min_class_count=1)
    assert [(sample, reason) for _, _, sample, reason, _ in out] == [
        ("s2", "it ends at 0.3 s, not after its start at 0.4 s"),
        ("s4", "it starts at 2 s, but its recording ends at 1 s"),
        ("s5", "it starts at -1 s, before 0"),
    ]
    assert kept(tmp_path, "labels", "duplicate_group") == ["s0"] * 3  # parts of one recording stay together


def test_shared_content_is_a_group_not_a_fault(tmp_path):
    images = [image(tmp_path, i) for i in range(4)]
    images[3] |= {"value": images[1]["value"], "digest": images[1]["digest"]}
    raw = write(tmp_path, labels(8), image=images, text=texts(["same"] * 4 + ["x", "same", "x", "y"]))
    report, out = run(tmp_path, raw, "text", "image")
    assert out == []
    assert kept(tmp_path, "labels", "duplicate_group") == [None, "s1", None, "s1", "s4", None, "s4", None]
    assert report["duplicates"] == {"groups": 2, "samples": 4, "largest": 2}


def test_a_placeholder_is_no_shared_content(tmp_path):
    images = [image(tmp_path, i) for i in range(60)]
    for one in images[1:31]:
        one |= {"value": images[1]["value"], "digest": images[1]["digest"]}
    raw = write(tmp_path, labels(60), image=images, text=texts([f"word {i}" for i in range(60)]))
    report, out = run(tmp_path, raw, "text", "image")
    assert out == []
    assert kept(tmp_path, "labels", "duplicate_group") == [None] * 60
    assert report["placeholders"] == [{"stream": "image", "value": images[1]["value"], "rows": 30, "of": 2,
                                       "classes": [["b", 15], ["a", 15]]}]
    assert report["duplicates"] == {"groups": 0, "samples": 0, "largest": 0}
    assert "placeholders" not in tables.read_json(tmp_path / "valid/meta.json")


def test_a_placeholder_is_taken_for_missing_when_asked(tmp_path):
    """The first sample has nothing else, so that nothing is left of it; no limit of bad rows counts any of it."""
    images = [image(tmp_path, i) for i in range(60)]
    for one in images[:30]:
        one |= {"value": images[0]["value"], "digest": images[0]["digest"]}
    raw = write(tmp_path, labels(60), image=images, text=texts([None] + [f"word {i}" for i in range(1, 60)])[1:])
    settings = SETTINGS.model_copy(update={"placeholders": "missing", "max_bad_fraction": 0.0})
    report = validate(raw, tmp_path / "valid", {"text": "text", "image": "image"}, settings)
    assert report["tables"] == {"labels": {"rows": 60, "quarantined": 1, "followed": 0},
                                "text": {"rows": 59, "quarantined": 0, "followed": 0},
                                "image": {"rows": 60, "quarantined": 30, "followed": 0}}
    out = tables.read(tmp_path / "valid/quarantine.parquet").to_pylist()
    assert [(row["table"], row["sample"]) for row in out] == [("labels", "s0"),
                                                              *(("image", f"s{i}") for i in range(30))]
    assert out[-1]["reason"] == "a placeholder, which 30 rows have: taken for missing, as validate.placeholders says"
    assert kept(tmp_path, "image", "key") == [f"k{i}" for i in range(30, 60)]
    assert tables.read_json(tmp_path / "valid/meta.json")["placeholders"] == {"image": [images[0]["digest"]]}


def test_too_many_bad_rows_stop_the_pipeline(tmp_path):
    images = [image(tmp_path, i) for i in range(12)]
    for i in range(2, 9):
        images[i]["value"] = f"gone{i}.png"
    raw = write(tmp_path, labels(12), text=texts(["t"] * 12), image=images)
    with pytest.raises(UserError) as stopped:
        run(tmp_path, raw, "text", "image", max_bad_fraction=0.5)
    lines = str(stopped.value).splitlines()
    assert lines[0] == "7 of 12 rows of image (58.3%) cannot be used:"
    assert lines[1] == f"  row 3, key k2, {tmp_path}/gone2.png: there is no such file"
    assert lines[5] == f"  row 7, key k6, {tmp_path}/gone6.png: there is no such file"
    assert lines[6] == "  ... and 2 more"
    assert "validate.max_bad_fraction in params.yaml allows (50.0%)" in lines[7]
    assert not (tmp_path / "valid").exists()


@pytest.mark.parametrize("fraction, passes", [(0.5, True), (0.49, False)])
def test_the_limit_is_inclusive(tmp_path, fraction, passes):
    raw = write(tmp_path, labels(4), text=texts(["a", "b", "", ""]), image=[image(tmp_path, i) for i in range(4)])
    if passes:
        run(tmp_path, raw, "text", "image", max_bad_fraction=fraction)
    else:
        with pytest.raises(UserError, match="2 of 4 rows of text"):
            run(tmp_path, raw, "text", "image", max_bad_fraction=fraction)


def test_what_cannot_be_compared_is_refused(tmp_path):
    raw = write(tmp_path, labels(4, label=list("aaaa")), text=texts(WORDS[:4]))
    with pytest.raises(UserError, match="fewer than two classes are left"):
        run(tmp_path, raw, "text")
    raw = write(tmp_path, labels(4), text=texts(WORDS[:4]), image=[])
    with pytest.raises(UserError, match="no usable image is left: mend it, or take image out of data.streams"):
        run(tmp_path, raw, "text", "image")
    with pytest.raises(UserError, match="has no audio.parquet: take audio out of data.streams"):
        run(tmp_path, raw, "text", "audio")


def test_the_same_data_gives_the_same_bytes(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"")
    images = [image(tmp_path, i) for i in range(250)]
    images[7]["value"] = "broken.png"
    raw = write(tmp_path, labels(250), text=texts([f"t {i % 200}" for i in range(250)]), image=images)
    outs = []
    for name in ("one", "two"):
        report = validate(raw, tmp_path / name, {"text": "text", "image": "image"}, SETTINGS)
        tables.write_json(report, tmp_path / name / "report.json")
        outs.append({path.name: path.read_bytes() for path in sorted((tmp_path / name).iterdir())})
    assert outs[0] == outs[1]
    assert os.fspath(tmp_path) not in outs[0]["report.json"].decode()


def test_a_stream_is_judged_by_its_modality_and_told_by_its_name(tmp_path):
    large, fine = image(tmp_path, 99, side=70), [image(tmp_path, i) for i in range(6)]
    raw = write(tmp_path, labels(6), title=texts(["x" * 31, *WORDS[1:]]), photo=fine,
                scan=[fine[1] | {"key": "k0"}, large | {"key": "k1"}, {"key": "k2", "value": "gone.png"}])
    report, out = run(tmp_path, raw, "title", "photo", "scan", max_bad_fraction=0.7)
    assert [(table, key) for table, key, *_ in out] == [("title", "k0"), ("scan", "k1"), ("scan", "k2")]
    assert out[0][3] == "31 characters; validate.text_length in params.yaml allows 1 to 30"
    assert out[1][3].startswith("70 pixels wide; validate.image_side in params.yaml allows 1 to 64")
    assert kept(tmp_path, "labels", "duplicate_group") == ["s0", "s0", None, None, None, None]
    assert tables.read_json(tmp_path / "valid/meta.json")["streams"] == {"title": "text", "photo": "image",
                                                                         "scan": "image"}
    assert list(report["tables"]) == ["labels", "title", "photo", "scan"]
    assert {e["says"] for e in report["suites"][2]["expectations"]} >= {"every scan can be read"}
    with pytest.raises(UserError, match=r"2 of 3 rows of scan \(66.7%\) cannot be used"):
        run(tmp_path, raw, "title", "photo", "scan", max_bad_fraction=0.5)
