import numpy as np
import pytest

from trivium.comparison.pairs import Rules
from trivium.comparison.transfers import level
from trivium.tasks.base import Outcome
from trivium.tasks.classification import Classification


def test_what_labels_are_worth_and_by_how_much_the_model_is_ahead() -> None:
    task = Classification(["a", "b"])
    y = np.arange(40) % 2

    def right(share: float) -> Outcome:
        answers = np.where(np.arange(40) < 40 * share, y, 1 - y)
        return task.outcome(np.eye(2)[answers].astype(np.float32) * 0.8 + 0.1, y)

    rules = Rules(200, 0.95, 0.75, None, 15, task.metrics["accuracy"])
    found = level(task, 10, 20.0, {"continued": [right(0.9)] * 2, "scratch": [right(0.5)] * 2}, [np.arange(40)] * 2,
                  None, rules)
    assert (found.labels, found.rows) == (10, 20.0)
    assert {way: one.mean for way, one in found.ways.items()} == {"continued": pytest.approx(0.9),
                                                                  "scratch": pytest.approx(0.5)}
    assert list(found.ahead) == ["scratch"] and found.ahead["scratch"].mean == pytest.approx(0.4)
    assert found.ahead["scratch"].low > 0.2 and found.ways["continued"].high < 1.0
