"""Metrics of numbers, against scikit-learn and SciPy, and the coverage of conformal intervals."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from trivium.tasks import numbers
from trivium.tasks.regression import Regression

RNG = np.random.default_rng(0)
Y = RNG.normal(size=(300, 2)) * [3.0, 20.0] + [100.0, -5.0]
GUESS = Y + RNG.normal(size=(300, 2)) * [2.0, 30.0]
TASK = Regression({"price": "EUR", "area": ""}).fitted(Y)
ONE = Regression({"price": "EUR"}).fitted(Y[:, :1])


def outcome(task: Regression, guess: np.ndarray, y: np.ndarray, half: float = 1.0, deviation: float = 2.0):
    return task.outcome(np.concatenate([guess, np.full_like(guess, half), np.full_like(guess, deviation)], 1), y)


@pytest.mark.parametrize("weight", [None, RNG.exponential(size=300)], ids=["plain", "weighted"])
def test_agrees_with_scikit_learn(weight: np.ndarray | None) -> None:
    found = ONE.scores(outcome(ONE, GUESS[:, :1], Y[:, :1]), weight=weight)
    parts = Y[:, 0], GUESS[:, 0]
    assert found["r2"] == pytest.approx(sk.r2_score(*parts, sample_weight=weight))
    assert found["mae"] == pytest.approx(sk.mean_absolute_error(*parts, sample_weight=weight))
    assert found["rmse"] == pytest.approx(sk.root_mean_squared_error(*parts, sample_weight=weight))
    each = stats.norm.logpdf(Y[:, 0], GUESS[:, 0], 2.0) + math.log(Y[:, 0].std())
    assert found["nll"] == pytest.approx(-np.average(each, weights=weight))
    assert found["coverage"] == pytest.approx(np.average(np.abs(Y - GUESS)[:, 0] <= 1, weights=weight))
    assert found["width"] == 2.0


@pytest.mark.parametrize("weight", [None, RNG.exponential(size=300)], ids=["plain", "weighted"])
def test_several_targets_are_averaged(weight: np.ndarray | None) -> None:
    found, scale = TASK.scores(outcome(TASK, GUESS, Y), weight=weight), Y.std(0)
    assert found["r2"] == pytest.approx(sk.r2_score(Y, GUESS, sample_weight=weight))
    assert found["mae"] == pytest.approx(sk.mean_absolute_error(Y / scale, GUESS / scale, sample_weight=weight))
    assert found["rmse"] == pytest.approx(sk.root_mean_squared_error(Y / scale, GUESS / scale, sample_weight=weight))
    assert found["width"] == pytest.approx(np.mean(2 / scale))


def test_spearman_agrees_with_scipy_where_numbers_are_equal() -> None:
    y, guess = RNG.integers(5, size=(200, 1)).astype(float), RNG.integers(4, size=(200, 1)).astype(float)
    guess += y
    found = ONE.scores(outcome(ONE, guess, y), ("spearman",))["spearman"]
    assert found == pytest.approx(stats.spearmanr(y[:, 0], guess[:, 0]).statistic)
    assert numbers.ranks(np.array([[3.0], [1.0], [3.0], [2.0]])).ravel().tolist() == [3.5, 1.0, 3.5, 2.0]


def test_weights_count_like_copies_of_a_sample() -> None:
    weights = np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 3.0]])
    whole = outcome(ONE, GUESS[:3, :1], Y[:3, :1])
    for r, rows in enumerate(([0, 0, 1], [1, 2, 2, 2])):
        copies = ONE.scores(outcome(ONE, GUESS[rows, :1], Y[rows, :1]))
        found = ONE.weighted(whole, weights, tuple(copies))
        del copies["spearman"]  # its ranks are those of the unweighted samples
        assert {name: found[name][r] for name in copies} == pytest.approx(copies)


def test_what_does_not_vary_has_no_correlation() -> None:
    same = np.full((3, 1), 7.0)
    assert ONE.scores(outcome(ONE, same, Y[:3, :1]), ("spearman",)) == {"spearman": 0.0}
    assert ONE.scores(outcome(ONE, Y[:3, :1], same), ("r2", "spearman")) == {"r2": 0.0, "spearman": 0.0}
    assert ONE.scores(outcome(ONE, same, same), ("r2",)) == {"r2": 1.0}


def test_half_widths_are_the_residual_of_the_conformal_rank() -> None:
    residuals = np.array([[-5.0], [1.0], [2.0], [-3.0], [4.0], [0.5], [6.0], [7.0], [8.0]])
    assert numbers.half_widths(residuals, 0.5).tolist() == [4.0]  # rank ceil(10 x 0.5) = 5 of 9
    assert numbers.half_widths(residuals, 0.9).tolist() == [8.0]  # rank 9
    assert numbers.half_widths(residuals[:4], 0.5).tolist() == [3.0]  # rank ceil(2.5) = 3 of 4
    assert numbers.half_widths(residuals[:2], 0.9).tolist() == [5.0]  # rank 3 of 2: the largest


@pytest.mark.parametrize("share", [0.5, 0.8, 0.9, 0.95])
def test_intervals_hold_the_share_that_was_asked_for_whatever_the_distribution_is(share: float) -> None:
    """Lei et al. 2018, theorem 2: between share and share + 1 / (n + 1) on average."""
    rng, held, count = np.random.default_rng(1), [], 20
    for _ in range(3000):
        residuals = rng.standard_t(2, (count + 20, 1)) ** 3
        half = numbers.half_widths(residuals[:count], share)
        held.append((np.abs(residuals[count:]) <= half).mean())
    error = np.std(held) / math.sqrt(len(held))
    assert share - 4 * error <= np.mean(held) <= share + 1 / (count + 1) + 4 * error


@pytest.mark.parametrize("guess, half, deviation, says", [
    ([[1.0]], 1.0, 1.0, r"\[B, K\]"), ([[1.0], [np.nan]], 1.0, 1.0, "finite"), ([[1.0], [2.0]], -1.0, 1.0, "below 0"),
    ([[1.0], [2.0]], 1.0, 0.0, "above"),
])
def test_what_is_no_prediction_is_refused(guess: list, half: float, deviation: float, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        outcome(ONE, np.array(guess), np.array([[1.0], [2.0]]), half, deviation)


def test_metrics_speak_in_the_unit_of_the_target() -> None:
    found = numbers.metrics({"price": "EUR"}, [1234.0])
    assert found["mae"].value(1234.56) == "1,235 EUR" and found["mae"].close == pytest.approx(61.7)
    assert not found["mae"].higher and not found["width"].higher and found["r2"].higher
    small = numbers.metrics({"length": "m"}, [0.0123])
    assert small["rmse"].value(0.00987) == "0.0099 m"
    both = numbers.metrics({"price": "EUR", "length": "m"}, [1234.0, 0.0123])
    assert both["mae"].value(0.5) == "0.50 standard deviations"
    assert found["r2"].value(0.81234) == "0.812" and found["coverage"].value(0.9) == "90.0 %"


def test_table_has_a_row_per_target_and_per_part() -> None:
    result = outcome(TASK, np.array([[1.0, 2.0], [5.0, 2.0]]), np.array([[1.5, 2.0], [2.0, 4.0]]))
    found = numbers.table(result, ["price", "area"], {"low": np.array([True, False]), "none": np.zeros(2, bool)})
    assert found == {
        "price": {"mae": 1.75, "rmse": pytest.approx(math.sqrt(4.625)), "bias": 1.25, "coverage": 0.5, "support": 2},
        "area": {"mae": 1.0, "rmse": pytest.approx(math.sqrt(2)), "bias": -1.0, "coverage": 0.5, "support": 2},
        "low": {"mae": 0.5, "rmse": 0.5, "bias": -0.5, "coverage": 1.0, "support": 1}}
