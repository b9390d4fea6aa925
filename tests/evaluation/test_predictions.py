"""Predictions that are written and read in pieces."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import networks
from trivium.evaluation import predictions

TASK = networks.task(3)


def pieces(seed: int, samples: int, size: int = 3) -> list[pa.Table]:
    """Sample k is of class 2 and was given 0.6 for it."""
    rows = [range(start, min(start + size, samples)) for start in range(0, samples, size)]
    p = np.array([0.2, 0.2, 0.6])
    return [predictions.table(TASK, seed, [f"s{seed}{k}" for k in own], np.full(len(own), 2),
                              np.tile(p, (len(own), 1))) for own in rows]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "ROWS", 4)


def write(path: Path, tables: list[pa.Table]) -> Path:
    with predictions.writer(path, TASK) as add:
        for table in tables:
            add(table)
    return path


def test_the_file_holds_every_row_in_order_in_small_row_groups(tmp_path: Path, small: None) -> None:
    path = write(tmp_path / "x.parquet", pieces(0, 10))  # pieces of 3, 3, 3 and 1
    table = pq.read_table(path)
    assert table.to_pydict() == {
        "seed": [0] * 10, "sample": [f"s0{k}" for k in range(10)], "y": [2] * 10, "prediction": [2] * 10,
        "answer": [[pytest.approx(0.2), pytest.approx(0.2), pytest.approx(0.6)]] * 10}
    assert table.schema == predictions.schema(TASK)
    file = pq.ParquetFile(path)
    assert [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)] == [6, 4]


def test_few_predictions_are_one_row_group_whatever_the_pieces(tmp_path: Path) -> None:
    several = write(tmp_path / "several.parquet", pieces(0, 10))
    pq.write_table(pa.concat_tables(pieces(0, 10)), tmp_path / "whole.parquet", compression="zstd")
    assert several.read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_a_piece_is_of_one_seed_and_not_too_large(tmp_path: Path, small: None) -> None:
    """Row groups of 6 rows of seed 0, of 1 of seed 0 and 3 of seed 1, and of 4 of seed 1."""
    path = write(tmp_path / "x.parquet", pieces(0, 7) + pieces(1, 7))
    file = pq.ParquetFile(path)
    assert [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)] == [6, 4, 4]
    found = [(seed, piece["sample"].to_pylist()) for seed, piece in predictions.read(path)]
    assert found == [(0, ["s00", "s01", "s02", "s03"]), (0, ["s04", "s05"]), (0, ["s06"]), (1, ["s10", "s11", "s12"]),
                     (1, ["s13", "s14", "s15", "s16"])]
    for seed in (0, 1):
        own = [(each, piece["sample"].to_pylist()) for each, piece in predictions.read(path, seed)]
        assert own == [piece for piece in found if piece[0] == seed]
    assert list(predictions.read(path, 2)) == []


def test_answers_of_a_piece_are_its_own(tmp_path: Path) -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(3), 5)
    tables = [predictions.table(TASK, seed, list("abcde"), np.zeros(5), p + seed) for seed in (0, 1)]
    (_, first), (_, second) = predictions.read(write(tmp_path / "x.parquet", tables))
    assert (predictions.answers(first) == p.astype(np.float32)).all()
    assert (predictions.answers(second) == (p + 1).astype(np.float32)).all()


def test_files_of_seeds_become_one(tmp_path: Path, small: None) -> None:
    parts = [write(tmp_path / f"{seed}.parquet", pieces(seed, 7)) for seed in (0, 1)]
    predictions.join(parts, tmp_path / "x.parquet")
    table = pq.read_table(tmp_path / "x.parquet")
    assert table.equals(pa.concat_tables(pieces(0, 7) + pieces(1, 7)))
    assert not any(part.exists() for part in parts)
