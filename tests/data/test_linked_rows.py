import numpy as np
import pyarrow as pa
import pytest

from trivium.data.linked_rows import codes, codes_in, components


def brute_force(rows, columns):
    label = list(range(rows))
    changed = True
    while changed:
        changed = False
        for column in columns:
            for a in range(rows):
                for b in range(rows):
                    if column[a] == column[b] >= 0 and label[a] != label[b]:
                        label[a] = label[b] = min(label[a], label[b])
                        changed = True
    order = list(dict.fromkeys(label))
    return [order.index(value) for value in label]


def test_codes():
    column = pa.chunked_array([["x", None, "y"], ["x", "z"]])
    assert codes(column).tolist() == [0, -1, 1, 0, 2]
    assert codes_in(column, pa.array(["z", "x"])).tolist() == [1, -1, -1, 1, 0]


def test_chains_count_and_null_shares_nothing():
    columns = [np.array([0, 0, 1, 1, -1, -1]), np.array([-1, 0, 0, -1, -1, 1])]
    assert components(6, columns).tolist() == [0, 0, 0, 0, 1, 2]
    assert components(3, []).tolist() == [0, 1, 2]
    assert components(0, [np.zeros(0, dtype=np.int64)]).tolist() == []


@pytest.mark.parametrize("seed", range(20))
def test_the_same_as_spreading_labels_until_nothing_changes(seed):
    rng = np.random.default_rng(seed)
    columns = [rng.integers(-1, 12, 20) for _ in range(2)]
    assert components(20, columns).tolist() == brute_force(20, columns)
