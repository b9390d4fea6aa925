"""What `trivium predict` gives of each task: columns of a table, and lines of a terminal."""

import numpy as np
import pyarrow as pa
import pytest

from trivium import tasks
from trivium.settings.errors import UserError
from trivium.tasks.classification import Classification
from trivium.tasks.multilabel import MultiLabel
from trivium.tasks.ordinal import Ordinal
from trivium.tasks.regression import Regression, Settings


def test_classes() -> None:
    task, stored = Classification(["ash", "elm"]), np.array([[0.25, 0.75], [1.0, 0.0]])
    assert task.answered(stored) == {
        "label": ["elm", "ash"], "probability_ash": [0.25, 1.0], "probability_elm": [0.75, 0.0]}
    assert task.answered(stored[:0]) == {"label": [], "probability_ash": [], "probability_elm": []}
    assert task.lines(stored[0]) == ["elm  0.750", "ash  0.250"]
    assert task.gives == "a label and a probability per class"


def test_of_many_classes_the_terminal_has_five() -> None:
    stored = np.array([0.0, 0.1, 0.2, 0.3, 0.15, 0.05, 0.2])
    assert Classification("abcdefg").lines(stored) == ["d  0.300", "c  0.200", "g  0.200", "e  0.150", "b  0.100"]


def test_grades_are_answered_by_their_median_which_stands_first() -> None:
    task, stored = Ordinal(["low", "mid", "high"]), np.array([[0.4, 0.25, 0.35]])
    assert task.answered(stored)["label"] == ["mid"]
    assert task.lines(stored[0]) == ["mid  0.250", "low  0.400", "high  0.350"]


def test_tags_are_those_that_reach_their_threshold() -> None:
    task = MultiLabel(["big", "red", "soft"], separator="|", thresholds=[0.5, 0.2, 0.9])
    stored = np.array([[0.6, 0.3, 0.8], [0.1, 0.1, 0.1]])
    assert task.answered(stored) == {"labels": ["big|red", ""], "probability_big": [0.6, 0.1],
                                     "probability_red": [0.3, 0.1], "probability_soft": [0.8, 0.1]}
    assert task.lines(stored[0]) == ["big, red", "soft  0.800", "big  0.600", "red  0.300"]
    assert task.lines(stored[1])[0] == "no tag"


def test_numbers_come_with_their_interval_and_unit() -> None:
    task = Regression({"rent": "EUR", "rooms": ""}, interval=0.8, scale=[250.0, 0.8])
    stored = np.array([[912.345, 2.5, 100.0, 0.5, 70.0, 0.4]])  # predictions, half widths, deviations
    assert task.answered(stored) == {"rent": [912.345], "rent_low": [812.345], "rent_high": [1012.345],
                                     "rooms": [2.5], "rooms_low": [2.0], "rooms_high": [3.0]}
    assert task.lines(stored[0]) == ["rent  912 EUR  (80 % interval 812 to 1,012)",
                                     "rooms  2.5  (80 % interval 2 to 3)"]
    assert task.gives == ("rent in EUR, rooms, and the ends (_low, _high) of their intervals, which shall hold 80 % of "
                          "new values")


@pytest.mark.parametrize("task", [
    Classification(["a", "b"]), Ordinal(["a", "b", "c"]), MultiLabel(["a", "b"]), Regression({"x": "m", "y": ""})])
def test_the_width_is_that_of_stored_answers(task: tasks.Task) -> None:
    import torch

    stored = task.stored(task.answer(torch.zeros(3, task.outputs), task.uncalibrated()))
    assert stored.shape == (3, task.width)
    assert {len(values) for values in task.answered(stored).values()} == {3}


@pytest.mark.parametrize(("names", "taken"), [
    (["price", "price_low"], "price_low"), (["error"], "error"), (["warning", "x"], "warning")])
def test_a_target_is_not_called_like_another_column_of_predictions(names: list[str], taken: str) -> None:
    cells = [[float(k + j) for j in range(len(names))] for k in range(4)]
    with pytest.raises(UserError, match=f"a target cannot be called `{taken}`"):
        Regression.over(pa.array(cells), names, Settings(), 1)
