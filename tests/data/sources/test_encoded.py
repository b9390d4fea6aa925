"""Tables as spreadsheets and other programs save them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trivium.data.sources import rows
from trivium.settings.errors import UserError

LINES = ["id,label,text", "1,a,über", "2,b,"]


def read(path: Path) -> dict[str, list[str | None]]:
    found: dict[str, list[str | None]] = rows.read(path, rows.columns(path)).to_pydict()
    return found


@pytest.mark.parametrize(("encoding", "note"), [
    ("utf-8", ""), ("utf-8-sig", ""), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16"),
    ("cp1252", "Windows-1252"),
])
@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_every_encoding_and_separator(tmp_path: Path, encoding: str, note: str, sign: str,
                                      capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes("\r\n".join(line.replace(",", sign) for line in LINES).encode(encoding))
    assert read(path) == {"id": ["1", "2"], "label": ["a", "b"], "text": ["über", None]}
    said = capsys.readouterr().err
    assert (f"note: {path} is not in UTF-8; it is read as {note}." in said) if note else not said


def test_jsonl_of_windows(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_bytes('{"id": 1, "text": "über – weit"}\n'.encode("cp1252"))
    assert read(tmp_path / "m.jsonl") == {"id": ["1"], "text": ["über – weit"]}


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    for word in ("über", "überall"):
        path.write_text(f"id,text\n1,{word}\n", encoding="cp1252")
        assert read(path)["text"] == [word]


@pytest.mark.parametrize(("made", "what"), [
    (os.mkfifo, "a pipe"), (Path.mkdir, "a folder"), (lambda path: path.symlink_to("/dev/zero"), "a device"),
])
def test_what_is_no_file_is_not_opened(tmp_path: Path, made: object, what: str) -> None:
    assert callable(made)
    made(tmp_path / "m.csv")
    with pytest.raises(UserError, match=rf"m\.csv is {what}, and not a table: name a file\."):
        rows.columns(tmp_path / "m.csv")
