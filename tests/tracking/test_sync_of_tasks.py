"""MLflow runs of other tasks than classes: their metrics, units, tables and columns."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.report.of_tasks import KINDS, SKILLS, build
from trivium.data.tables import read_json
from trivium.tracking import store
from trivium.tracking.model import signature
from trivium.tracking.sync import sync

WORDS = {"prices": "R²", "houses": "R²", "tagged": "macro F1", "graded": "quadratic kappa"}


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Kind -> its project, synced once. To be read only."""
    found = {}
    for name, kind in KINDS.items():
        root = found[name] = build(tmp_path_factory.mktemp(name), kind(160), seeds=2)
        (root / "params.yaml").write_text(yaml.safe_dump({"train": {strategy: {} for strategy in SKILLS}}))
        assert sync(root) == "MLflow: 4 strategies written, 0 already there."
    return found


def opened(root: Path) -> tuple[Any, dict[str, str]]:
    """The run of the strategy `ensemble`, and the experiment's tags."""
    with store.opened(root) as (client, experiment):
        (run,) = client.search_runs([experiment], "tags.kind = 'parent' AND tags.strategy = 'ensemble'")
        return run, client.get_experiment(experiment).tags


@pytest.mark.parametrize(("kind", "key", "others"), [
    ("prices", "r2", {"mae", "rmse", "spearman", "coverage", "width", "nll"}),
    ("houses", "r2", {"mae", "rmse", "spearman", "coverage", "width", "nll"}),
    ("tagged", "macro_f1", {"micro_f1", "mean_ap", "nll", "ece"}),
    ("graded", "kappa", {"mae", "accuracy", "nll", "ece"}),
])
def test_metrics_have_the_names_of_the_report_and_the_first_column_ranks(
    kind: str, key: str, others: set[str], synced: dict[str, Path],
) -> None:
    run, tags = opened(synced[kind])
    entry = read_json(synced[kind] / "reports/comparison.json")["strategies"]["ensemble"]["metrics"]
    for name in (key, *others):
        assert run.data.metrics[f"test/{name}"] == pytest.approx(entry[name]["mean"], rel=1e-5)
        assert {f"test/{name}_low", f"test/{name}_high"} <= run.data.metrics.keys()
    assert {"val/score", "val/nll", "subset_score/text", "contribution/text", "corrupted_score/text",
            "probe/text"} <= run.data.metrics.keys()
    state = json.loads(json.loads(tags["mlflow.sharedViewState.strategies"])["state"])
    assert state["selectedColumns"][:4] == ["metrics.`rank`", f"metrics.`test/{key}`", f"metrics.`test/{key}_low`",
                                            f"metrics.`test/{key}_high`"]


@pytest.mark.parametrize("kind", list(KINDS))
def test_notes_speak_the_words_of_the_task(kind: str, synced: dict[str, Path]) -> None:
    run, tags = opened(synced[kind])
    notes = run.data.tags["mlflow.note.content"], tags["mlflow.note.content"]
    assert all(WORDS[kind] in note for note in notes)
    if kind != "graded":
        assert not any("accuracy" in note or "class" in note for note in notes)
        assert not any("accuracy" in name for name in run.data.metrics)
    if kind in ("prices", "houses"):
        assert "EUR" in notes[0] and "which shall hold 90 % of new values" in notes[0]
    if kind == "prices":
        assert "; in EUR: `test/mae`, `test/rmse`, `test/width`; in nats: `test/nll`." in notes[1]


@pytest.mark.parametrize(("kind", "head", "first", "pictured"), [
    ("prices", "value or quarter", ["price", "lowest quarter", "second quarter"], False),
    ("tagged", "tag", ["big", "metal", "old"], False),
    ("graded", "class", ["poor", "fair", "good"], True),
])
def test_the_table_is_there_and_the_confusion_where_classes_are(
    kind: str, head: str, first: list[str], pictured: bool, synced: dict[str, Path],
) -> None:
    folder = Path(opened(synced[kind])[0].info.artifact_uri)
    assert (folder / "confusion_matrix.svg").exists() == pictured
    with (folder / "table.csv").open(newline="") as file:
        table = list(csv.reader(file))
    assert table[0][0] == head and [row[0] for row in table[1:4]] == first
    assert {len(row) for row in table} == {len(table[0])}


def test_the_signature_has_the_columns_of_the_task() -> None:
    prepared = {"streams": {"title": {"spec": {"modality": "text"}}}}
    outputs = signature(prepared, KINDS["prices"](20).task).outputs
    assert [(one.name, one.type.name) for one in outputs] == [
        ("price", "double"), ("price_low", "double"), ("price_high", "double"), ("warning", "string"),
        ("error", "string")]
    tags = signature(prepared, KINDS["tagged"](20).task).outputs
    assert [(one.name, one.type.name) for one in tags][:2] == [("labels", "string"), ("probability_big", "double")]
