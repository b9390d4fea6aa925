import time

import numpy as np
import pytest

from trivium.data import assignment
from trivium.data.assignment import assign

SHARES = np.array([0.5, 0.15, 0.35])


def table(y, sides):
    counts = np.zeros((3, int(y.max()) + 1))
    np.add.at(counts, (sides, y), 1)
    return counts


def test_single_rows_are_within_one_of_every_share():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        y = rng.choice(6, 200, p=[0.4, 0.3, 0.15, 0.1, 0.04, 0.01])
        counts = table(y, assign(y, np.arange(200), SHARES, rng))
        assert np.abs(counts - SHARES[:, None] * counts.sum(axis=0)).max() < 2
        assert np.abs(counts.sum(axis=1) - SHARES * 200).max() <= 1


def test_equal_groups_fill_the_shares_exactly():
    groups = np.repeat(np.arange(20), 150)
    y = np.tile(np.arange(10), 300)
    for seed in range(20):
        counts = table(y, assign(y, groups, SHARES, np.random.default_rng(seed)))
        assert counts.sum(axis=1).tolist() == [1500, 450, 1050]


def test_groups_stay_whole_and_shares_close_whatever_the_groups():
    for seed in range(100):
        rng = np.random.default_rng(seed)
        n = 600
        groups = rng.permutation(np.minimum(rng.zipf(1.5, n), 80)) if seed % 2 else rng.integers(0, 30, n)
        y = rng.integers(0, 4, n)
        sides = assign(y, groups, SHARES, rng, first=True)
        for group in np.unique(groups):
            assert len(np.unique(sides[groups == group])) == 1
        largest = np.bincount(groups).max() / n
        assert np.abs(np.bincount(sides, minlength=3) / n - SHARES).max() <= max(0.03, largest)


def test_few_unequal_groups_differ_between_seeds():
    groups = np.repeat(np.arange(8), [10, 20, 30, 40, 50, 60, 70, 80])
    y = np.arange(360) % 2
    drawn = {assign(y, groups, SHARES, np.random.default_rng(seed)).tobytes() for seed in range(20)}
    assert len(drawn) >= 5


def test_the_same_seed_gives_the_same_sides():
    y, groups = np.arange(500) % 3, np.arange(500) // 2
    one, two = (assign(y, groups, SHARES, np.random.default_rng(7)) for _ in range(2))
    assert (one == two).all()


def test_the_first_side_gets_every_class():
    y = np.array([0] * 50 + [1])
    for seed in range(30):
        assert assign(y, np.arange(51), SHARES, np.random.default_rng(seed), first=True)[50] == 0


def test_a_giant_group_goes_to_the_largest_side():
    y = np.arange(100) % 2
    groups = np.where(np.arange(100) < 60, 0, np.arange(100))
    sides = assign(y, groups, SHARES, np.random.default_rng(0))
    assert set(sides[:60]) == {0}
    assert set(sides[60:]) >= {1, 2}


@pytest.mark.slow
@pytest.mark.parametrize("groups", ["alone", "large"])
def test_a_million_rows_of_a_thousand_classes(groups):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 1000, 1_000_000)
    group = np.arange(1_000_000) // (1 if groups == "alone" else 50)
    began = time.process_time()
    counts = table(y, assign(y, group, SHARES, rng, first=True))
    assert time.process_time() - began < 20
    assert np.abs(counts / counts.sum(axis=0) - SHARES[:, None]).max() < 0.02


def test_single_rows_fill_what_groups_leave_open():
    """Six rows are one group and fill one side; the six that are alone make the other."""
    groups = np.array([0] * 6 + list(range(1, 7)))
    for seed in range(10):
        sides = assign(np.zeros(12, int), groups, np.array([0.5, 0.5]), np.random.default_rng(seed))
        assert np.bincount(sides).tolist() == [6, 6]


def test_equal_groups_go_by_the_method_of_sainte_lague():
    """0.8, 0.8 / 3 and 0.2 are the largest quotients; d'Hondt's are 0.8, 0.8 / 2 and 0.8 / 3, none for the other."""
    sides = assign(np.zeros(30, int), np.repeat(np.arange(3), 10), np.array([0.8, 0.2]), np.random.default_rng(0))
    assert np.bincount(sides).tolist() == [20, 10]


def test_neighbours_are_not_kept_apart():
    y = np.zeros(10, int)
    drawn = [assign(y, np.arange(10), np.array([0.5, 0.5]), np.random.default_rng(seed)) for seed in range(90)]
    assert 25 <= sum(sides[0] == sides[1] for sides in drawn) <= 55  # 4 of 9 by chance


def test_the_best_of_several_attempts_is_taken(monkeypatch):
    groups = np.repeat(np.arange(9), [30, 22, 18, 15, 11, 8, 6, 4, 3])
    y = np.random.default_rng(0).integers(0, 3, len(groups))
    off = []
    for attempts in (1, 16):
        monkeypatch.setattr(assignment, "ATTEMPTS", attempts)
        tables = [table(y, assign(y, groups, SHARES, np.random.default_rng(seed))) for seed in range(30)]
        off.append(np.mean([np.abs(each / each.sum(axis=0) - SHARES[:, None]).mean() for each in tables]))
    assert off[1] < 0.8 * off[0]
