from dataclasses import replace

import numpy as np

from benchmarks.evidence.planted import MEASURED, TASK, World, draw
from trivium.comparison.pairs import Results, Rules, compare, measure

RULES = Rules(resamples=500)


def run(world, seed=0, rules=RULES):
    outcomes, rows = draw(world, np.random.default_rng(seed))
    return compare(outcomes, measure(TASK, outcomes, rows, rules, MEASURED), rules)


def test_all_pairs_the_better_one_first():
    pairs = run(World(effects=(0.0, 2.0, 1.0)))
    assert [(pair.a, pair.b) for pair in pairs] == [("s1", "s2"), ("s1", "s0"), ("s2", "s0")]
    assert all(pair.difference.mean > 0 and len(pair.mcnemar) == 5 for pair in pairs)
    assert all(pair.beats for pair in pairs)


def test_a_wide_margin_on_every_seed_is_found_and_equals_are_not():
    far, same = run(World(effects=(2.0, 1.0)))[0], run(World(effects=(1.0, 1.0)))[0]
    assert far.beats and far.outperform == (1, 1, 1) and far.p_holm < 0.01 and far.mcnemar_pooled < 1e-6
    assert not same.beats and same.p_holm > 0.05 and same.difference.low < 0 < same.difference.high


def test_one_lucky_seed_is_not_enough():
    """Four of five seeds are slightly behind, one is far ahead: ahead on average, and still no winner."""
    outcomes, rows = draw(World(effects=(1.0, 1.0), seed_sd=0.0), np.random.default_rng(1))
    better = np.ones(500, bool)
    outcomes["s0"][0] = replace(outcomes["s0"][0], prediction=np.where(better, 0, 1))
    pair = compare(outcomes, measure(TASK, outcomes, rows, RULES, MEASURED), RULES)[0]
    assert pair.a == "s0" and pair.difference.mean > 0.04 and not pair.beats


def test_four_wins_in_five_do_not_make_a_winner_however_small_the_p_value():
    outcomes, _ = draw(World(tests=50), np.random.default_rng(0))
    values = np.array([[0.85, 0.85, 0.85, 0.85, 0.798], [0.80] * 5])
    pair = compare(outcomes, still(values), RULES)[0]
    assert (pair.a, pair.outperform[0], pair.p_holm < 0.05, pair.beats) == ("s0", 0.8, True, False)
    values[0, 4] = 0.802
    pair = compare(outcomes, still(values), RULES)[0]
    assert (pair.outperform[0], pair.beats) == (1, True)
    assert not compare(outcomes, still(values), replace(RULES, confidence=1 - 1e-6))[0].beats


def still(values):
    """Accuracies `[S, J]` that the samples do not move."""
    return Results({"accuracy": values}, {"accuracy": np.tile(values, (1000, 1, 1))})


def pairs_of(*strategies, rules=RULES):
    """Pairs of strategies with these accuracies per seed, which the samples do not move: {"s0 s1": Pair}."""
    outcomes, _ = draw(World(effects=(0.0,) * len(strategies), seeds=len(strategies[0]), tests=50),
                       np.random.default_rng(0))
    return {f"{pair.a} {pair.b}": pair for pair in compare(outcomes, still(np.array(strategies)), rules)}


LEAD = np.array([0.01, 0.02, 0.03, 0.05, 0.005])  # t = 2.87, p = 0.045; in cross-validation t = 1.92, p = 0.128
BASE = np.full(5, 0.5)


def test_a_winner_must_come_out_ahead_often_enough():
    nine_of_ten = np.array([0.05] * 9 + [-0.001])
    pair = pairs_of(0.5 + nine_of_ten, np.full(10, 0.5))["s0 s1"]
    assert (pair.outperform, pair.beats) == ((0.9, 0.7, 1.0), True)
    assert not pairs_of(0.5 + nine_of_ten, np.full(10, 0.5), rules=replace(RULES, threshold=0.95))["s0 s1"].beats
    assert pairs_of(0.5 + nine_of_ten, np.full(10, 0.5), rules=replace(RULES, confidence=0.6))[
        "s0 s1"].outperform == (0.9, 0.8, 1.0)


def test_a_probability_that_may_be_one_half_makes_no_winner():
    eight_of_ten = np.array([0.05] * 8 + [-0.001] * 2)
    pair = pairs_of(0.5 + eight_of_ten, np.full(10, 0.5))["s0 s1"]
    assert (pair.outperform, pair.p_holm < 0.01, pair.beats) == ((0.8, 0.5, 1.0), True, False)


def test_no_difference_is_larger_than_all():
    found = pairs_of(np.array([0.98, 0.5]), np.array([0.1, 0.4]))["s0 s1"].difference
    assert found.high == 1.0 and found.low == -1.0


def test_folds_are_judged_by_their_own_variance():
    assert pairs_of(BASE + LEAD, BASE)["s0 s1"].beats
    pair = pairs_of(BASE + LEAD, BASE, rules=replace(RULES, overlap=0.25))["s0 s1"]
    assert (pair.difference.p > 0.12, pair.beats) == (True, False)


def test_a_winner_does_not_make_those_behind_it_winners():
    found = pairs_of(BASE + 0.2 + LEAD, BASE + np.array([1, -1, 2, -1, 0]) / 100, BASE)
    assert {name: pair.beats for name, pair in found.items()} == {"s0 s1": True, "s0 s2": True, "s1 s2": False}


def test_claims_behind_the_first_must_hold_after_holm():
    found = pairs_of(BASE + 0.3, BASE + 0.3, BASE + LEAD, BASE)
    assert 0.04 < found["s2 s3"].difference.p < 0.05 < found["s2 s3"].p_holm
    assert not found["s2 s3"].beats and found["s0 s2"].beats


def test_a_winner_over_all_needs_no_adjustment_but_every_comparison():
    """Six strategies, one clearly ahead: Holm over 15 pairs would hide it; a second one as good hides it rightly."""
    world = World(effects=(1.9, 1.5, 1.5, 1.5, 1.5, 1.5), tests=1000, pool=2000, taste_sd=0.0)
    pairs = run(world, 2)
    assert [pair.b for pair in pairs if pair.a == "s0" and pair.beats] == [pair.b for pair in pairs[:5]]
    assert max(pair.p_holm for pair in pairs[:5]) > 0.05
    twice = run(replace(world, effects=(1.9, 1.9, 1.5, 1.5, 1.5, 1.5)), 2)
    assert not twice[0].beats and {twice[0].a, twice[0].b} == {"s0", "s1"}
