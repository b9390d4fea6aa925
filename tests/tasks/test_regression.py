"""Numbers as targets: scaled on train, answered by normal distributions in their own unit."""

import math

import numpy as np
import pytest
import torch

from trivium.tasks import of
from trivium.tasks.regression import Regression

TRAIN = np.array([[10.0, 1.0], [20.0, 1.0], [30.0, 3.0], [40.0, 3.0]], np.float32)  # means 25 and 2
PRICE = Regression({"price": "EUR"}).fitted(TRAIN[:, :1])
BOTH = Regression({"price": "EUR", "rooms": ""}).fitted(TRAIN)
DEVIATION = math.sqrt(125)


def test_what_it_is_survives_json() -> None:
    assert of(BOTH.plain()).plain() == BOTH.plain()
    assert BOTH.mean == (25.0, 2.0) and BOTH.deviation == pytest.approx((DEVIATION, 1.0))
    assert Regression({"x": ""}).plain() == {
        "name": "regression", "targets": {"x": ""}, "loss": "mse", "interval": 0.9}


def test_targets_are_said_with_their_unit() -> None:
    assert PRICE.words([12.5]) == "12.5 EUR" and PRICE.words(1234.5678) == "1235 EUR"
    assert BOTH.words([10, 3]) == "price 10 EUR, rooms 3"


def test_the_head_learns_scaled_targets() -> None:
    y = torch.tensor([[25.0 + DEVIATION, 2.0]])
    assert BOTH.losses(torch.tensor([[0.0, 0.0]]), y).tolist() == pytest.approx([0.25])  # (1 / 2 + 0) / 2
    absolute = Regression({"price": ""}, "mae").fitted(TRAIN[:, :1])
    assert absolute.losses(torch.tensor([[3.0]]), torch.tensor([[25.0]])).tolist() == pytest.approx([3.0])
    huber = Regression({"price": ""}, "huber").fitted(TRAIN[:, :1])
    assert huber.losses(torch.tensor([[3.0]]), torch.tensor([[25.0]])).tolist() == pytest.approx([2.5])


def test_an_answer_is_in_the_unit_of_the_target_with_the_deviation_of_the_residuals() -> None:
    outputs = torch.tensor([[0.0], [1.0]])
    y = torch.tensor([[25.0 + 0.5 * DEVIATION], [25.0 + 0.5 * DEVIATION]])  # half a deviation off, both
    calibration = PRICE.calibration(outputs, y)
    assert calibration.tolist() == pytest.approx([0.5])
    answers = PRICE.answer(outputs, calibration)
    assert answers[:, 0].tolist() == pytest.approx([25.0, 25.0 + DEVIATION])
    assert answers[:, 1].exp().tolist() == pytest.approx([DEVIATION / 2] * 2)
    expected = 0.5 * math.log(2 * math.pi) + math.log(0.5) + 0.5
    assert PRICE.calibrated_nll(outputs, y) == pytest.approx(expected, abs=1e-6)
    assert PRICE.nll(outputs, y) == pytest.approx(0.5 * math.log(2 * math.pi) + 0.125, abs=1e-6)


def test_the_score_is_the_share_of_the_variance_that_is_explained() -> None:
    y = torch.from_numpy(TRAIN[:, :1])
    always = PRICE.answer(torch.zeros(4, 1), torch.ones(1))
    assert PRICE.score(always, y) == pytest.approx(0.0, abs=1e-6)
    exact = PRICE.answer(((y - 25) / DEVIATION), torch.ones(1))
    assert PRICE.score(exact, y) == pytest.approx(1.0)


def test_pooled_answers_add_what_each_knows_to_what_train_knows() -> None:
    """Two models that are twice as sure as train: precisions 4 and 4 over train's 1, so 1 + 3 + 3 = 7."""
    sure = PRICE.answer(torch.tensor([[1.0]]), torch.tensor([0.5]))
    unsure = PRICE.answer(torch.tensor([[5.0]]), torch.tensor([1.0]))  # knows no more than train
    answers = torch.stack([sure, sure, unsure])
    both = PRICE.pooled(answers, torch.tensor([[True], [True], [True]]))
    assert both[0, 0].item() == pytest.approx(25 + DEVIATION * 6 / 7, abs=1e-4)
    assert both[0, 1].exp().item() == pytest.approx(DEVIATION / math.sqrt(7), abs=1e-4)
    one = PRICE.pooled(answers, torch.tensor([[True], [False], [False]]))
    assert one[0, 1].exp().item() == pytest.approx(DEVIATION / 2, abs=1e-4)
    none = PRICE.pooled(answers, torch.tensor([[False], [False], [False]]))
    assert none[0].tolist() == pytest.approx([25.0, math.log(DEVIATION)], abs=1e-4)


def test_quarters_are_those_of_train() -> None:
    parts = PRICE.parts(torch.tensor([[5.0], [26.0], [100.0], [200.0]]))
    assert {name: part.tolist() for name, part in parts.items()} == {
        "lowest quarter": [True, False, False, False], "third quarter": [False, True, False, False],
        "highest quarter": [False, False, True, True]}


def test_a_unit_changes_no_likelihood() -> None:
    cents = Regression({"price": "ct"}).fitted(100 * TRAIN[:, :1])
    outputs, y = torch.tensor([[0.3]]), torch.tensor([[31.0]])
    assert cents.nll(outputs, 100 * y) == pytest.approx(PRICE.nll(outputs, y), abs=1e-6)
