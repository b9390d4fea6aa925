import time

import numpy as np
import pytest

from trivium.comparison import bootstrap
from trivium.comparison.bootstrap import points, replicates
from trivium.tasks.scores import METRICS, outcome, weighted

ACCURACY = ("accuracy",)


def random_outcome(rng, samples, accuracy=0.8, classes=3):
    y = rng.integers(classes, size=samples)
    guess = np.where(rng.random(samples) < accuracy, y, (y + 1) % classes)
    return outcome(np.eye(classes)[guess] * 0.7 + 0.1, y)


def test_replicates_scatter_as_the_samples_do():
    rng = np.random.default_rng(0)
    results = [random_outcome(rng, 400)]
    found = replicates([results], [np.arange(400)], 4000, weighted, ACCURACY)["accuracy"][:, 0, 0]
    accuracy = points([results], weighted, ACCURACY)["accuracy"][0, 0]
    assert found.mean() == pytest.approx(accuracy, abs=0.002)
    assert found.std() == pytest.approx(np.sqrt(accuracy * (1 - accuracy) / 400), rel=0.05)


def test_seeds_move_together_by_as_much_as_they_share_samples():
    rng = np.random.default_rng(1)
    result = random_outcome(rng, 300)
    for rows, expected in (([range(300)] * 2, 1.0), ([range(300), range(300, 600)], 0.0)):
        units = [np.array(own) for own in rows]
        found = replicates([[result, result]], units, 3000, weighted, ACCURACY)["accuracy"][:, 0]
        assert np.corrcoef(found.T)[0, 1] == pytest.approx(expected, abs=0.06)


def test_groups_scatter_as_groups_do():
    """Ten groups of 40 samples, all right or all wrong: as sure as ten samples, not as 400."""
    right = np.repeat([1, 1, 1, 0, 1, 1, 0, 1, 1, 0], 40)
    result = outcome(np.eye(2)[1 - right] * 0.8 + 0.1, np.zeros(400, int))
    for units, deviation in ((np.arange(400), np.sqrt(0.21 / 400)), (np.arange(400) // 40, np.sqrt(0.21 / 9))):
        found = replicates([[result]], [units], 20_000, weighted, ACCURACY)["accuracy"][:, 0, 0]
        assert found.mean() == pytest.approx(0.7, abs=0.005)
        assert found.std() == pytest.approx(deviation, rel=0.03)


def test_strategies_are_paired():
    rng = np.random.default_rng(2)
    result = random_outcome(rng, 200)
    found = replicates([[result], [result]], [np.arange(200)], 50, weighted, METRICS)
    assert all((value[:, 0] == value[:, 1]).all() for value in found.values())


def test_same_seed_same_replicates():
    result = random_outcome(np.random.default_rng(3), 100)
    first, again, other = (
        replicates([[result]], [np.arange(100)], 20, weighted, ACCURACY, seed=s)["accuracy"] for s in (0, 0, 1))
    assert (first == again).all() and (first != other).all()


def test_no_weights_come_twice_when_they_are_drawn_in_parts(monkeypatch):
    monkeypatch.setattr(bootstrap, "_CELLS", 300)  # three resamples at a time
    result = random_outcome(np.random.default_rng(5), 100)
    found = replicates([[result]], [np.arange(100)], 20, weighted, ACCURACY)["accuracy"]
    assert len(np.unique(found)) == 20


def test_no_replicate_loses_a_rare_class():
    y = np.array([0] * 200 + [1])
    found = replicates([[outcome(np.eye(2)[y], y)]], [np.arange(201)], 500, weighted, ("balanced_accuracy",))
    assert (found["balanced_accuracy"] == pytest.approx(1.0))


def test_is_fast_enough():
    """2,000 resamples x 6 strategies x 5 seeds x 1,050 samples in less than 3 s of this thread's processor time."""
    rng = np.random.default_rng(4)
    rows = [np.sort(rng.permutation(3000)[:1050]) for _ in range(5)]
    strategies = [[random_outcome(rng, 1050) for _ in rows] for _ in range(6)]
    started = time.thread_time()
    replicates(strategies, rows, 2000, weighted, ACCURACY)
    assert time.thread_time() - started < 3
