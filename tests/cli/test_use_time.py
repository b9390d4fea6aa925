"""Which column says when a row is from."""

from pathlib import Path

import pytest

from tests.cli.own import data, manifest
from trivium.cli.use import use

ROW = {"id": "r{i}", "label": "c{y}", "text": "word {i}"}
pytestmark = pytest.mark.usefixtures("project")


@pytest.mark.parametrize(("name", "cell"), [
    ("timestamp", "2026-01-31T12:30:0{i}Z"), ("date", "2026-01-3{y}"), ("taken", "2026-01-3{y}"),
    ("Recorded_At", "17672256{i}{y}"), ("timestamp", "17672256{i}{y}123")])
def test_a_column_that_is_called_so_and_holds_dates_is_the_time(capsys: pytest.CaptureFixture[str], name: str,
                                                                cell: str) -> None:
    use(manifest(Path("mine/m.jsonl"), ROW | {name: cell}))
    assert data()["manifest"]["time"] == name
    assert f"note: `{name}` is taken for when a row is from (data.manifest.time). With" in capsys.readouterr().out


def test_what_holds_no_dates_or_is_not_alone_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    use(manifest(Path("mine/m.jsonl"), ROW | {"timestamp": "0.{i}", "date": "yes", "born": "1980-01-3{y}"}))
    assert data()["manifest"]["time"] == "time"
    assert "when a row is from" not in capsys.readouterr().out
    use(manifest(Path("mine/m.jsonl"), ROW | {"taken": "2026-01-3{y}", "created_at": "2026-01-3{y}"}))
    assert data()["manifest"]["time"] == "time"
    assert "note: `taken`, `created_at` could each say when a row is from" in capsys.readouterr().out


def test_a_column_that_params_yaml_names_stays_and_another_table_goes_back_to_the_usual_name() -> None:
    both = {"time": "2026-01-3{y}", "taken": "2026-01-3{y}"}
    use(manifest(Path("mine/a.jsonl"), ROW | both))
    assert data()["manifest"]["time"] == "time"
    use(manifest(Path("mine/b.jsonl"), ROW | {"taken": "2026-01-3{y}"}))
    assert data()["manifest"]["time"] == "taken"
    use(manifest(Path("mine/c.jsonl"), ROW))
    assert data()["manifest"]["time"] == "time"
