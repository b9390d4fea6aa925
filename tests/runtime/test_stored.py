"""What tasks make of answers without torch is what they make of them with it."""

import numpy as np
import pytest
import torch

from trivium import tasks
from trivium.runtime.stored import stored
from trivium.tasks.classification import Classification
from trivium.tasks.multilabel import MultiLabel
from trivium.tasks.ordinal import Ordinal
from trivium.tasks.regression import Regression

TASKS = {
    "classification": (Classification(["a", "b", "c"]), 3),
    "ordinal": (Ordinal(["low", "mid", "high"]), 3),
    "multilabel": (MultiLabel(["big", "red"]), 2),
    "regression": (Regression({"rent": "EUR", "area": "m²"}, scale=[70.0, 7.0]), 4),
}


def test_every_task_is_tried() -> None:
    assert set(TASKS) == set(tasks.names())


@pytest.mark.parametrize("name", list(TASKS))
def test_the_same_numbers_as_with_tensors(name: str) -> None:
    task, width = TASKS[name]
    answers = np.random.default_rng(0).normal(0, 5, (50, width)).astype(np.float32)
    found = stored(task, answers)
    assert found.dtype == np.float64 and found.shape == (50, task.width)
    np.testing.assert_allclose(found, task.stored(torch.from_numpy(answers)), rtol=1e-13)


def test_what_is_sure_stays_finite() -> None:
    task = Classification(["a", "b"])
    np.testing.assert_array_equal(stored(task, np.array([[-1e4, 0.0], [0.0, -1e4]], np.float32)), [[0, 1], [1, 0]])
    tags = MultiLabel(["a", "b"])
    np.testing.assert_array_equal(stored(tags, np.array([[-1e4, 1e4]], np.float32)), [[0, 1]])
