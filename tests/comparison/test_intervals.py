import numpy as np
import pytest

from trivium.comparison.intervals import estimate, never, outperform

VALUES = np.array([0.01, 0.02, 0.03, 0.04, 0.05])
STILL = np.tile(VALUES, (100, 1))  # replicates that the samples do not move


def test_seeds_alone_give_students_interval():
    from scipy.stats import ttest_1samp

    found = estimate(VALUES, STILL)
    half = 2.7764451 * np.sqrt(0.00025 / 5)  # t(0.975, 4 degrees of freedom)
    assert (found.mean, found.low, found.high) == pytest.approx((0.03, 0.03 - half, 0.03 + half))
    assert found.sd == pytest.approx(np.sqrt(0.00025))
    assert found.p == pytest.approx(ttest_1samp(VALUES, 0).pvalue)


def test_cross_validation_is_wider_by_nadeau_and_bengio():
    from scipy.stats import t

    found = estimate(VALUES, STILL, overlap=0.25)
    error = np.sqrt((1 / 5 + 0.25) * 0.00025)
    assert found.high - found.mean == pytest.approx(2.7764451 * error)
    assert found.p == pytest.approx(2 * t.sf(0.03 / error, 4))


def test_an_interval_ends_where_the_metric_does():
    found = estimate(np.array([0.3, 0.98]), np.tile([0.3, 0.98], (100, 1)))
    assert found.high > 1 and found.low < -1
    assert found.within(-1, 1).high == 1 and found.within(-1, 1).low == -1 and found.within(-1, 1).mean == found.mean


def test_what_never_happened_may_yet_happen():
    assert (never(100), never(10, 0.9)) == (pytest.approx(0.029513, abs=1e-6), pytest.approx(0.205672, abs=1e-6))


def test_samples_that_seeds_share_do_not_average_out():
    moves = np.random.default_rng(0).normal(0, 0.01, (20_000, 1))
    shared = estimate(np.full(5, 0.03), 0.03 + np.repeat(moves, 5, axis=1))
    assert shared.high - shared.mean == pytest.approx(1.96 * 0.01, rel=0.02)


def test_seeds_that_agree_by_chance_do_not_hide_the_sampling_noise():
    found = estimate(np.full(4, 0.03), 0.03 + np.random.default_rng(1).normal(0, 0.01, (20_000, 4)))
    assert found.sd == 0
    assert found.high - found.mean == pytest.approx(1.96 * 0.01 / 2, rel=0.03)


def test_both_parts_add_up_with_their_own_quantiles():
    moves = np.random.default_rng(2).normal(0, 0.01, (20_000, 1))
    found = estimate(VALUES, VALUES + moves)
    assert found.high - found.mean == pytest.approx(np.sqrt(2.7764451**2 * 0.00005 + 1.959964**2 * 0.0001), rel=0.02)


def test_the_p_value_is_the_level_whose_interval_ends_at_zero():
    rng = np.random.default_rng(3)
    values = 0.01 + rng.normal(0, 0.01, 5)
    resampled = values + rng.normal(0, 0.004, (500, 5))
    p = estimate(values, resampled).p
    assert estimate(values, resampled, confidence=1 - p).low == pytest.approx(0, abs=1e-9)


def test_no_difference_at_all():
    found = estimate(np.zeros(3), np.zeros((10, 3)))
    assert (found.low, found.high, found.p) == (0, 0, 1)
    assert estimate(np.ones(3), np.ones((10, 3))).p == 0


def test_outperforming_every_time():
    assert outperform(VALUES, STILL) == (1, 1, 1)
    assert outperform(-VALUES, -STILL) == (0, 0, 0)


def test_outperforming_four_times_in_five_is_not_sure():
    values = np.array([0.02, 0.02, 0.02, 0.02, -0.02])
    share, low, high = outperform(values, np.tile(values, (4000, 1)))
    assert (share, low, high) == (0.8, pytest.approx(0.4), 1)


def test_a_tie_is_half_a_win():
    assert outperform(np.zeros(5), np.zeros((10, 5))) == (0.5, 0.5, 0.5)


def test_a_lead_within_the_noise_of_the_samples_is_not_sure():
    values = np.full(5, 0.01)
    moves = np.random.default_rng(4).normal(0, 0.02, (4000, 1))
    share, low, high = outperform(values, values + moves)
    assert (share, low, high) == (1, 0, 1)


def test_a_lead_is_sure_where_redrawn_samples_only_add_to_it():
    values = np.full(5, 0.01)
    moves = np.repeat([[0.0], [0.05]], 500, axis=0)
    assert outperform(values, values + moves) == (1, 1, 1)
    assert outperform(values, values - moves) == (1, 0, 1)


def test_what_rounding_leaves_is_a_tie():
    values = np.array([0.1 + 0.2 - 0.3] * 5)
    assert values[0] > 0
    assert outperform(values, np.tile(values, (10, 1))) == (0.5, 0.5, 0.5)


def test_equals_are_no_surprise():
    """No difference at all, and no scatter: p is 1, not 0."""
    assert estimate(np.zeros(5), np.zeros((100, 5))).p == 1
