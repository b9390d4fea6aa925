"""Labels with an order: the median is predicted, and steps count."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn import metrics as sk

from trivium.tasks import of
from trivium.tasks.ordinal import Ordinal

TASK = Ordinal(("low", "mid", "high"))
RNG = np.random.default_rng(0)
Y = RNG.integers(3, size=200)
P = RNG.dirichlet([0.6, 0.6, 0.6], size=200) * 0.6 + 0.4 * np.eye(3)[Y]


@pytest.mark.parametrize("weight", [None, RNG.exponential(size=200)], ids=["plain", "weighted"])
def test_agrees_with_scikit_learn(weight: np.ndarray | None) -> None:
    result = TASK.outcome(P, Y)
    found, guess = TASK.scores(result, weight=weight), (P.cumsum(1) >= 0.5).argmax(1)
    assert (result.prediction == guess).all() and (guess != P.argmax(1)).any()
    assert found["kappa"] == pytest.approx(sk.cohen_kappa_score(Y, guess, weights="quadratic", sample_weight=weight))
    assert found["mae"] == pytest.approx(sk.mean_absolute_error(Y, guess, sample_weight=weight))
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(Y, guess, sample_weight=weight))
    assert found["macro_f1"] == pytest.approx(sk.f1_score(Y, guess, average="macro", sample_weight=weight))
    assert tuple(found) == tuple(TASK.metrics) and set(TASK.ranks) < set(found)


def test_the_median_is_predicted_everywhere() -> None:
    answers, y = torch.tensor([[0.4, 0.25, 0.35], [0.5, 0.2, 0.3], [0.3, 0.1, 0.6]]).log(), torch.tensor([1, 0, 0])
    assert TASK.guess(answers).tolist() == [1, 0, 2]
    assert TASK.right(answers, y).tolist() == [1.0, 1.0, 0.0]
    stored = TASK.stored(answers)
    assert TASK.prediction(stored).tolist() == [1, 0, 2]
    result = TASK.outcome(stored, y.numpy())
    assert result.correct.mean() == TASK.score(answers, y)
    assert result.confidence == pytest.approx([0.25, 0.5, 0.6])
    assert TASK.prediction(np.array([[0.5, 0.25, 0.25]])).tolist() == [0]  # the lower of two medians
    assert TASK.prediction(np.array([[0.2, 0.2, 0.0999]])).tolist() == [2]  # rounding leaves no label beyond


def test_the_constant_answer_is_the_median_and_agrees_by_chance() -> None:
    train, y = np.array([0, 0, 0, 1, 2, 2, 2]), np.array([0, 1, 2])
    assert TASK.constant_words(train) == "mid"
    found = TASK.scores(TASK.constant(train, y))
    assert TASK.null_words(TASK.metrics["mae"], "mid", 2 / 3) == (
        "always answering “mid” (mean absolute error of 0.667 steps)")
    assert found["kappa"] == pytest.approx(0.0) and found["mae"] == pytest.approx(2 / 3)


def test_kappa_where_nothing_varies_is_no_agreement() -> None:
    assert TASK.scores(TASK.outcome(np.array([[1.0, 0.0, 0.0]]), np.array([0])), ("kappa",)) == {"kappa": 0.0}


def test_words_and_ways_of_metrics() -> None:
    assert TASK.metrics["mae"].value(0.412) == "0.412 steps" and TASK.metrics["mae"].highest == 2.0
    assert not TASK.metrics["mae"].higher and TASK.metrics["kappa"].lowest == -1.0
    assert TASK.table(TASK.outcome(np.eye(3)[[0, 2, 2]], np.array([0, 0, 2])))["low"]["mae"] == 1.0


def test_labels_go_through_tables_and_back() -> None:
    assert of(json.loads(json.dumps(TASK.plain()))).plain() == TASK.plain()
    y = TASK.encode(pa.chunked_array([["high", " low"], ["mid"]]))
    assert y.tolist() == [2, 0, 1] and TASK.column(y).type == pa.int32()
    assert TASK.numbers(TASK.column(y)).tolist() == [2, 0, 1]
    assert Ordinal(("1", "2")).encode(pa.chunked_array([["2.0", "1"]])).tolist() == [1, 0]
    assert TASK.rare(pa.array(["low", "low", "mid", "mid", "high"]), 2) == {
        4: "its class `high` has 1 usable rows; validate.min_class_count in params.yaml is 2"}
