from dataclasses import replace

import numpy as np

from benchmarks.evidence.planted import World, draw
from trivium.comparison.pairs import Results, Rules, compare, measure

RULES = Rules(resamples=500)


def run(world, seed=0, rules=RULES):
    outcomes, rows = draw(world, np.random.default_rng(seed))
    return compare(outcomes, measure(outcomes, rows, rules), rules)


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
    pair = compare(outcomes, measure(outcomes, rows, RULES), RULES)[0]
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


def test_a_winner_over_all_needs_no_adjustment_but_every_comparison():
    """Six strategies, one clearly ahead: Holm over 15 pairs would hide it; a second one as good hides it rightly."""
    world = World(effects=(1.9, 1.5, 1.5, 1.5, 1.5, 1.5), tests=1000, pool=2000, taste_sd=0.0)
    pairs = run(world, 2)
    assert [pair.b for pair in pairs if pair.a == "s0" and pair.beats] == [pair.b for pair in pairs[:5]]
    assert max(pair.p_holm for pair in pairs[:5]) > 0.05
    twice = run(replace(world, effects=(1.9, 1.9, 1.5, 1.5, 1.5, 1.5)), 2)
    assert not twice[0].beats and {twice[0].a, twice[0].b} == {"s0", "s1"}
