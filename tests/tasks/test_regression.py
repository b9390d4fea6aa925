"""Numbers as targets: scaled on train, answered by normal distributions in their own unit."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn.linear_model import Ridge

from trivium.tasks import of
from trivium.tasks.regression import Regression
from trivium.training.logistic import lbfgs

TRAIN = np.array([[10.0, 1.0], [20.0, 1.0], [30.0, 3.0], [40.0, 3.0]], np.float32)  # means 25 and 2
PRICE = Regression({"price": "EUR"}).fitted(TRAIN[:, :1])
BOTH = Regression({"price": "EUR", "rooms": ""}).fitted(TRAIN)
DEVIATION = math.sqrt(125)


def test_what_it_is_survives_json() -> None:
    assert of(BOTH.plain()).plain() == BOTH.plain()
    assert BOTH.mean == (25.0, 2.0) and BOTH.deviation == pytest.approx((DEVIATION, 1.0))
    assert Regression({"x": ""}).plain() == {
        "name": "regression", "targets": [["x", ""]], "loss": "mse", "interval": 0.9}


def test_targets_are_said_with_their_unit() -> None:
    assert PRICE.words([12.5]) == "12.5 EUR" and PRICE.words(1234.5678) == "1,234.6 EUR"
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


def test_targets_go_through_tables_and_back() -> None:
    cells = pa.chunked_array([['{"price": "1.5", "rooms": "2"}'], ['{"rooms": "4", "price": "3"}']])
    y = BOTH.encode(cells)
    assert y.dtype == np.float32 and y.tolist() == [[1.5, 2.0], [3.0, 4.0]]
    column = BOTH.column(y)
    assert column.type == pa.list_(pa.float32()) and column.to_pylist() == y.tolist()
    for kept in (column, pa.chunked_array([column[:1], column[1:]]), column.cast(pa.list_(pa.float32(), 2))):
        assert (BOTH.numbers(kept) == y).all()
    assert (BOTH.numbers(column[1:]) == y[1:]).all()
    assert PRICE.encode(pa.chunked_array([["3", " 4.5"]])).tolist() == [[3.0], [4.5]]


def test_rows_are_spread_by_tenths_of_the_first_target() -> None:
    y = np.random.default_rng(0).permutation(1000)[:, None]
    assert (PRICE.strata(y) == y[:, 0] // 100).all()
    assert PRICE.strata(np.arange(25)[:, None]).tolist() == [0] * 13 + [1] * 12  # ten rows or more in each
    assert PRICE.strata(np.repeat([[0.0], [5.0]], 50, 0)).tolist() == [0] * 50 + [5] * 50
    assert PRICE.strata(np.zeros((3, 1))).tolist() == [0, 0, 0]
    assert PRICE.categories == () and PRICE.tally(y).tolist() == []


def test_intervals_are_chosen_on_validation_and_measured_on_test() -> None:
    rng = np.random.default_rng(0)
    y = torch.from_numpy(25 + DEVIATION * rng.normal(size=(4000, 1)))
    outputs = (y - 25) / DEVIATION + torch.from_numpy(rng.standard_t(3, (4000, 1)))
    answers = PRICE.answer(outputs, PRICE.calibration(outputs[:2000], y[:2000]))
    for share in (0.5, 0.9):
        task = Regression({"price": "EUR"}, interval=share).fitted(TRAIN[:, :1]).decided(answers[:2000], y[:2000])
        assert of(json.loads(json.dumps(task.plain()))).plain() == task.plain()
        found = task.scores(task.outcome(task.stored(answers[2000:]), y[2000:].numpy()))
        assert found["coverage"] == pytest.approx(share, abs=0.03)
        assert found["width"] == pytest.approx(2 * task.half[0])
    assert "coverage" not in task.ranks and "width" not in task.ranks
    normal = PRICE.stored(PRICE.answer(torch.zeros(1, 1), torch.ones(1)))
    assert normal[0].tolist() == pytest.approx([25.0, 1.6448536 * DEVIATION, DEVIATION])


def test_what_is_stored_gives_the_same_scores_as_the_answers() -> None:
    rng = np.random.default_rng(1)
    outputs, y = torch.from_numpy(rng.normal(size=(50, 2))), torch.from_numpy(rng.normal(size=(50, 2)) * 10 + 20)
    answers = BOTH.answer(outputs, torch.tensor([0.5, 2.0]))
    stored = BOTH.stored(answers)
    assert (BOTH.prediction(stored) == BOTH.guess(answers).numpy().astype(np.float32)).all()
    result = BOTH.outcome(stored, y.numpy())
    assert result.correct is None
    assert BOTH.truth(stored, y.numpy()) == pytest.approx(BOTH.support(answers, y).exp().numpy())
    assert result.nll == pytest.approx(-BOTH.log_likelihood(answers, y).numpy())
    with pytest.raises(ValueError, match=r"stored as \[B, 6\]"):
        BOTH.outcome(stored[:, :5], y.numpy())


def test_the_constant_answer_is_the_mean_or_where_absolute_errors_count_the_median() -> None:
    train = np.array([[0.0], [0.0], [9.0]], np.float32)
    y = np.array([[0.0], [9.0], [0.0]])
    for loss, nothing in (("mse", 0.0), ("huber", 0.0), ("mae", -3 / math.sqrt(18))):
        task = Regression({"price": "EUR"}, loss).fitted(train)
        assert task.constant_words(train) == "3 EUR (the mean of train) or 0 EUR (its median)"
        found = task.scores(task.constant(train, y))
        assert found["mae"] == 3.0 and found["rmse"] == pytest.approx(math.sqrt(18)) and found["r2"] == 0.0
        said = {name: task.null_words(task.metrics[name], "", found[name]) for name in ("mae", "r2")}
        assert said == {"mae": "always answering the median of train (mean absolute error of 3.00 EUR)",
                        "r2": "always answering the mean of train (R² of 0.000)"}
        assert found["coverage"] == 1.0 and found["width"] == 12.0 and found["spearman"] == 0.0
        assert task.nothing(train).tolist() == pytest.approx([nothing])


def test_likelihoods_are_in_deviations_of_all_rows_where_these_are_known() -> None:
    task = Regression({"price": ""}, scale=[100.0]).fitted(TRAIN[:, :1])
    y = torch.tensor([[31.0]])
    assert task.nll(torch.zeros(1, 1), y) == pytest.approx(
        PRICE.nll(torch.zeros(1, 1), y) + math.log(DEVIATION / 100), abs=1e-6)


def test_the_link_is_ridge_regression() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 3))
    y = 20 + 5 * x[:, :1] - x[:, 1:2] + rng.normal(size=(100, 1))
    task = Regression({"price": ""}).fitted(y)
    link, strength = task.link(y), 0.1
    turned, penalty = np.column_stack([x, np.ones(100)]), np.array([strength] * 3 + [0.0])[:, None]

    def loss(z: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = link.loss(turned @ z)
        return value + float((penalty * z * z).sum()) / 2, turned.T @ slope + penalty * z

    z, _ = lbfgs(loss, np.vstack([np.zeros((3, 1)), link.start]), 1 / (np.ones((4, 1)) * link.curvature + penalty))
    known = Ridge(alpha=100 * strength).fit(x, (y[:, 0] - task.mean[0]) / task.deviation[0])
    assert z[:3, 0] == pytest.approx(known.coef_, abs=0.01) and z[3, 0] == pytest.approx(known.intercept_, abs=0.01)
    scores = turned @ z
    assert link.judged(scores, y) == pytest.approx(math.log(np.sqrt(((scores - link.goal) ** 2).mean()))
                                                   + 0.5 * math.log(2 * math.pi) + 0.5)


def test_a_probe_reads_numbers_off_features() -> None:
    x = torch.nn.functional.pad(torch.randn(200, 3, generator=torch.Generator().manual_seed(0)).double(), (0, 1),
                                value=1.0)
    y = 25 + DEVIATION * x[:, :1]
    assert PRICE.score(PRICE.probed(x, y, x), y) > 0.99


def test_table_has_the_quarters_of_train() -> None:
    y = np.array([[5.0], [26.0], [200.0]])
    found = PRICE.table(PRICE.outcome(np.column_stack([y, y, y]), y))
    assert {name: row["support"] for name, row in found.items()} == {
        "price": 3, "lowest quarter": 1, "third quarter": 1, "highest quarter": 1}
