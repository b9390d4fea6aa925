"""What a command says while a run is at work in the same folder."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trivium.cli import busy
from trivium.cli.main import main
from trivium.settings.errors import UserError


def written(folder: Path, pid: int) -> None:
    """As DVC writes it while a stage runs."""
    (folder / ".dvc/tmp").mkdir(parents=True, exist_ok=True)
    found = {"write": {"/a/data/raw": {"pid": pid, "cmd": "dvc repro"}}, "read": {}}
    (folder / busy.RWLOCK).write_text(json.dumps(found))


def test_nothing_is_said_where_nothing_runs(tmp_path: Path) -> None:
    busy.refuse(tmp_path, "run this again")
    written(tmp_path, 2**22 + 1)  # of a run that was killed
    busy.refuse(tmp_path, "run this again")
    written(tmp_path, os.getpid())  # the number went to a process that is none of DVC's
    busy.refuse(tmp_path, "run this again")
    (tmp_path / busy.RWLOCK).write_text('{"wri')  # half-written
    busy.refuse(tmp_path, "run this again")


@pytest.mark.parametrize("words", [["sync"], ["import", "pets"], ["repair"], ["look"], ["verify"]])
def test_a_run_at_work_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "dvc", "repro"])
    try:
        written(tmp_path, other.pid)
        with pytest.raises(SystemExit, match=rf"Another run is at work in this folder since \d\d:\d\d \(`dvc repro`, "
                                             rf"process {other.pid}\)\. Wait until it has ended"):
            main(words)
    finally:
        other.kill()
        other.wait()


def test_another_command_of_dvc_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busy, "PATIENCE", 0.2)
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    with (tmp_path / busy.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="Another DVC command is at work in this folder"):
            busy.refuse(tmp_path, "run this again")
        fcntl.flock(lock, fcntl.LOCK_UN)
        busy.refuse(tmp_path, "run this again")
