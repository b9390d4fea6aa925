import time

import numpy as np
import pytest

from trivium.data import intervals
from trivium.data.intervals import meeting


def brute_force(key, start, end, other_key, other_start, other_end, tolerance):
    found = []
    for i in range(len(key)):
        for j in sorted(range(len(other_key)), key=lambda j: (other_start[j], j)):
            overlap = min(end[i], other_end[j]) - max(start[i], other_start[j])
            if key[i] == other_key[j] and key[i] >= 0 and overlap >= -tolerance:
                found.append((i, j, overlap))
    return found


def some(rng, n, keys):
    """Intervals on a coarse grid, so that many touch; some endless."""
    start = rng.integers(0, 20, n).astype(float)
    end = start + rng.integers(1, 8, n)
    start[rng.random(n) < 0.1] = -np.inf
    end[rng.random(n) < 0.1] = np.inf
    return rng.integers(-1, keys, n), start, end


@pytest.mark.parametrize("seed", range(30))
def test_the_same_pairs_as_looking_at_all(seed, monkeypatch):
    monkeypatch.setattr(intervals, "PAIRS", 16)
    rng = np.random.default_rng(seed)
    one, other = some(rng, 30, 3), some(rng, 25, 4)
    tolerance = float(seed % 3)
    assert list(zip(*(part.tolist() for part in meeting(*one, *other, tolerance)), strict=True)) == brute_force(
        *one, *other, tolerance)


def test_nothing_meets_nothing():
    empty = np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0)
    one = np.array([0]), np.array([0.0]), np.array([1.0])
    for a, b in ((empty, one), (one, empty), (empty, empty)):
        assert [len(part) for part in meeting(*a, *b, 1.0)] == [0, 0, 0]


@pytest.mark.slow
def test_a_million_rows_take_seconds():
    rng = np.random.default_rng(0)
    n = 1_000_000
    key = rng.integers(0, 1000, n)
    start = rng.uniform(0, 10_000, n)
    began = time.process_time()
    i, _, overlap = meeting(key, start, start + 5, key[::-1].copy(), start[::-1].copy(), start[::-1] + 5, 0.1)
    assert time.process_time() - began < 30
    assert len(np.unique(i)) == n
    assert overlap.min() >= -0.1


@pytest.mark.parametrize("seed", range(10))
def test_without_times_all_pairs_with_one_key(seed):
    rng = np.random.default_rng(seed)
    key, other = rng.integers(-1, 6, 40), rng.integers(-1, 8, 30)
    pairs = [(i, j) for i in range(40) for j in range(30) if key[i] == other[j] and key[i] >= 0]
    assert list(zip(*(part.tolist() for part in intervals.same_key(key, other)), strict=True)) == pairs
