"""What stages find in the private copy of a project, and what goes back."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.machine.vault.made import KEY, look, opened, private, project, put
from trivium.machine import vault
from trivium.machine.vault import keys, sealed
from trivium.settings.errors import UserError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = project(tmp_path / "project", a="cat", b="dog")
    monkeypatch.chdir(made)
    monkeypatch.setenv(keys.VARIABLE, KEY.text())
    monkeypatch.delenv("TRIVIUM_UNITS", raising=False)
    return made


def test_what_is_read_is_in_the_clear_there_and_nowhere_else(root: Path) -> None:
    with opened():
        assert Path("data/raw/a.txt").read_text() == "cat" and Path.cwd() != root
        assert vault.on() and vault.real() == root
        assert [path.stat().st_mode & 0o777 for path in private(root)] == [0o700]
        assert sealed.is_sealed(root / "data/raw/a.txt")
    assert Path.cwd() == root and private(root) == [] and not vault.on()


def test_only_what_is_asked_for_is_decrypted(root: Path) -> None:
    put(root, "models/a/model.json", "m")
    put(root, "models/a/model.safetensors", "w")
    with opened(vault.Part(("models/**/*.json",))):
        assert [str(path) for path in sorted(Path("models").rglob("*.*"))] == ["models/a/model.json"]
        assert not Path("data/raw").exists()
    assert look(root, "models/a/model.safetensors") == "w"


def test_what_is_written_goes_back_encrypted_where_it_is_secret(root: Path) -> None:
    with opened(vault.Part((), ("data/valid",))):
        for name in ("data/valid/x.txt", "reports/report.html", "reports/summary/a.json", "out.csv"):
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text("new")
        Path("src/more.py").write_text("new")
        Path("../beside.txt").write_text("new")
    assert look(root, "data/valid/x.txt") == look(root, "reports/report.html") == "new"
    for name in ("reports/summary/a.json", "out.csv", "src/more.py", "../beside.txt"):
        assert (root / name).read_text() == "new" and not (root / name).is_symlink()
    assert not list(root.rglob("*.part")) and not (root / ".trivium-home").exists()


def test_a_folder_that_is_made_anew_loses_its_old_files(root: Path) -> None:
    with opened(vault.Part((), ("data/raw",))):
        Path("data/raw").mkdir()
        Path("data/raw/c.txt").write_text("cow")
    assert [path.name for path in (root / "data/raw").iterdir()] == ["c.txt"]


def test_what_is_removed_there_is_removed_here(root: Path) -> None:
    put(root, "models/old/training.json", "t")
    put(root, "models/old/model.safetensors", "w")
    with opened(vault.Part(("models/**/*.json", "data/raw/**"))):
        Path("models/old/training.json").unlink()
        Path("models/old").rmdir()
        Path("data/raw/a.txt").unlink()
    assert not (root / "models/old").exists()
    assert [path.name for path in (root / "data/raw").iterdir()] == ["b.txt"]


def test_what_does_not_change_is_not_written(root: Path) -> None:
    before = (root / "data/raw/a.txt").stat().st_mtime_ns
    with opened():
        Path("data/raw/b.txt").write_text("bird")
    assert (root / "data/raw/a.txt").stat().st_mtime_ns == before and look(root, "data/raw/b.txt") == "bird"


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt(), SystemExit(1)])
def test_work_that_fails_leaves_nothing(root: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), opened():
        Path("data/raw/a.txt").write_text("half")
        Path("data/raw/new.txt").write_text("half")
        raise error
    assert look(root, "data/raw/a.txt") == "cat" and not (root / "data/raw/new.txt").exists() and private(root) == []


def test_neighbours_of_the_project_are_where_they_were(root: Path) -> None:
    (root.parent / "mine").mkdir()
    (root.parent / "mine/a.png").write_text("picture")
    with opened():
        assert Path("../mine/a.png").read_text() == "picture"
        assert Path("../" * 40 + "etc/hosts").exists() == Path("/etc/hosts").exists()
        assert os.path.relpath("/etc/hosts") != "/etc/hosts"


def test_git_sees_the_project_itself(root: Path) -> None:
    for words in (("init", "-q"), ("add", "."), ("-c", "user.name=a", "-c", "user.email=b", "commit", "-qm", "all")):
        subprocess.run(["git", *words], check=True)
    with opened():
        done = subprocess.run(["git", "-C", ".", "status", "--porcelain"], capture_output=True, text=True, check=True)
    assert done.stdout == "" and "GIT_DIR" not in os.environ


def test_a_file_that_is_in_the_clear_is_refused(root: Path) -> None:
    (root / "data/raw/c.txt").write_text("planted")
    with pytest.raises(UserError, match=r"data/raw/c.txt is not encrypted, and this project is"), opened():
        pass
    assert private(root) == []


def test_two_files_that_are_swapped_are_found(root: Path) -> None:
    a, b = (root / f"data/raw/{name}.txt" for name in "ab")
    a.rename(root / "c")
    b.rename(a)
    (root / "c").rename(b)
    with pytest.raises(UserError, match=r"data/raw/a.txt holds what belongs to data/raw/b.txt"), opened():
        pass


def test_too_little_room_is_said_before(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: os.terminal_size((0, 1)) and type("Usage", (), {"free": 10})())
    with pytest.raises(UserError, match=r"has 0.0 GB free. Name another folder in `encryption.folder`"), opened():
        pass


def test_without_a_key_an_encrypted_project_is_named_and_another_one_untouched(
        root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(keys.VARIABLE)
    words = rf"data/raw/..txt is encrypted with the key {KEY.id}, and no key is given"
    with pytest.raises(UserError, match=words), opened():
        pass
    for path in (root / "data/raw").iterdir():
        path.unlink()
    with opened():
        assert Path.cwd() == root


def test_a_cluster_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(UserError, match="would get its files in the clear. Unset RAY_ADDRESS"), opened():
        pass
