"""What an import leaves on the disk."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.helpers import ROOT, digests
from tests.importing.things import no_id, parquet, png, put, rows
from trivium import importing
from trivium.importing import inline, written
from trivium.settings.errors import UserError

KILLED = """
import os, sys
from pathlib import Path
from trivium import importing
from trivium.importing import written
text, count = written._Cells.text, 0
def some(self, name, value):
    global count
    count += 1
    if count > 30:
        os._exit(9)
    return text(self, name, value)
written._Cells.text = some
importing.table("m.parquet")
"""


@pytest.fixture
def pictures(folder: Path) -> Path:
    """m.parquet of 40 rows, two of which have each picture."""
    parquet("m.parquet", [{"id": k, "label": k % 2, "image": png(k // 2)} for k in range(40)])
    return folder


def test_the_same_source_gives_the_same_bytes(pictures: Path) -> None:
    for name in ("one", "two", "two"):
        importing.table("m.parquet", Path(name))
    assert {name.partition("/")[2]: digest for name, digest in digests(pictures, "one").items()} == {
        name.partition("/")[2]: digest for name, digest in digests(pictures, "two").items()}
    assert len(list(Path("one/media").rglob("*.png"))) == 20


def test_an_import_that_was_killed_is_none_and_the_next_one_is_whole(pictures: Path) -> None:
    importing.table("m.parquet", Path("whole"))
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    assert subprocess.run([sys.executable, "-c", KILLED], env=env).returncode == 9
    home = Path("data/imported/m")
    begun = sorted(home.rglob("*.*"))
    assert begun and all(path.suffix == ".png" for path in begun)
    begun[0].write_bytes(b"half")  # what a power cut leaves
    importing.table("m.parquet")
    assert {name.removeprefix("data/imported/m/"): digest for name, digest in digests(pictures, str(home)).items()} == {
        name.removeprefix("whole/"): digest for name, digest in digests(pictures, "whole").items()}


def test_a_look_writes_no_more_media_than_it_needs(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "LOOKED", 6)
    found = importing.table("m.parquet", Path("look"), look=True)
    assert len(list(Path("look/media").rglob("*.png"))) == 3
    assert len(set(pq.read_table(found.path)["image"].to_pylist())) == 20


def test_two_sources_of_one_name_do_not_mix(folder: Path) -> None:
    put({"a/m.csv": "label,text\na,x\n", "b/m.csv": "label,text\na,x\n"})
    assert rows("a/m.csv") == rows("a/m.csv")
    with pytest.raises(UserError, match="data/imported/m holds the import of a/m.csv. Name another folder with `--out"):
        importing.table("b/m.csv", lacks_id=no_id)


def test_importing_again_removes_what_no_row_names_any_more(pictures: Path) -> None:
    importing.table("m.parquet")
    parquet("m.parquet", [{"id": 1, "label": 1, "image": png(90)}, {"id": 2, "label": 1, "image": png(0)}])
    importing.table("m.parquet")
    importing.table("m.parquet", Path("fresh"))
    assert len(digests(pictures, "fresh")) == 4
    assert list(digests(pictures, "data/imported/m").values()) == list(digests(pictures, "fresh").values())


def test_columns_that_come_late_and_that_are_empty(folder: Path) -> None:
    put({"m.json": '[{"a": "x", "none": null}, {"b": "y", "none": ""}, {"a": "z", "b": 1e20, "none": null}]'})
    assert pq.read_table(importing.table("m.json").path).to_pylist() == [
        {"a": "x", "b": None}, {"a": None, "b": "y"}, {"a": "z", "b": "1e+20"}]


def test_files_inside_and_outside_of_the_working_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    far = tmp_path_factory.mktemp("far")
    put({"a/x/1.png": png(), f"{far}/a/x/1.png": png()})
    assert rows("a")[0]["image"] == "../../../a/x/1.png"
    assert rows(f"{far}/a", into=Path("out"))[0]["image"] == f"{far}/a/x/1.png"
    assert rows("a", into=far / "out")[0]["image"] == f"{folder}/a/x/1.png"


@pytest.mark.parametrize(("source", "name"), [
    ("my data/pets.csv", "pets"), ("x-{000..003}.tar", "x"), ("a/packed.tar.gz", "packed"), ("pets/", "pets"),
    ("https://a.example/some/file.jsonl?x=1", "file"), ("owner/name@abc", "name"), ("owner/name:part", "name"),
    ("*.tar", "data"),
])
def test_names_of_imports(source: str, name: str) -> None:
    assert importing.name(source) == name


@pytest.mark.parametrize(("content", "ending"), [
    (png(), ".png"), (b"\xff\xd8\xff\xe0", ".jpg"), (b"RIFF\0\0\0\0WAVEfmt ", ".wav"),
    (b"RIFF\0\0\0\0WEBPVP8 ", ".webp"), (b"OggS\0", ".ogg"), (b"fLaC", ".flac"), (b"a text", ""), (b"", ""),
])
def test_beginnings_of_files(content: bytes, ending: str) -> None:
    assert inline.ending(content) == ending


def test_words_are_no_base64(folder: Path) -> None:
    assert not inline.is_coded("a sentence of plain words, long enough to be looked at in earnest")
    assert not inline.is_coded("thisisoneverylongwordwithoutanyspaceinitatallbutnopicture")
    for coded in ("iVBORw0KGgo", "data:image/png;base64,iVBORw0K\nGgo="):
        assert inline.decoded(coded) == b"\x89PNG\r\n\x1a\n"
    assert inline.decoded("no base64!") is None
