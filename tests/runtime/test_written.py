"""The same answers in each form of file."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from trivium.runtime import written
from trivium.settings.errors import UserError

COLUMNS = {"label": object, "probability_=a": float, "=SUM(A1)": float, "error": object}
ROWS = [["-7", "=1+1", 0.25, -3.5, None], ["@id", None, None, None, "image '=x' cannot\nbe used"]]


def write(out: Path) -> None:
    with written.writing(out, COLUMNS, ".3f") as add:
        for row in ROWS:
            add([row])
        assert not out.exists()  # before the end


def test_no_cell_of_a_csv_starts_a_formula_and_numbers_stay(tmp_path: Path) -> None:
    write(tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == (
        "id,label,probability_=a,'=SUM(A1),error\n"
        "-7,'=1+1,0.250,-3.500,\n"
        "'@id,,,,\"image '=x' cannot\nbe used\"\n")


def test_jsonl_and_parquet_have_texts_and_numbers_as_they_are(tmp_path: Path) -> None:
    expected = [dict(zip(["id", *COLUMNS], row, strict=True)) for row in ROWS]
    write(tmp_path / "a.jsonl")
    assert [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()] == expected
    write(tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.to_pylist() == expected
    assert [str(field.type) for field in table.schema] == ["string", "string", "double", "double", "string"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "a.parquet"]


def test_parquet_is_written_in_groups_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "GROUP", 4)
    with written.writing(tmp_path / "a.parquet", {"label": object}, "") as add:
        for start in range(0, 9, 3):
            add([[str(k), "x"] for k in range(start, start + 3)])
    file = pq.ParquetFile(tmp_path / "a.parquet")
    assert file.read()["id"].to_pylist() == [str(k) for k in range(9)]
    assert [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)] == [6, 3]


def test_what_fails_leaves_no_file(tmp_path: Path) -> None:
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        with pytest.raises(RuntimeError), written.writing(tmp_path / name, COLUMNS, "") as add:
            add(ROWS)
            raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_written_is_said_before(tmp_path: Path) -> None:
    for out, why in ((tmp_path, "is a folder"), (tmp_path / "no/a.csv", "there is no folder"),
                     (tmp_path / "a.xlsx", "one of .csv, .jsonl, .parquet")):
        with pytest.raises(UserError, match=why):
            written.check(out)
    written.check(None)
