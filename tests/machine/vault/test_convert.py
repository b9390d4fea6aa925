"""A project in the clear is encrypted in place, its key is changed, and one looks into it."""

import subprocess
from pathlib import Path

import pytest

from tests.machine.vault.made import KEY, look, project, put
from trivium.machine.vault import convert, sealed
from trivium.machine.vault.keys import Key
from trivium.settings.errors import UserError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = project(tmp_path / "project")
    for name in ("data/raw/a.txt", "data/mine/b.txt", "models/c.txt", "reports/report.html", "reports/summary/d.json",
                 "export/e.onnx", ".cache/units/u/f.pt"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(name)
    return made


def test_what_is_secret_is_encrypted_once(root: Path) -> None:
    private = root.parent / "private"
    assert convert.encrypt(root, KEY, private) == 4
    for name in ("data/raw/a.txt", "models/c.txt", "reports/report.html", "export/e.onnx"):
        assert look(root, name) == name
    for name in ("data/mine/b.txt", "reports/summary/d.json"):
        assert (root / name).read_text() == name
    assert not (root / ".cache/units").exists() and list(private.iterdir()) == []
    put(root, ".cache/units/u/f.pt", "kept")
    assert convert.encrypt(root, KEY, private) == 0 and (root / ".cache/units/u/f.pt").exists()


def test_another_key_takes_the_place_of_the_first(root: Path) -> None:
    private, other = root.parent / "private", Key(b"k" * 32)
    convert.encrypt(root, KEY, private)
    assert convert.encrypt(root, other, private, KEY) == 4
    sealed.unseal(root / "models/c.txt", root / "clear", other, "models/c.txt")
    assert (root / "clear").read_text() == "models/c.txt" and convert.encrypt(root, other, private, KEY) == 0


def test_a_look_into_a_folder_and_a_file(root: Path, tmp_path: Path) -> None:
    convert.encrypt(root, KEY, root.parent / "private")
    assert convert.decrypt(root / "reports", tmp_path / "looked", KEY) == 2
    assert (tmp_path / "looked/report.html").read_text() == "reports/report.html"
    assert convert.decrypt(root / "models/c.txt", tmp_path / "one", KEY) == 1
    with pytest.raises(UserError, match="one is there already. Name a new one"):
        convert.decrypt(root / "models/c.txt", tmp_path / "one", KEY)
    with pytest.raises(UserError, match="There is no .*nothing here"):
        convert.decrypt(root / "nothing", tmp_path / "two", KEY)


def test_what_a_kill_left_of_a_file_is_not_encrypted(root: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    rest = root / f"models/deep/.c.txt.{ended.pid}.{ended.pid}.part"
    rest.parent.mkdir()
    rest.touch()
    assert convert.encrypt(root, KEY, root.parent / "private") == 4 and not rest.exists()


def test_a_look_that_fails_leaves_nothing(root: Path, tmp_path: Path) -> None:
    convert.encrypt(root, KEY, root.parent / "private")
    content = (root / "reports/report.html").read_bytes()
    (root / "reports/report.html").write_bytes(content[:-1])
    with pytest.raises(UserError, match="report.html is damaged"):
        convert.decrypt(root / "reports", tmp_path / "looked", KEY)
    assert not (tmp_path / "looked").exists() and not (tmp_path / "looked.part").exists()
    (root / "reports/report.html").write_bytes(content)
    assert convert.decrypt(root / "reports", tmp_path / "looked", KEY) == 2
