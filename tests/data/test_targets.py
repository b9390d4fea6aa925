"""Targets on their way from a table to the store: every task from ingest to split, and on to batches."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from trivium import tasks
from trivium.data import features, tables
from trivium.data.alignment import align
from trivium.data.settings import Align, Manifest, Split, Stream, Validate
from trivium.data.sources import manifest
from trivium.data.splits import split
from trivium.data.store import Batch, Store
from trivium.data.validation import validate
from trivium.encoders import describe
from trivium.machine.cache import Cache
from trivium.settings.errors import UserError

VALIDATE = Validate(max_bad_fraction=0.05, min_class_count=5, text_length=(1, 100), image_side=(1, 64),
                    audio_seconds=(0.01, 10))
SPLIT = Split(method="holdout", val=0.2, test=0.3, labels=1.0, group_identical_text=False, held_out_domain="")
WORDS = {"modality": "text", "architecture": "cnn", "width": 16, "depth": 1, "processor": {"length": 6, "vocab": 64}}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(name: str, rows: list[dict[str, Any]]) -> str:
    """Rows with an `id` and a `text` besides, as CSV, JSONL or Parquet."""
    rows = [{"id": f"r{i:03}", "text": f"word {i}"} | row for i, row in enumerate(rows)]
    if name.endswith(".csv"):
        with open(name, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    elif name.endswith(".jsonl"):
        Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(rows), name)
    return name


def ingest(path: str, task: Any, label: str | list[str] = "label", weight: str = "") -> list[str | None]:
    """Labels of the raw table."""
    settings = Manifest(path=path, id="id", label=label, group="group", split="split", language="", domain="",
                        start="", end="", weight=weight)
    manifest.write(Path("raw"), settings, 0, {"text": Stream(modality="text")}, tasks.chosen(task)[0])
    return tables.read("raw/labels.parquet")["label"].to_pylist()


def check(task: Any, **settings: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """What `validate` reports, and key -> reason of the labels in quarantine."""
    report = validate("raw", "valid", {"text": "text"}, VALIDATE.model_copy(update=settings), task)
    out = tables.read("valid/quarantine.parquet").to_pylist()
    return report, {row["key"]: row["reason"] for row in out if row["table"] == "labels"}


def draw(seeds: int = 2, **settings: Any) -> dict[str, Any]:
    align("valid", "aligned", {"text": "text"}, Align(tolerance=0.1))
    return split("aligned", "splits", SPLIT.model_copy(update=settings), seeds)


def store() -> Store:
    """What `preprocess` makes of it, for a recipe `scratch`."""
    features.write("aligned", "splits", "data/features", "data/reads", {"scratch": {"text": "words"}},
                   {"words": describe("words", WORDS)}, 2, workers=1, cache=Cache(Path("cache")))
    return Store("scratch")


def test_a_number_from_the_table_to_batches() -> None:
    path = save("m.csv", [{"price": f"{i}.5"} for i in range(100)])
    assert ingest(path, "regression", "price")[:2] == ["0.5", "1.5"]
    assert tables.read_json("raw/meta.json")["target"] == ["price"]
    report, out = check({"name": "regression", "units": {"price": "EUR"}, "loss": "huber"})
    assert out == {} and report["warnings"] == [] and report["coverage"] == {}
    assert [suite["name"] for suite in report["suites"]] == ["text", "labels", "samples"]
    about = tables.read_json("valid/meta.json")["task"]
    assert (about["name"], about["targets"], about["loss"]) == ("regression", [["price", "EUR"]], "huber")
    drawn = draw()
    assert list(drawn["seeds"][0]["counts"].items())[:3] == [("train", 50), ("val", 20), ("test", 30)]
    assert drawn["seeds"][0]["categories"] == {} and drawn["warnings"] == []
    made = store()
    assert made.labels(np.array([3, 0])).tolist() == [[3.5], [0.5]]
    batch = made.batch(np.array([3, 0]), 0)
    assert batch.y.dtype == torch.float32 and batch.y.tolist() == [[3.5], [0.5]] and batch.weight is None
    for seed in (0, 1):
        train = made.labels(made.rows(seed, "train"))
        assert made.task_at(seed).mean == pytest.approx(train.mean(0).tolist())  # of no other rows
        assert made.task_at(seed) is made.task_at(seed)
        spread = [np.bincount((made.labels(made.rows(seed, name))[:, 0] // 25).astype(int), minlength=4).tolist()
                  for name in ("val", "test")]
        assert max(abs(count - 5) for count in spread[0]) <= 1 and max(abs(count - 7.5) for count in spread[1]) <= 1.5
    assert made.task_at(0).mean != made.task_at(1).mean


def test_several_numbers(here: Path) -> None:
    rows = [{"price": str(i), "area": "" if i == 7 else f"{i % 9}.25"} for i in range(100)]
    for name in ("m.csv", "m.parquet"):
        labels = ingest(save(name, rows), "regression", ["price", "area"])
        assert labels[6:8] == ['{"price": "6", "area": "6.25"}', '{"price": "7", "area": null}']
    assert tables.read_json("raw/meta.json")["target"] == ["price", "area"]
    report, out = check("regression")
    assert list(out) == ["r007"]
    assert report["warnings"][0].startswith(
        "1 of 100 rows (1.0%) are in quarantine for their `price`, `area`; the first, row 8: ")
    draw()
    assert store().labels(np.array([6, 7])).tolist() == [[6.0, 6.25], [8.0, 8.25]]


@pytest.mark.parametrize("cell", ["abc", "nan", "inf", "1,234.5"])
def test_what_is_no_number_goes_to_quarantine(cell: str) -> None:
    ingest(save("m.csv", [{"label": cell if i in (3, 4) else str(i)} for i in range(100)]), "regression")
    report, out = check("regression")
    assert list(out) == ["r003", "r004"] and all(cell in reason for reason in out.values())
    assert report["warnings"] == ["2 of 100 rows (2.0%) are in quarantine for their `label`; the first, row 4: "
                                  f"{out['r003']}."]
    assert tables.read("valid/labels.parquet").num_rows == 98
    with pytest.raises(UserError, match=r"2 of 100 rows of labels \(2.0%\) cannot be used:\n  row 4, key r003, sample"):
        check("regression", max_bad_fraction=0.01)


def test_a_row_without_a_target_is_kept_for_recipes_that_need_none() -> None:
    ingest(save("m.csv", [{"label": "" if i == 3 else str(i)} for i in range(100)]), "regression")
    report, out = check("regression")
    assert out == {} and report["unlabelled"] == 1 and report["warnings"] == [
        "1 of 100 rows have no label: they are in no train, val or test set, and serve recipes that need none."]
    assert all(one["counts"]["unlabelled"] == 1 for one in draw()["seeds"])
    made = store()
    assert made.rows(0, "unlabelled").tolist() == made.rows(1, "unlabelled").tolist() == [3]
    assert made.labels(np.array([2, 4])).tolist() == [[2.0], [4.0]]


def test_of_several_numbers_none_is_no_target_and_one_is_a_mistake() -> None:
    rows = [{"price": str(i), "area": str(2 * i)} for i in range(100)]
    rows[3], rows[4] = {"price": "", "area": ""}, {"price": "4", "area": ""}
    assert ingest(save("m.csv", rows), "regression", ["price", "area"])[3] is None
    report, out = check("regression")
    assert report["unlabelled"] == 1 and out == {"r004": "its target `area` is empty"}


def test_targets_of_which_nothing_can_be_learned() -> None:
    ingest(save("m.csv", [{"label": "2.5"} for _ in range(100)]), "regression")
    with pytest.raises(UserError, match="This data cannot be learned from: the target `label` has one value, 2.5"):
        check("regression")
    ingest(save("m.csv", [{"label": ""} for _ in range(100)]), "regression")
    with pytest.raises(UserError, match="This data cannot be learned from: "):
        check("regression")
    ingest(save("m.csv", [{"label": "none"} for _ in range(100)]), "regression")
    with pytest.raises(UserError, match=r"100 of 100 rows of labels \(100.0%\) cannot be used"):
        check("regression")


def tags(i: int) -> list[str]:
    return [name for name, every in (("red", 2), ("round", 3), ("old", 10)) if i % every == 0]


@pytest.mark.parametrize("form", ["cells", "lists.jsonl", "lists.parquet", "columns"])
def test_tags_in_every_form(form: str) -> None:
    names, label = ["old", "red", "round"], "label"
    found = [tags(i) or ["red"] for i in range(120)]
    if form == "cells":
        path = save("m.csv", [{"label": "; ".join(row)} for row in found])
    elif form == "columns":
        label, path = names, save("m.csv", [{name: int(name in row) for name in names} for row in found])
    else:
        path = save(form, [{"label": row} for row in found])
    labels = ingest(path, "multilabel", label)
    assert labels[6] == {"cells": "red; round", "columns": '{"old": "0", "red": "1", "round": "1"}'}.get(
        form, '["red", "round"]')
    report, out = check("multilabel")
    assert out == {} and report["warnings"] == []
    assert report["coverage"] == {"old": {"rows": 12, "text": 12}, "red": {"rows": 100, "text": 100},
                                  "round": {"rows": 40, "text": 40}}
    assert [suite["name"] for suite in report["suites"]] == ["text", "labels", "classes", "samples"]
    drawn = draw()
    assert drawn["warnings"] == [] and set(drawn["seeds"][0]["categories"]) == set(names)
    assert all(2 <= one["categories"]["old"]["test"] <= 5 for one in drawn["seeds"])  # 30 % of 12
    made = store()
    batch = made.batch(np.array([6, 10]), 0)
    assert batch.y.dtype == torch.float32 and batch.y.tolist() == [[0, 1, 1], [1, 1, 0]]
    assert made.labels(np.array([6])).dtype == np.uint8


def test_a_cell_without_tags_says_so() -> None:
    cells = ["", "[]", "red", "red;round"]
    ingest(save("m.csv", [{"label": cells[i % 4]} for i in range(100)]), "multilabel")
    report, out = check("multilabel", max_bad_fraction=0.3)
    assert out == {} and report["unlabelled"] == 25 and report["warnings"] == [
        "25 of 100 rows have no label (one that has none of the tags says `[]`): they are in no train, val or test "
        "set, and serve recipes that need none."]
    assert report["coverage"] == {"red": {"rows": 50, "text": 50}, "round": {"rows": 25, "text": 25}}
    draw()
    assert store().labels(np.array([1, 2])).tolist() == [[0, 0], [1, 0]]


def test_a_tag_that_only_test_has_is_a_warning() -> None:
    where = ["train"] * 60 + ["val"] * 20 + ["test"] * 20
    rows = [{"label": "red;new" if i >= 90 else ("red;round", "round", "red")[i % 3], "split": where[i]}
            for i in range(100)]
    ingest(save("m.csv", rows), "multilabel")
    check("multilabel")
    assert draw(1)["warnings"] == ["`new`: no training row with seed 0, so that no model can learn this."]


def test_an_order() -> None:
    order = ["low", "mid", "high"]
    task = {"name": "ordinal", "order": order}
    ingest(save("m.csv", [{"label": "hihg" if i == 5 else order[i % 3]} for i in range(90)]), task)
    report, out = check(task)
    assert list(out) == ["r005"] and "did you mean `high`?" in out["r005"]
    assert list(report["coverage"]) == order and report["coverage"]["high"] == {"rows": 29, "text": 29}
    drawn = draw()
    assert list(drawn["seeds"][0]["categories"]) == order
    made = store()
    assert made.labels(np.array([0, 1, 2])).tolist() == [0, 1, 2]
    assert made.batch(np.array([2]), 0).y.dtype == torch.int64


@pytest.mark.parametrize("name", ["m.csv", "m.jsonl", "m.parquet"])
def test_weights_travel(name: str) -> None:
    rows: list[dict[str, Any]] = [{"label": "ab"[i % 2], "w": (0.0, 0.5, 2.0)[i % 3]} for i in range(100)]
    ingest(save(name, rows), "classification", weight="w")
    _, out = check("classification")
    assert out == {}
    column = tables.read("valid/labels.parquet")["weight"]
    assert column.type == pa.float64() and column.to_pylist()[:3] == [0.0, 0.5, 2.0]
    draw()
    assert tables.read("aligned/samples.parquet")["weight"].type == pa.float64()
    made = store()
    found = made.weights(np.array([2, 0]))
    assert found is not None and found.dtype == np.float32 and found.tolist() == [2.0, 0.0]
    batch = made.batch(np.array([0, 1, 2]), 0)
    assert batch.weight is not None and batch.weight.tolist() == [0.0, 0.5, 2.0]
    assert batch[1:].weight.tolist() == [0.5, 2.0]  # type: ignore[union-attr]
    assert batch.take(torch.tensor([2])).weight.tolist() == [2.0]  # type: ignore[union-attr]
    assert Batch.joined([batch, batch[:1]]).weight.tolist() == [0.0, 0.5, 2.0, 0.0]  # type: ignore[union-attr]
    assert batch.to("cpu").weight.tolist() == [0.0, 0.5, 2.0]  # type: ignore[union-attr]


def test_weights_that_are_none() -> None:
    bad = {1: "-1", 2: "heavy", 3: "nan", 4: "", 5: "inf"}
    ingest(save("m.csv", [{"label": "ab"[i % 2], "w": bad.get(i, " 1e-1 ")} for i in range(100)]), "classification",
           weight="w")
    _, out = check("classification")
    assert out == {f"r00{i}": f"its weight is `{cell or 'missing'}`, which is no number of 0 or more"
                   for i, cell in bad.items()}
    assert tables.read("valid/labels.parquet")["weight"].to_pylist() == [0.1] * 95
    ingest(save("m.csv", [{"label": "ab"[i % 2], "w": "0"} for i in range(100)]), "classification", weight="w")
    with pytest.raises(UserError, match="Every row has the weight 0, so that none counts"):
        check("classification")
    with pytest.raises(UserError, match="m.csv has no column `v`, which data.manifest.weight in params.yaml names"):
        ingest("m.csv", "classification", weight="v")


def test_without_weights_tables_have_no_such_column() -> None:
    ingest(save("m.csv", [{"label": "ab"[i % 2]} for i in range(100)]), "classification")
    check("classification")
    draw()
    assert "weight" not in tables.read("aligned/samples.parquet").column_names
    made = store()
    assert made.weights(np.array([0])) is None and made.batch(np.array([0]), 0)[:1].weight is None


def test_columns_that_cannot_be_a_target() -> None:
    path = save("m.csv", [{"label": "ab"[i % 2], "price": i} for i in range(100)])
    with pytest.raises(UserError, match=r"names 2 columns \(label, price\), but one class per row is to be predicted"):
        ingest(path, "classification", ["label", "price"])
    with pytest.raises(UserError, match="has no column `prise`, which data.manifest.label .* Did you mean `price`?"):
        ingest(path, "regression", ["price", "prise"])
    with pytest.raises(UserError, match="data.manifest.label names the column `price` twice"):
        ingest(path, "regression", ["price", "PRICE"])
    with pytest.raises(UserError, match="column `text` of m.csv is read as the label and as text, so that models are"):
        ingest(path, "classification", "text")


def test_numbers_and_lists_are_questioned_where_classes_are_wanted_and_nowhere_else() -> None:
    prices = save("m.csv", [{"label": f"{i * 1.37:.2f}"} for i in range(100)])
    with pytest.raises(UserError, match="Set `task: regression` in params.yaml"):
        ingest(prices, "classification")
    assert len(ingest(prices, "regression")) == 100
    with pytest.raises(UserError, match="m.csv: column `label` holds 100 different decimal numbers .* Set `task: reg"):
        check("classification")  # the task was another when these rows came in
    lists = save("m.csv", [{"label": str([["a"], ["a", "b"]][i % 2])} for i in range(100)])
    with pytest.raises(UserError, match="set `task: multilabel` in params.yaml"):
        ingest(lists, "classification")
    assert ingest(lists, "multilabel")[1] == "['a', 'b']"
    with pytest.raises(UserError, match="column `label` holds list<"):  # of pairs
        ingest(save("m.parquet", [{"label": [[1], [2]]} for _ in range(9)]), "multilabel")
    ingest(save("m.jsonl", [{"label": {"a": 1}} for _ in range(9)]), "multilabel")
    with pytest.raises(UserError, match="(?s)9 of 9 rows of labels.*its label is an object, not one"):
        check("multilabel")


def test_a_list_or_an_object_in_one_cell_costs_its_row_alone() -> None:
    rows: list[dict[str, Any]] = [{"label": "ab"[i % 2]} for i in range(40)]
    rows[3] |= {"text": ["x", "y"]}
    rows[4] |= {"text": {"k": 1}}
    rows[5] |= {"label": {"k": 1}}
    ingest(save("m.jsonl", rows), "classification")
    report, _ = check("classification", max_bad_fraction=0.5)
    assert report["tables"]["labels"]["rows"] == 40
    assert [(row["table"], row["key"], row["reason"], row["value"])
            for row in tables.read("valid/quarantine.parquet").to_pylist() if "everything" not in row["reason"]] == [
        ("labels", "r005", "its label is an object, not one value", '{"k": 1}'),
        ("text", "r003", "it is a list, not one value", '["x", "y"]'),
        ("text", "r004", "it is an object, not one value", '{"k": 1}'),
        ("text", "r005", "its sample `r005` is in quarantine", "word 5")]
    assert report["tables"]["text"]["quarantined"] == 2


def test_the_loss_changes_what_is_trained_and_not_what_is_taken_as_it_comes() -> None:
    ingest(save("m.csv", [{"label": str(i)} for i in range(100)]), "regression")
    found = []
    for loss in ("mse", "huber"):
        check({"name": "regression", "loss": loss})
        draw()
        found.append((store().reads, Path("splits/splits.parquet").read_bytes()))
    (one, first), (other, second) = found
    assert first == second and one.samples == other.samples and one.streams == other.streams
    assert one.task != other.task and one.digest != other.digest
