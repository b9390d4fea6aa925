"""Forms that are folders and archives of files."""

import os
import zipfile
from pathlib import Path

import pytest

from tests.importing.things import png, put, rows, shard, wav
from trivium import importing
from trivium.modalities import media
from trivium.settings.errors import UserError

pytestmark = pytest.mark.usefixtures("folder")
SRT = "1\n00:00:00,000 --> 00:00:01,500\nHello <i>you</i>\n\n2\n00:01:02,250 --> 01:00:03,000\ntwo\nlines\n"
VTT = ("WEBVTT\n\nNOTE --> no cue\n\n00:00.000 --> 00:00.300 align:left\n<v Anna>Hi there\n\n"
       "00:00.300 --> 00:00.400\n<v.loud Ben>Bye\n\n00:00.400 --> 00:00.500\n\n")


def test_a_folder_per_class_below_train_and_test() -> None:
    put({"a/train/cat/1.png": png(), "a/train/dog/deep/2.png": png(), "a/test/cat/3.jpg": b"x", "a/.DS_Store": b"",
         "a/notes.md": b"about"})
    assert rows("a") == [
        {"id": "test/cat/3", "label": "cat", "image": "../../../a/test/cat/3.jpg", "split": "test"},
        {"id": "train/cat/1", "label": "cat", "image": "../../../a/train/cat/1.png", "split": "train"},
        {"id": "train/dog/deep/2", "label": "dog", "image": "../../../a/train/dog/deep/2.png", "split": "train"}]
    assert importing.table("a").notes == ("other files in a, not read: 1.",)


def test_links_to_folders_are_followed_and_pipes_are_not_opened() -> None:
    put({"far/1.txt": "words", "a/dog/2.txt": "more".encode("utf-16")})
    Path("a/cat").symlink_to(Path("far").resolve())
    Path("a/dog/round").symlink_to(Path("a").resolve())
    os.mkfifo("a/dog/3.txt")
    assert rows("a") == [{"id": "cat/1", "label": "cat", "text": "words"},
                         {"id": "dog/2", "label": "dog", "text": "more"}]


def test_files_that_metadata_lists() -> None:
    put({"a/train/metadata.jsonl": '{"file_name": "x/1.png", "label": "u"}\n{"file_name": "2.png", "label": "v"}\n',
         "a/test/metadata.csv": "file_name,label\n3.png,u\n", "a/train/x/1.png": png(), "a/train/2.png": png(),
         "a/test/3.png": png(), "b/metadata.csv": "file_name,kind\n1.wav,u\n", "b/1.wav": wav()})
    assert rows("a") == [
        {"id": "1", "image": "../../../a/test/3.png", "label": "u", "split": "test"},
        {"id": "2", "image": "../../../a/train/x/1.png", "label": "u", "split": "train"},
        {"id": "3", "image": "../../../a/train/2.png", "label": "v", "split": "train"}]
    assert rows("b") == [{"id": "1", "audio": "../../../b/1.wav", "kind": "u"}]


def test_files_of_one_name_are_one_sample() -> None:
    put({"a/x/1.wav": wav(), "a/x/1.txt": "caf\u00e9\r\n", "a/y/1.wav": wav(),
         "a/y/2.txt": "na\u00efve".encode("cp1252"), "a/y/3.png": png(), "a/y/3.jpg": b"x"})
    assert [tuple(row.items())[1:] for row in rows("a")] == [
        (("label", "x"), ("audio", "../../../a/x/1.wav"), ("text", "caf\u00e9")),
        (("label", "y"), ("audio", "../../../a/y/1.wav")),
        (("label", "y"), ("text", "na\u00efve")),
        (("label", "y"), ("image", "../../../a/y/3.jpg")),
        (("label", "y"), ("image", "../../../a/y/3.png"))]
    assert len({row["id"] for row in rows("a")}) == 5


def test_classes_in_a_zip_stay_there_and_names_that_lead_out_are_refused() -> None:
    with zipfile.ZipFile("p.zip", "w") as file:
        for name in ("top/cat/1.png", "top/dog/1.png", "../evil.png", "/top/cat/2.png", "__MACOSX/top/1.png"):
            file.writestr(name, png())
    assert rows("p.zip") == [{"id": "cat/1", "label": "cat", "image": "zip://../../../p.zip::top/cat/1.png"},
                             {"id": "dog/1", "label": "dog", "image": "zip://../../../p.zip::top/dog/1.png"}]
    assert importing.table("p.zip").notes == ("files whose names lead out of p.zip, not read: 2.",)


def test_classes_in_a_tar() -> None:
    shard("p.tar", [("cat/1.wav", wav()), ("dog/1.wav", wav())])
    assert [row["audio"] for row in rows("p.tar")] == ["tar://../../../p.tar::cat/1.wav",
                                                       "tar://../../../p.tar::dog/1.wav"]


def test_shards_whose_files_stay_there() -> None:
    for k, side in enumerate(("train", "val")):
        shard(f"s/{side}-{k}.tar", [(f"{k}.seg.png", png()), (f"{k}.jpg", b"x"), (f"{k}.cls", b"7\n"),
                                    (f"{k}.json", b'{"id": 5, "score": 0.5, "tags": ["a"], "more": {"x": 1}}'),
                                    (f"{k}.npy", b"")])
    assert rows("s")[1] == {
        "id": "val-1/1", "seg": "tar://../../../s/val-1.tar::1.seg.png", "image": "tar://../../../s/val-1.tar::1.jpg",
        "label": "7", "json_id": "5", "score": "0.5", "tags": '["a"]', "split": "val"}
    assert importing.table("s").notes == ("not read: files that end in .npy (2).",)


def test_a_compressed_shard_is_written_as_files() -> None:
    shard("s.tar.gz", [("a.png", png(3)), ("a.cls", b"1"), ("../b.png", png()), ("../b.cls", b"1")], "w:gz")
    found = importing.table("s.tar.gz")
    (row,) = rows("s.tar.gz")
    assert (found.path.parent / row["image"]).read_bytes() == png(3)
    assert found.notes == ("samples whose names lead out of their shard, not read: 1.",)


def test_a_pattern_of_shards() -> None:
    for k in range(3):
        shard(f"x-{k:02}.tar", [("a.txt", f"words {k}".encode()), ("a.cls", b"1")])
    assert [row["text"] for row in rows("x-{00..02}.tar")] == ["words 0", "words 1", "words 2"]
    assert [row["text"] for row in rows("x-*.tar", into=Path("other"))] == ["words 0", "words 1", "words 2"]
    with pytest.raises(UserError, match="There is no shard x-03.tar .*check the numbers in braces"):
        importing.table("x-{01..04}.tar", Path("third"))


def test_shards_that_are_cut_off() -> None:
    shard("x.tar", [("a.txt", b"words" * 1000), ("a.cls", b"1")])
    whole = Path("x.tar").read_bytes()
    Path("x.tar").write_bytes(whole[:3000])
    with pytest.raises(UserError, match=r"x\.tar is cut off or damaged \(unexpected end of data\): fetch or write"):
        importing.table("x.tar")
    assert not list(Path().rglob("*.parquet"))


def test_subtitles_beside_recordings() -> None:
    put({"t/a.wav": wav(), "t/a.srt": SRT, "t/b.flac": b"x", "t/b.en.vtt": VTT, "t/c.wav": wav(), "t/d.srt": SRT})
    found = importing.table("t")
    assert rows("t") == [
        {"id": "a-0001", "audio": "../../../t/a.wav", "start": "0", "end": "1.5", "text": "Hello you", "group": "a"},
        {"id": "a-0002", "audio": "../../../t/a.wav", "start": "62.25", "end": "3603", "text": "two lines",
         "group": "a"},
        {"id": "b.en-0001", "audio": "../../../t/b.flac", "start": "0", "end": "0.3", "text": "Hi there", "group": "b",
         "speaker": "Anna", "language": "en"},
        {"id": "b.en-0002", "audio": "../../../t/b.flac", "start": "0.3", "end": "0.4", "text": "Bye", "group": "b",
         "speaker": "Ben", "language": "en"}]
    assert found.notes == ("recordings without subtitles, left out: 1.",
                           "subtitles without a recording, left out: 1, such as d.srt.")


@pytest.mark.parametrize(("files", "why"), [
    ({}, "a is empty."),
    ({"a/b.xyz": b"1", "a/c.xyz": b""}, r"a holds no pictures, sounds, videos or texts \(.txt\), but files with .xyz"),
    ({"a/1.png": b"1", "a/2.png": b"1"}, "a holds 2 files and no folders: put those of each class into a folder"),
    ({"a/1.srt": SRT}, "a has subtitles, but no recording beside any of them, such as 1.wav for 1.srt"),
    ({"a/1.srt": "no cue", "a/1.wav": b""}, "1.srt has no cue: a line such as"),
    ({"a/x.csv": "a\n1\n", "a/y.csv": "a\n1\n"}, r"a holds 2 tables \(x.csv, y.csv\): name one of them, and join"),
])
def test_folders_that_cannot_be_read(files: dict[str, bytes | str], why: str) -> None:
    Path("a").mkdir()
    put(files)
    with pytest.raises(UserError, match=why):
        importing.table("a")


def test_sources_that_are_not_there_and_forms_that_nobody_knows() -> None:
    put({"data/cats.csv": "id,label\n", "x.docx": b"", "broken.zip": b"PK"})
    with pytest.raises(UserError, match=r"There is no file or folder data/cat.csv .* Did you mean data/cats.csv\?"):
        importing.table("data/cat.csv")
    with pytest.raises(UserError, match=r"x.docx is in no form that is known here. Known are a data set of the Hugging "
                                        r"Face hub, .*, a folder for each class; docs/bring-your-own-data.md shows"):
        importing.table("x.docx")
    with pytest.raises(UserError, match="broken.zip is cut off or damaged"):
        importing.table("broken.zip")


CLASSES = [("pets/train/cat/1.png", png()), ("pets/train/cat/1.txt", b"one"), ("pets/test/dog/2.png", png(9)),
           ("pets/train/dog/2.png", png(9))]


@pytest.mark.parametrize(("name", "mode"), [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tgz", "w:gz"),
                                            ("a.tar.xz", "w:xz"), ("a.tar.bz2", "w:bz2")])
@pytest.mark.parametrize("above", ["", "./"])
def test_a_tar_of_classes_with_several_files_a_sample_is_no_shard(name: str, mode: str, above: str) -> None:
    shard(name, [(f"{above}{member}", content) for member, content in CLASSES], mode)
    found = rows(name)
    assert [(row["id"], row["label"], row["split"], row.get("text")) for row in found] == [
        ("test/dog/2.png", "dog", "test", None), ("train/cat/1", "cat", "train", "one"),
        ("train/dog/2.png", "dog", "train", None)]
    assert media.read(found[1]["image"], Path("data/imported/a")) == png()


@pytest.mark.parametrize("label", ["cls", "json"])
def test_a_shard_with_folders_in_its_keys_stays_one(label: str) -> None:
    cat, dog = (b'{"label": "%s"}' % kind if label == "json" else kind for kind in (b"cat", b"dog"))
    shard("b.tar.gz", [("x/1.png", png()), (f"x/1.{label}", cat), ("y/2.png", png()), (f"y/2.{label}", dog)], "w:gz")
    assert [(row["id"], row["label"]) for row in rows("b.tar.gz")] == [("x/1", "cat"), ("y/2", "dog")]
    shard("c.tar.gz", CLASSES, "w:gz")
    whole = Path("c.tar.gz").read_bytes()
    Path("c.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="c.tar.gz is cut off or damaged"):
        importing.table("c.tar.gz")
