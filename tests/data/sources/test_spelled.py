"""Names of files as people and tools write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.sources.manifests import ingest, save
from trivium.data.sources.spelled import Found, found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("img/a b.png", "img/\u00e9.png", "a\u0308/\u00e9 1.png", "img/Upper.PNG", "alone.png", "twice/x.png",
                 "twice/X.png"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).touch()
    return tmp_path / "data"


@pytest.mark.parametrize(("written", "name", "how"), [
    ("img/a b.png", "img/a b.png", ""),
    ("./img/a b.png", "./img/a b.png", ""),
    ("img/a%20b.png", "img/a b.png", "percent-encoded"),
    ("img\\a b.png", "img/a b.png", "backslashes"),
    ("img/e\u0301.png", "img/\u00e9.png", "Unicode NFC or NFD"),
    ("img/e%CC%81.png", "img/\u00e9.png", "percent-encoded"),
    ("img/upper.png", "img/Upper.PNG", "capital letters"),
    ("IMG/A b.png", "img/a b.png", "capital letters"),
    ("C:\\Users\\me\\IMG\\A b.PNG", "img/a b.png", "a path of another machine"),
    ("\u00e4/e\u0301 1.png", "a\u0308/\u00e9 1.png", "Unicode NFC or NFD"),  # of one both
    ("\u00e4/e%CC%81%201.png", "a\u0308/\u00e9 1.png", "percent-encoded"),
    ("C:\\Users\\me\\img\\a b.png", "img/a b.png", "a path of another machine"),
    ("C:\\alone.png", "alone.png", "a path of another machine"),
    ("/home/anna/data/img/a b.png", "img/a b.png", "a path of another machine"),
    ("file:///home/anna/img/a%20b.png", "img/a b.png", "a path of another machine"),
    ("file://{folder}/img/a%20b.png", "img/a b.png", "file://"),
    ("{folder}/img/a b.png", "img/a b.png", ""),
    ("/x/gone.png;/x/alone.png", "{up}/x/gone.png;/x/alone.png", ""),  # two files, and no guess which
    ("C:\\x\\gone.png, C:\\x\\alone.png", "C:/x/gone.png, C:/x/alone.png", ""),
    ("/x/gone.png /x/alone.png", "{up}/x/gone.png /x/alone.png", ""),
    ("zip:///x/a.zip::1.png;zip:///x/alone.png::2.png", "zip://{up}/x/a.zip::1.png;zip:/x/alone.png::2.png", ""),
    ("twice/x.PNG", "twice/x.PNG", ""),  # two are alike, and neither is this one
    ("gone.png", "gone.png", ""),
    ("https://example.org/a.png", "https://example.org/a.png", ""),
    ("zip://gone.zip", "zip://gone.zip", ""),
])
def test_a_file_is_found_under_every_spelling_of_its_name(data: Path, written: str, name: str, how: str) -> None:
    up = "/".join([".."] * (len(data.resolve().parts) - 1))
    assert found(written.format(folder=data), data) == Found(name.format(up=up), how)


def test_other_spellings_are_counted_and_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for k in range(4):
        (folder / f"a {k}.png").write_bytes(b"picture")
    written = ["a%200.png", "a%201.png", "C:\\x\\a 2.png", "a 3.png", "a%200.png"]
    made = ingest(save([{"id": str(k), "label": "ab"[k % 2], "image": name} for k, name in enumerate(written)]),
                  ("image",))
    assert [row["value"] for row in made["image"]] == ["a 0.png", "a 1.png", "a 2.png", "a 3.png", "a 0.png"]
    assert ("note: 3 of 4 files of image are there under another spelling than the table has (percent-encoded: 2, a "
            "path of another machine: 1); they are read from there.\n") in capsys.readouterr().out
