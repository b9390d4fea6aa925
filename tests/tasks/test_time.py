"""How long the intervals of a comparison take."""

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from trivium.comparison.bootstrap import replicates
from trivium.tasks.multilabel import MultiLabel
from trivium.tasks.regression import Regression

STRATEGIES, SEEDS, ROWS, TAGS, RESAMPLES = 4, 5, 10_000, 50, 2_000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["macro_f1", "r2"])
def test_intervals_take_less_than_a_second_per_strategy(name: str) -> None:
    rng = np.random.default_rng(0)
    if name == "r2":
        task, y = Regression({"price": "EUR"}), rng.normal(size=(ROWS, 1))
        stored = [np.concatenate([y + rng.normal(size=y.shape), np.ones((ROWS, 2))], 1) for _ in range(SEEDS)]
    else:
        task, y = MultiLabel([f"tag {k}" for k in range(TAGS)]), rng.random((ROWS, TAGS)) < np.linspace(0.01, 0.1, TAGS)
        stored = [np.clip(0.7 * y + 0.4 * rng.random(y.shape), 0, 1) for _ in range(SEEDS)]
    outcomes = [task.outcome(one, y) for one in stored]
    with threadpool_limits(1):  # of one core, whoever else is at work
        begun = time.process_time()
        found = replicates([outcomes] * STRATEGIES, [np.arange(ROWS)] * SEEDS, RESAMPLES, task.weighted, (name,))
        taken = time.process_time() - begun
    assert found[name].shape == (RESAMPLES, STRATEGIES, SEEDS) and taken < STRATEGIES
