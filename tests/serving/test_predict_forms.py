"""`trivium predict` reads new rows in the forms that `trivium import` reads."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.fake_outs import fake_data, fake_models, fake_outs
from trivium.serving.predict import predict_source, predict_table
from trivium.settings.errors import UserError


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    fake_outs(root, {"supervised_frozen": 0.9})
    fake_data(root)
    fake_models(root, "supervised_frozen")
    return root


def test_a_folder_per_class_and_a_zip_of_it(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = sorted((root / "data/raw/media").glob("*.png"))[:4]
    assert len(pictures) == 4
    for k, picture in enumerate(pictures):
        (tmp_path / "new" / "ab"[k % 2]).mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, tmp_path / "new" / "ab"[k % 2])
    (tmp_path / "new/a/broken.png").write_bytes(b"no picture")
    shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "new")
    found = []
    for source in ("new", "packed.zip"):
        bad = predict_source(root, "supervised_frozen", str(tmp_path / source), tmp_path / f"{source}.csv")
        assert bad == 1
        assert "folder for each class" in capsys.readouterr().err
        with (tmp_path / f"{source}.csv").open(newline="") as file:
            found.append(list(csv.DictReader(file)))
    assert [bool(row["label"]) for row in found[0]] == [bool(row["label"]) for row in found[1]]
    assert sum(bool(row["label"]) for row in found[0]) == 4
    assert next(row["error"] for row in found[0] if row["error"]).endswith("format that Pillow cannot read")


def test_what_is_in_no_known_form(root: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.docx").write_bytes(b"a letter")
    with pytest.raises(UserError, match=r"rows\.docx is in no form that is known here"):
        predict_source(root, "supervised_frozen", str(tmp_path / "rows.docx"), None)


def test_a_server_that_is_away_costs_its_row_alone(root: Path, tmp_path: Path) -> None:
    picture = next((root / "data/raw/media").glob("*.png"))
    (tmp_path / "rows.csv").write_text(f"id,image\na,{picture}\nb,http://127.0.0.1:1/x.png\n")
    assert predict_source(root, "supervised_frozen", str(tmp_path / "rows.csv"), tmp_path / "out.csv") == 1
    with (tmp_path / "out.csv").open(newline="") as file:
        good, bad = csv.DictReader(file)
    assert good["label"] and not good["error"]
    assert "127.0.0.1:1 cannot be read: Cannot connect" in bad["error"] and not bad["label"]


def test_a_list_in_a_cell_of_jsonl_costs_its_row_alone(root: Path, tmp_path: Path) -> None:
    """More rows than are answered at a time; in the last one, the picture still answers."""
    rows: list[dict] = [{"id": f"r{k}", "text": "alpha"} for k in range(70)]
    rows[1]["text"] = ["alpha", "beta"]
    rows[68]["text"] = {"a": 1}
    rows[69] |= {"text": [], "image": str(root / "data/raw/media/0.png")}
    (tmp_path / "some.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert predict_table(root, "supervised_frozen", tmp_path / "some.jsonl", tmp_path / "out.jsonl") == 2
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert {k: row["error"] for k, row in enumerate(found) if row["error"]} == {
        1: "text '[\"alpha\", \"beta\"]' cannot be used: it is not one value",
        68: "text '{\"a\": 1}' cannot be used: it is not one value"}
    assert {k: row["warning"] for k, row in enumerate(found) if row["warning"]} == {
        69: "text '[]' cannot be used: it is not one value"}
