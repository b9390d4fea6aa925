"""Ways to update a model, judged on answers that are made up."""

import numpy as np
import pytest

from trivium.comparison.pairs import Rules
from trivium.comparison.updates import LEAVE, Answered, judge
from trivium.tasks.classification import Classification

TASK, SEEDS, ROWS = Classification(["a", "b"]), 4, 60
TITLES = {LEAVE: "As it is", "one": "One way", "other": "Another way"}


def outcome(right):
    """`right` of the rows have the class that they are given; all are sure."""
    y = np.arange(ROWS) % 2
    said = np.where(np.arange(ROWS) < right, y, 1 - y)
    return TASK.outcome(np.where(np.eye(2)[said] > 0, 0.9, 0.1), y)


def answered(**right):
    """right: per way, of the rows at each seed."""
    rows = [np.arange(ROWS)] * SEEDS
    return Answered({way: [outcome(count + k % 2) for k in range(SEEDS)] for way, count in right.items()}, rows, rows)


def judged(old, new):
    flops = {LEAVE: 0.0, "one": 10.0, "other": 10.0}
    return judge(TASK, answered(**old), answered(**new), TITLES, {way: flops[way] for way in old}, 40.0,
                 Rules(resamples=200))


def test_the_mean_of_both_ranks_and_forgetting_is_the_drop_on_old_rows():
    found = judged({LEAVE: 48, "one": 47, "other": 50}, {LEAVE: 30, "one": 54, "other": 30})
    one, stay = found.ways["one"], found.ways[LEAVE]
    assert stay.old.mean == pytest.approx(48.5 / 60) and stay.new.mean == pytest.approx(30.5 / 60)
    assert one.both.mean == pytest.approx((47.5 + 54.5) / 120)
    assert one.forgetting.mean == pytest.approx(1 / 60)
    assert found.ways["other"].forgetting.mean == pytest.approx(-2 / 60)
    assert stay.forgetting.model_dump(exclude_none=True) == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert (one.saved, stay.saved) == (0.75, 1.0)
    assert found.choice.recommended == "one" == found.choice.winner
    assert found.sentence.startswith("Update the model: one way. It reaches 85.0 % accuracy on old and new rows")
    assert found.reason == ("On old rows it is 1.7 points worse than before, for 25% of the training compute from "
                            "scratch. It is surely better than every other way.")


def test_without_a_way_that_is_surely_better_the_model_stays():
    found = judged({LEAVE: 48, "one": 48}, {LEAVE: 30, "one": 31})
    assert (found.choice.recommended, found.sentence) == (LEAVE, "Leave the model as it is.")


def test_a_way_that_gives_up_the_old_rows_is_not_taken_though_its_mean_is_the_highest():
    found = judged({LEAVE: 40, "one": 20, "other": 40}, {LEAVE: 0, "one": 58, "other": 30})
    assert found.ways["one"].both.mean > found.ways["other"].both.mean
    assert found.choice.recommended == "other" and found.choice.winner is None


def test_groups_are_resampled_whole_where_there_are_enough_of_them():
    rows = [np.arange(6), np.arange(3, 9)]
    three = Answered({}, [np.array([7, 7, 8, 8, 9, 9])] * 2, rows).units
    assert [one.tolist() for one in three] == [[0, 0, 1, 1, 2, 2]] * 2
    few = Answered({}, [np.array([7, 7, 7, 8, 8, 8])] * 2, rows).units
    assert [one.tolist() for one in few] == [[0, 1, 2, 3, 4, 5], [3, 4, 5, 6, 7, 8]]
