"""Columns that `trivium use` makes a table of."""

from pathlib import Path

import pytest

from tests.cli.own import data, manifest
from tests.helpers import ROOT, set_params
from trivium.cli.use import use
from trivium.params import load

MINE = {"id": "r{i}", "label": "{y}", "text": "word {i}", "Area": "{i}.5", "sunny": "{y}", "same": "x", "serial": "{i}",
        "title": "called {i}", "file of it": "a{i}.tar", "scan": "s{i}.png"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_nothing_else_takes_becomes_a_table_and_trees_are_grown_on_it(
    project: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    for _ in range(2):
        use(manifest(project / "m.jsonl", MINE))
        assert data()["streams"] == {"text": {"modality": "text"},
                                     "facts": {"modality": "table", "columns": ["Area", "sunny"]}}
        assert load().train["boosted"] == {"start": "simple", "strategy": "boosting", "title": "Boosted trees"}
    said = capsys.readouterr().out
    assert "note: facts is a table of `Area` (number), `sunny` (boolean)." in said
    assert ("note: left out of facts: `same` (one value in all rows), `serial` (whole numbers that are all different, "
            "like an id), `title` (nearly every row has a value of its own)") in said


def test_a_table_that_params_yaml_names_stays_as_long_as_its_columns_are_there(project: Path) -> None:
    mine = {"rest": {"modality": "table", "columns": ["area", "serial"]}}
    set_params(project, {"data.streams": mine})
    use(manifest(project / "m.jsonl", MINE))
    assert data()["streams"] == {"text": {"modality": "text"}} | mine
    use(manifest(project / "n.jsonl", {name: value for name, value in MINE.items() if name != "serial"}))
    assert data()["streams"]["facts"] == {"modality": "table", "columns": ["Area", "sunny"]}


def test_without_an_encoder_for_tables_it_is_only_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_params(project, {"pretrain": {"scratch": {"encoders": {"text": "words", "image": "patches", "audio": "bands"}}},
                         "train": {"end_to_end": {"start": "scratch", "strategy": "joint"}}, "compare.reference": ""})
    use(manifest(project / "m.jsonl", MINE))
    assert list(data()["streams"]) == ["text"]
    assert "note: Area, sunny could be a table: give each recipe" in capsys.readouterr().out


def test_the_world_of_cells_has_a_table(project: Path) -> None:
    use("cells")
    assert data()["streams"] == {"text": {"modality": "text"}, "facts": {"modality": "table"}}
    use("digits")
    assert list(load().streams) == ["text", "image", "audio"]
