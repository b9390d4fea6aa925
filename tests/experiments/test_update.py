"""`trivium update` on symbols whose fourth class comes later."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from benchmarks.update import project
from tests.helpers import digests
from trivium.comparison.updates import Update
from trivium.data import tables
from trivium.data.store import Store
from trivium.experiments.update import update
from trivium.experiments.ways import Settings
from trivium.serving.predictor import Predictor
from trivium.settings.errors import UserError
from trivium.tracking import lineage, store

WAYS: Any = ("finetune", "replay", "ewc")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Update]:
    folder = tmp_path_factory.mktemp("update")
    manifest = project(folder, "classes", rows=600, further=150, budget__epochs=24)
    with manifest.open("a", encoding="utf-8") as file:
        file.write("broken,3,some words,nowhere.png\n")
        file.write("lonely,4,k00 k01 w40,\n")
    known = list(csv.DictReader((folder / "mine.csv").open(encoding="utf-8")))
    with manifest.open("a", encoding="utf-8") as file:  # the same picture again
        file.writelines(f"again{k},{row['label']},w41 again,{row['image']}\n" for k, row in enumerate(known[:30]))
    return folder, manifest, update(folder, manifest, Settings(strategy="end_to_end", ways=WAYS, ewc=0.0, replay=0.5,
                                              budget=0.5))


@pytest.mark.slow
def test_new_rows_alone_make_it_forget_and_old_ones_among_them_do_not(made: tuple[Path, Path, Update]) -> None:
    ways = made[2].ways
    assert made[2].further == ["3"] and made[2].seeds == 3
    known = ways["leave"].old.mean
    assert known > 0.6  # by chance a third
    assert ways["finetune"].old.mean < known / 3
    assert ways["replay"].old.mean > known * 2 / 3
    assert ways["replay"].new.mean > ways["leave"].new.mean + 0.3
    assert made[2].chosen == "replay"


@pytest.mark.slow
def test_without_a_penalty_ewc_is_plain_fine_tuning_to_the_byte(made: tuple[Path, Path, Update]) -> None:
    home = made[0] / ".cache/updates/later/models"
    assert list(digests(home, "finetune").values()) != list(digests(home, "replay").values())
    for seed in range(3):
        one, other = (home / way / f"seed_{seed}" for way in ("finetune", "ewc"))
        assert list(digests(one, ".").values()) == list(digests(other, ".").values())


@pytest.mark.slow
def test_new_rows_are_read_as_the_model_reads_and_stay_on_the_side_of_what_they_repeat(
        made: tuple[Path, Path, Update]) -> None:
    folder = made[0]
    old, both = Store("scratch", folder), Store("scratch", folder / ".cache/updates/later")
    rows = range(len(old))
    for s in old.streams:
        assert both.batch(rows, 0).inputs[s].equal(old.batch(rows, 0).inputs[s])
        assert old.tokenizer(s, 1).exists() == both.tokenizer(s, 1).exists()
    known = {row["id"]: row for row in csv.DictReader((folder / "mine.csv").open(encoding="utf-8"))}
    sides = tables.read(folder / ".cache/updates/later/data/splits/splits.parquet").to_pylist()
    side = {row["sample"]: row for row in sides}
    for k, name in enumerate(list(known)[:30]):
        assert [side[f"again{k}"][f"seed_{j}"] for j in range(3)] == [side[name][f"seed_{j}"] for j in range(3)]


@pytest.mark.slow
def test_bad_rows_go_to_quarantine_with_a_reason(made: tuple[Path, Path, Update]) -> None:
    found = tables.read(made[0] / "models/updates/later/quarantine.parquet").to_pylist()
    assert {row["sample"] for row in found} == {"broken", "lonely"} and made[2].rows.quarantined == 2
    assert "its class `4` is new and has 1 usable rows" in " ".join(row["reason"] for row in found)


@pytest.mark.slow
def test_the_model_answers_with_the_new_class_and_the_registry_knows_where_it_comes_from(
        made: tuple[Path, Path, Update], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, manifest, found = made
    monkeypatch.chdir(folder)
    predictor = Predictor.of_strategy(Path("."), "updates/later")
    rows = list(csv.DictReader(manifest.open(encoding="utf-8")))[:50]
    labels = predictor.table([{s: row[s] for s in ("text", "image")} for row in rows], manifest.parent)["label"]
    assert predictor.task.categories == ("0", "1", "2", "3") and labels.count("3") > 25
    (version,) = MlflowClient(store.uri(folder)).search_model_versions("name = 'trivium'")
    assert str(version.version) == "1" == found.version
    assert version.tags["parent"] == "end_to_end" and version.tags["way"] == "replay"
    assert version.tags["digest"] == tables.digest(manifest.read_bytes()) and found.digest in version.description
    page = (folder / "reports/update.html").read_text(encoding="utf-8")
    assert "Fine-tuning with replay (recommended)" in page
    assert json.loads((folder / "reports/update.json").read_text())["version"] == found.version


@pytest.mark.slow
def test_an_update_that_no_registry_knows_is_registered_by_the_next_sync_once(made: tuple[Path, Path, Update]) -> None:
    """As if the server had failed after the version was made, and before it was told."""
    folder, _, found = made
    assert lineage.late(folder) == []
    lost = found.model_copy(update={"version": None, "before": None})
    lost.write(folder / "models/updates/later/update.json")
    assert lineage.late(folder) == [lost]
    assert lineage.write(folder, lost).version == "1"
    assert lineage.late(folder) == []
    assert len(MlflowClient(store.uri(folder)).search_model_versions("name = 'trivium'")) == 1


@pytest.mark.slow
def test_who_cannot_be_updated_is_told_what_to_do(made: tuple[Path, Path, Update]) -> None:
    folder, manifest, _ = made
    with pytest.raises(UserError, match="Nothing is recommended here .* --strategy"):
        update(folder, manifest, Settings())
    with pytest.raises(UserError, match="There is no trained strategy `ensemble`"):
        update(folder, manifest, Settings(strategy="ensemble"))
    with pytest.raises(UserError, match="There is no file nothing.csv"):
        update(folder, Path("nothing.csv"), Settings(strategy="end_to_end"))
