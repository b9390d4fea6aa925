import numpy as np
import pytest

from trivium.data import ragged
from trivium.data.ragged import RaggedColumn, RaggedWriter

ROWS = [(np.array([2, 7, 9], np.int32), np.array([1, 3, 1], np.int32)), (np.zeros(0, np.int32),) * 2,
        (np.array([1], np.int32), np.array([5], np.int32))]


def write(path, rows, at_a_time):
    with RaggedWriter(path) as file:
        for k in range(0, len(rows), at_a_time):
            file.add(rows[k: k + at_a_time])
    return path


def test_rows_come_back_padded_to_the_longest(tmp_path):
    column = RaggedColumn(write(tmp_path / "a.arrow", ROWS, 3))
    assert column.rows == 3
    found = column.gather(np.array([2, 0, 1]))
    assert found.dtype == np.int32
    assert found.tolist() == [[[1, 5], [0, 0], [0, 0]], [[2, 1], [7, 3], [9, 1]], [[0, 0]] * 3]
    assert column.gather(np.array([1])).tolist() == [[[0, 0]]]
    assert column.gather(np.array([], int)).shape == (0, 1, 2)


def test_id_i_is_column_i_minus_1(tmp_path):
    matrix = RaggedColumn(write(tmp_path / "a.arrow", ROWS, 3)).csr(np.array([0, 1, 2, 0]), 9)
    assert matrix.dtype == np.float32 and matrix.nnz == 7
    assert matrix.toarray().tolist() == [[0, 1, 0, 0, 0, 0, 3, 0, 1], [0] * 9, [5, *[0] * 8],
                                         [0, 1, 0, 0, 0, 0, 3, 0, 1]]


@pytest.mark.parametrize("at_a_time", [1, 7, 100])
def test_same_rows_same_bytes_over_several_batches(tmp_path, monkeypatch, at_a_time):
    monkeypatch.setattr(ragged, "BATCH_ROWS", 10)
    rng = np.random.default_rng(0)
    rows = [(np.sort(rng.choice(50, n, replace=False) + 1), rng.integers(1, 9, n)) for n in rng.integers(0, 20, 35)]
    whole = write(tmp_path / "whole.arrow", rows, 35)
    parts = write(tmp_path / "parts.arrow", rows, at_a_time)
    assert parts.read_bytes() == whole.read_bytes()
    column = RaggedColumn(parts)
    order = rng.permutation(35)
    for pairs, k in zip(column.gather(order), order, strict=True):
        ids, counts = rows[k]
        assert pairs[: len(ids)].tolist() == np.stack([ids, counts], 1).tolist() and not pairs[len(ids):].any()


def test_no_rows_at_all(tmp_path):
    column = RaggedColumn(write(tmp_path / "a.arrow", [], 1))
    assert column.rows == 0 and column.csr(np.array([], int), 5).shape == (0, 5)
