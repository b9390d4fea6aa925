import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT
from trivium.machine import files
from trivium.settings.errors import UserError


def test_bytes_and_text_are_written_as_they_are(tmp_path: Path) -> None:
    files.write(tmp_path / "deep/a.txt", "é\r\nb\n")
    files.write(tmp_path / "deep/b.bin", b"\x00\xff")
    assert (tmp_path / "deep/a.txt").read_bytes() == b"\xc3\xa9\r\nb\n"
    assert (tmp_path / "deep/b.bin").read_bytes() == b"\x00\xff"
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["a.txt", "b.bin"]


def test_a_kill_in_the_middle_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    code = ("import os, sys\nfrom trivium.machine import files\n"
            "with files.whole(sys.argv[1]) as scratch:\n    scratch.write_text('ne')\n    os.kill(os.getpid(), 9)\n")
    done = subprocess.run([sys.executable, "-c", code, str(path)], env={"PYTHONPATH": str(ROOT / "src")})
    assert done.returncode == -9
    assert path.read_text() == "old"
    files.write(path, "new")
    assert path.read_text() == "new"


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(KeyError), files.whole(tmp_path / "a") as scratch:
        scratch.write_text("ne")
        raise KeyError
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old"}


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "cached").write_text("old")
    (tmp_path / "out").symlink_to("cached")
    files.write(tmp_path / "out", "new")
    assert ((tmp_path / "out").read_text(), (tmp_path / "cached").read_text()) == ("new", "old")


def test_others_may_read_what_is_written(tmp_path: Path) -> None:
    """A shared cache is of no use with files for their owner alone."""
    before = os.umask(0o022)
    try:
        files.write(tmp_path / "a", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


@pytest.mark.parametrize(("name", "words"), [
    ("mine/C:/Users/me/a.png", "a place on a drive of Windows"), ("C:\\a.png", "a place on a drive of Windows"),
    ("mine/a.png;b.png", "these look like 2 files, and a cell has room for one"),
    ("mine/a.png, b.png, c.png", "these look like 3 files"),
    ("file:///m/a.png;file:///m/b.png", "these look like 2 files"), ("C:\\m\\a.png|C:\\m\\b.png", "these look like 2"),
    ("/m/a.png /m/b.png", "these look like 2 files"), ('["/m/a.png", "/m/b.wav"]', "these look like 2 files"),
])
def test_a_name_tells_why_there_is_no_file(name: str | Path, words: str) -> None:
    assert files.absent(name).startswith("there is no such file: ") and words in files.absent(name)


@pytest.mark.parametrize("name", ["mine/a.png", "a, b.png", "mine/12:30/a.wav", "x|y", "vol. 2, b/a.png"])
def test_other_names_tell_nothing(name: str) -> None:
    assert files.absent(name) == "there is no such file"


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"\xff\xfe", b"\x00" * 9])
def test_what_cannot_be_read_is_the_default(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    assert files.read_json_or(path, 7) == 7
    path.write_bytes(content)
    assert files.read_json_or(path, 7) == 7
    path.write_bytes(b'{"a": 1}')
    assert files.read_json_or(path, 7) == {"a": 1}


def test_what_ended_processes_left_is_removed(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    names = [f".a.json.{ended.stdout.strip()}.part", f".b.json.{os.getpid()}.part", ".c.part", "d.json"]
    for name in names:
        (tmp_path / name).write_text("")
    files.sweep(tmp_path)
    files.sweep(tmp_path / "nowhere")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


def test_a_folder_where_a_small_file_should_be(tmp_path: Path) -> None:
    (tmp_path / "small.json").mkdir()
    assert files.read_json_or(tmp_path / "small.json", {}) == {}
    with pytest.raises(UserError) as caught:
        files.write(tmp_path / "small.json", "{}")
    assert str(caught.value) == f"{tmp_path / 'small.json'} is a folder, and should be a file: take it away."
    assert [path.name for path in tmp_path.iterdir()] == ["small.json"]
