import numpy as np
import pytest

from trivium.evaluation.calibration import temperature


def test_confidence_becomes_the_share_that_is_right():
    logits = np.array([[2.0, 0.0]] * 4)
    assert temperature(logits, [0, 0, 0, 1]) == pytest.approx(2 / np.log(3))  # sigmoid(2 / T) = 3/4


def test_a_constant_per_row_changes_nothing():
    rng = np.random.default_rng(0)
    logits, y = rng.normal(0, 3, (200, 5)), rng.integers(5, size=200)
    log_probabilities = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    assert temperature(logits, y) == pytest.approx(temperature(log_probabilities, y))


def test_finds_the_minimum():
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 1, (2000, 3))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    y = np.array([rng.choice(3, p=row) for row in p])
    found = temperature(5 * logits, y)  # five times too sure

    def nll(t):
        z = 5 * logits / t
        return (np.log(np.exp(z).sum(1)) - z[np.arange(2000), y]).mean()

    assert found == pytest.approx(5, rel=0.1)
    assert nll(found) < min(nll(0.99 * found), nll(1.01 * found))


def test_stays_in_its_range_and_finite():
    assert temperature([[5.0, 0.0], [0.0, 5.0]], [0, 1]) == pytest.approx(0.05)  # all right: never too sure
    assert temperature([[5.0, 0.0], [0.0, 5.0]], [1, 0]) == pytest.approx(20)  # all wrong: never humble enough
    assert 0.05 <= temperature([[0.0, -np.inf], [-np.inf, 0.0], [0.0, -1.0]], [0, 0, 1]) <= 20


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="got"):
        temperature([[0.0, 1.0]], [0, 1])
