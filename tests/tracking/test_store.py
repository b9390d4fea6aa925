"""The empty database that new stores are copied from."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from trivium.tracking import store


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python environment of its own."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    return tmp_path / "environment"


def query(database: Path, command: str) -> list[tuple]:
    with closing(sqlite3.connect(database)) as connection, connection:
        return connection.execute(command).fetchall()


def test_a_new_store_is_a_copy_of_the_empty_one(environment: Path, tmp_path: Path) -> None:
    with store.opened(tmp_path / "first"):
        pass
    (kept,) = (path for path in environment.rglob("*") if path.is_file())
    assert kept == store.blank()
    assert query(kept, "SELECT * FROM experiments") == []  # no path of the first one
    query(kept, "CREATE TABLE mark (value)")
    with store.opened(tmp_path / "second") as (client, experiment):
        assert client.get_experiment(experiment).artifact_location == str(store.artifacts(tmp_path / "second"))
    assert query(store.database(tmp_path / "second"), "SELECT name FROM sqlite_master WHERE name = 'mark'")
    assert sorted(path.name for path in (tmp_path / "second/mlruns").iterdir()) == [".lock", "mlflow.db"]


def test_an_environment_that_cannot_be_written_to_is_done_without(environment: Path, tmp_path: Path) -> None:
    environment.touch()  # no folder: nobody can write there, not even root
    with store.opened(tmp_path) as (client, experiment):
        assert client.search_runs([experiment]) == []
    assert environment.read_bytes() == b""
