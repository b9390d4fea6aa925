import errno
import os
import shutil
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.helpers import ROOT, command
from trivium.cli import foresee
from trivium.cli.main import main

LOCK = """schema: '2.0'
stages:
  a:
    cmd: a
    deps:
    - path: src
      hash: md5
      md5: 1
      size: 7000000000000
    outs:
    - path: data/raw
      hash: md5
      md5: 2.dir
      size: 3000000000
      nfiles: 2
    - path: reports/x.json
      hash: md5
      md5: 3
      size: 1000000000
  b:
    cmd: b
    outs:
    - path: models/b
      hash: md5
      md5: 4.dir
      size: 2000000000
      nfiles: 1
"""


@pytest.mark.parametrize(("free", "grade"), [(1e9, "wrong"), (5e9, "advice"), (5e10, "ok")])
def test_a_disk_that_is_too_small_for_the_default_data(
        free: float, grade: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    ((found, said),) = foresee.disk(tmp_path)
    assert found == grade and "a run needs about 2.0 GB" in said


def test_what_a_run_writes_is_known_from_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dvc.lock").write_text(LOCK)
    assert foresee.written(tmp_path) == 6_000_000_000
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=8e9))
    assert list(foresee.disk(tmp_path)) == [(
        "wrong", "8.0 GB free on the disk: a run needs about 9.0 GB (the outs of the last one: 6.0 GB). `dvc gc "
                 "--workspace` drops old versions from the cache.")]
    monkeypatch.setattr(foresee, "link", lambda _: "copy")
    ((_, said),) = foresee.disk(tmp_path)
    assert "a run needs about 18.0 GB (the outs of the last one: 6.0 GB, twice since DVC copies them)" in said
    assert foresee.written(ROOT) > 1_000_000


@pytest.mark.parametrize(("kinds", "expected"), [
    ("hardlink,copy", "hardlink"), ("symlink", "symlink"), ("copy", "copy")])
def test_the_link_is_tried_out(kinds: str, expected: str, tmp_path: Path) -> None:
    assert foresee.link(tmp_path) == "" and list(foresee.links(tmp_path)) == []
    (tmp_path / ".dvc/cache").mkdir(parents=True)
    (tmp_path / ".dvc/config").write_text(f'[cache]\n    type = "{kinds}"\n')
    (tmp_path / "dvc.lock").write_text(LOCK)
    assert foresee.link(tmp_path) == expected
    told = ("advice", "every out lies on the disk twice (6.0 GB more)") if expected == "copy" else ("ok", expected)
    ((grade, said),) = foresee.links(tmp_path)
    assert grade == told[0] and told[1] in said
    assert sorted(path.name for path in tmp_path.iterdir()) == [".dvc", "dvc.lock"]


def test_folders_that_cannot_be_written_to_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("data", "models"):
        (tmp_path / name).mkdir()
    assert list(foresee.permission(tmp_path)) == [("ok", "all folders can be written to")]
    named = foresee.tempfile.NamedTemporaryFile

    def refused(dir: Path, prefix: str) -> object:
        if dir.name == "models":
            raise PermissionError(errno.EACCES, "Permission denied", str(dir / "x"))
        return named(dir=dir, prefix=prefix)

    monkeypatch.setattr(foresee.tempfile, "NamedTemporaryFile", refused)  # root may write anywhere
    ((grade, said),) = foresee.permission(tmp_path)
    assert grade == "wrong" and said.startswith("nothing can be written to models. This user may not write there (")
    assert "chown" in said and "run it again" not in said


def test_before_a_run_a_disk_that_is_read_only_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make repro` begins with `trivium repair`; DVC speaks of an unexpected error there, and of where to get help."""
    monkeypatch.chdir(tmp_path)

    def refused(dir: Path, prefix: str) -> object:
        raise OSError(errno.EROFS, "Read-only file system", str(dir))

    monkeypatch.setattr(foresee.tempfile, "NamedTemporaryFile", refused)
    with pytest.raises(SystemExit, match=r"Nothing can be written to \.\. The disk is read-only \(\.\)\. Mount it"):
        main(["repair"])


def test_a_clock_that_is_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "params.yaml").write_text("")
    assert [grade for grade, _ in foresee.clock(tmp_path)] == ["ok"]
    later = time.time() + 3600
    os.utime(tmp_path / "params.yaml", (later, later))
    ((grade, said),) = foresee.clock(tmp_path)
    assert grade == "wrong" and "params.yaml was written later than that" in said
    command(tmp_path, "git", "init", "--quiet")
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=b", "commit", "--allow-empty", "-qm", "x"],
                   cwd=tmp_path, check=True, env=os.environ | {"GIT_COMMITTER_DATE": f"{int(later)} +0000"})
    ((grade, said),) = foresee.clock(tmp_path)
    assert grade == "wrong" and "before the last commit" in said


def test_a_disk_with_another_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(foresee, "_skew", lambda _: -300.0)
    assert list(foresee.clock(tmp_path)) == [(
        "advice", "the disk's clock (a server's, perhaps) is 300 s late: times of files do not fit those of this "
                  "machine. Have both clocks set.")]


def test_a_locale_that_is_not_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [grade for grade, _ in foresee.words(tmp_path)] == ["ok"]
    monkeypatch.setattr(foresee.locale, "getpreferredencoding", lambda _: "ISO-8859-1")
    ((grade, said),) = foresee.words(tmp_path)
    assert grade == "advice" and "ISO-8859-1" in said and "LANG=C.UTF-8" in said
