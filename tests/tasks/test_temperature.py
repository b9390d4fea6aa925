import numpy as np
import pytest

from trivium.tasks import temperature as calibration
from trivium.tasks.temperature import calibrated_nll, temperature


def test_confidence_becomes_the_share_that_is_right():
    logits = np.array([[2.0, 0.0]] * 4)
    assert temperature(logits, [0, 0, 0, 1]) == pytest.approx(2 / np.log(3))  # sigmoid(2 / T) = 3/4


def test_a_constant_per_row_changes_nothing():
    rng = np.random.default_rng(0)
    logits, y = rng.normal(0, 3, (200, 5)), rng.integers(5, size=200)
    log_probabilities = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    assert temperature(logits, y) == pytest.approx(temperature(log_probabilities, y))


def test_how_sure_the_logits_are_does_not_change_the_calibrated_nll():
    expected = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    for sure in (0.5, 2.0, 20.0):
        assert calibrated_nll([[sure, 0.0]] * 4, [0, 0, 0, 1]) == pytest.approx(expected)
    assert calibrated_nll([[0.0, 0.0, 0.0]], [1]) == pytest.approx(np.log(3))
    assert np.isnan(calibrated_nll([[float("nan"), 0.0]], [1]))


def test_samples_are_counted_once_however_many_are_taken_at_a_time(monkeypatch):
    rng = np.random.default_rng(2)
    logits, y = rng.normal(0, 3, (50, 4)), rng.integers(4, size=50)
    whole = temperature(logits, y), calibrated_nll(logits, y)
    monkeypatch.setattr(calibration, "ROWS", 7)
    assert (temperature(logits, y), calibrated_nll(logits, y)) == pytest.approx(whole, rel=1e-9)


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
