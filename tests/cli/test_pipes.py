"""What is no file among the data: DVC would wait for a pipe in a folder that it watches."""

import os
from pathlib import Path

from trivium.cli.watched import watch


def test_a_folder_with_a_pipe_is_not_watched_but_its_table_is(tmp_path: Path) -> None:
    home, root = tmp_path / "mine", tmp_path / "project"
    home.mkdir()
    root.mkdir()
    for name in ("t.csv", "a.png"):
        (home / name).touch()
    assert watch(home / "t.csv", {"a.png"}, root) == str(home)
    os.mkfifo(home / "pipe.png")
    assert watch(home / "t.csv", {"a.png"}, root) == str(home / "t.csv")
