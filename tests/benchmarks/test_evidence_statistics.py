"""Short forms of the evidence: the same checks with fewer repetitions."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.evidence import statistics
from benchmarks.evidence.planted import World, accuracy, draw, effect_for

RULES = replace(statistics.RULES, resamples=300)


def test_planted_models_have_the_accuracy_that_is_asked_for():
    world = World(tests=4000, seeds=40, seed_sd=0.3)
    world = replace(world, effects=(effect_for(world, 0.8), effect_for(world, 0.7)))
    assert accuracy(world, world.effects[0]) == pytest.approx(0.8)
    outcomes, _ = draw(world, np.random.default_rng(0))
    found = [np.mean([result.correct.mean() for result in each]) for each in outcomes.values()]
    assert found == pytest.approx([0.8, 0.7], abs=0.025)


def test_test_sets():
    _, fixed = draw(World(seeds=3, tests=50), np.random.default_rng(0))
    assert all((own == np.arange(50)).all() for own in fixed)
    _, redrawn = draw(World(seeds=3, tests=50, pool=100), np.random.default_rng(0))
    assert 0 < len(np.intersect1d(redrawn[0], redrawn[1])) < 50
    _, folds = draw(World(seeds=3, tests=50, pool=150, folds=True), np.random.default_rng(0))
    assert sorted(np.concatenate(folds)) == list(range(150))


@pytest.mark.slow
def test_equal_strategies_are_rarely_told_apart():
    found = statistics.aa(repetitions=10, names=15, rules=RULES)
    assert found["comparisons"] == 80
    assert found["false_winner_share"] <= 0.05
    assert found["interval"][0] <= found["false_winner_share"] <= found["interval"][1]
    assert found["six_equal"]["share"] <= 0.2 and found["two_tied_above_four"]["share"] <= 0.2


@pytest.mark.slow
def test_three_points_are_found():
    found = statistics.power(repetitions=20, rules=RULES)
    assert found["share_found"] >= 0.7 and found["repetitions"] == 20
    spread = {(each["seed_sd"], each["test_set"]): each["share_found"] for each in found["by_spread"]}
    assert spread[0.0, "redrawn"] >= 0.9 > spread[0.3, "redrawn"]


@pytest.mark.slow
def test_intervals_hold_the_truth():
    found = statistics.coverage(repetitions=25, rules=RULES)
    assert 0.9 <= found["share"] <= 0.99 and found["repetitions"] == 150
    assert len(found["by_setting"]) == 19


@pytest.mark.slow
def test_intervals_hold_the_truth_where_samples_belong_together():
    found = statistics.groups(repetitions=60, rules=RULES)  # with 300: 0.96, and 0.95 against 0.81
    assert len(found) == 12 and found[0]["repetitions"] == 60
    assert np.mean([each["share"] for each in found]) >= 0.92
    apart = [each for each in found if each["voice_sd"] == 0.4 and each["test_set"] == "fixed"]
    assert np.mean([each["as_samples"] for each in apart]) <= np.mean([each["share"] for each in apart]) - 0.05


def test_test_sets_are_whole_groups():
    world = World(seeds=2, tests=60, pool=180, group=20, voice_sd=1.0)
    _, units = draw(world, np.random.default_rng(0))
    assert [sorted(np.unique(own, return_counts=True)[1]) for own in units] == [[20, 20, 20]] * 2
