"""Rows that are taken from a table on the disk in a given order."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from trivium.data import tables
from trivium.data.gathered import Cells


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten rows in row groups of three."""
    monkeypatch.setattr(tables, "GROUP", 3)
    tables.write(pa.table({"name": [f"n{i}" for i in range(10)], "size": list(range(10))}), tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


@pytest.mark.parametrize("order", [[0, 2, 2, 3, 7, 8, 9], [9, 0, 4, 4]])
def test_rows_in_any_order_and_some_at_a_time(path: Path, order: list[int]) -> None:
    cells = Cells(path, np.array(order), ["name"])
    found = [cells.take(np.array(part, np.int64)) for part in (order[:3], [], order[3:])]
    assert pa.concat_tables(found)["name"].to_pylist() == [f"n{i}" for i in order]


def test_a_table_that_is_written_by_pieces_has_the_bytes_of_the_whole(path: Path, tmp_path: Path) -> None:
    whole = tables.read(path)
    with tables.Writer(tmp_path / "other.parquet") as file:
        for start in range(0, 10, 4):
            file.add(whole.slice(start, 4))
    assert (tmp_path / "other.parquet").read_bytes() == path.read_bytes()
    assert [len(piece) for piece in tables.pieces(path, ["size"], 4)] != [10]


def test_what_fails_on_the_way_leaves_no_table(tmp_path: Path) -> None:
    with pytest.raises(ValueError), tables.Writer(tmp_path / "half.parquet") as file:
        file.add(pa.table({"x": [1]}))
        raise ValueError
    assert list(tmp_path.iterdir()) == []
