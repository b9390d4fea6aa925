"""Main effects of a sweep: what was planted comes out, and what does not add up is told."""

import numpy as np
import pytest

from trivium.comparison.effects import Factor, Sweep, coded, fit, gather
from trivium.comparison.intervals import Span
from trivium.tasks.classification import METRICS
from trivium.tasks.metric import Metric

PLANTED = {"fusion": {"concat": 0.0, "gated": 0.004},
           "recipe": {"scratch": -0.05, "supervised": 0.01, "published": 0.04},
           "strategy": {"joint": 0.0, "frozen": 0.03}}
GRID = [{"fusion": f, "recipe": r, "strategy": s} for f in PLANTED["fusion"] for r in PLANTED["recipe"]
        for s in PLANTED["strategy"]]
NLL, ACCURACY = METRICS["nll"], METRICS["accuracy"]


def scores(grid: list[dict[str, str]], seeds: int = 5, noise: float = 0.0, together: float = 0.0) -> np.ndarray:
    """[N, J]. together: what gated and published are better when they meet."""
    rng = np.random.default_rng(0)
    means = np.array([0.6 + sum(PLANTED[factor][level] for factor, level in one.items())
                      + together * (one["fusion"] == "gated" and one["recipe"] == "published") for one in grid])
    return means[:, None] + rng.normal(0, 0.05, (1, seeds)) + rng.normal(0, noise, (len(grid), seeds))


def swept(values: np.ndarray, grid: list[dict[str, str]] = GRID, metric: Metric = ACCURACY) -> Sweep:
    mean = values.mean(1)
    return gather("Trees", metric, [(one, Span(mean=m, low=m - 0.01, high=m + 0.01), list(row), 1e9)
                                    for one, m, row in zip(grid, mean, values, strict=True)], [], 12, 12)


def effects(factor: Factor) -> dict[str, float]:
    return {level.name: round(level.effect.mean, 6) for level in factor.levels}


def test_planted_effects_come_out_whatever_the_seeds_do_to_all() -> None:
    found = swept(scores(GRID))
    assert [factor.name for factor in found.factors] == ["recipe", "strategy", "fusion"]  # by how much they matter
    recipe, strategy, fusion = found.factors
    assert effects(recipe) == {"published": 0.04, "supervised": 0.01, "scratch": -0.05}
    assert effects(strategy) == {"frozen": 0.015, "joint": -0.015}
    assert effects(fusion) == {"gated": 0.002, "concat": -0.002}
    assert [factor.range.mean for factor in found.factors] == pytest.approx([0.09, 0.03, 0.004])
    assert [level.runs for level in recipe.levels] == [4, 4, 4]
    assert found.rest.sd == pytest.approx(0, abs=1e-12)
    assert {tuple(one.levels.values()): round(one.sum - one.value.mean, 9) for one in found.combinations} == {
        tuple(one.values()): 0.0 for one in GRID}


def test_half_of_the_grid_says_the_same() -> None:
    half = [GRID[k] for k in (0, 3, 4, 6, 9, 11)]
    found = {factor.name: effects(factor) for factor in swept(scores(half), half).factors}
    assert found["recipe"] == {"published": 0.04, "supervised": 0.01, "scratch": -0.05}
    assert found["fusion"] == {"gated": 0.002, "concat": -0.002}


def test_the_sentences_say_what_matters() -> None:
    found = swept(scores(GRID, noise=0.004))
    recipe, strategy, fusion = (factor.sentence for factor in found.factors)
    assert recipe.startswith("The recipe matters: 8.9 points (8.7 to 9.2) between published and scratch.")
    assert strategy.startswith("The strategy matters a little: 2.9 points (2.7 to 3.0) between frozen and joint.")
    assert fusion.startswith("The fusion hardly matters here: 0.6 points (0.3 to 0.9) between gated and concat.")
    assert found.sentence == " ".join((recipe, strategy, fusion))
    assert "Seeds alone may explain that" in found.rest.sentence


def test_the_interval_of_two_levels_is_that_of_a_paired_t_test() -> None:
    from scipy import stats

    values = scores(GRID, noise=0.02)
    own = fit(GRID, values).effects["strategy"]
    gaps = [values[[one["strategy"] == level for one in GRID]].mean(0) for level in ("frozen", "joint")]
    test = stats.ttest_rel(*gaps).confidence_interval(0.95)
    assert (own.range.low, own.range.high) == pytest.approx((test.low, test.high), abs=1e-6)


def test_a_range_is_never_below_zero_and_open_where_seeds_differ() -> None:
    found = swept(scores(GRID, seeds=2, noise=0.1))
    assert all(factor.range.low >= 0 for factor in found.factors)
    assert any(factor.sentence.startswith("Whether the ") for factor in found.factors)


def test_an_interaction_that_a_sum_cannot_see_is_told() -> None:
    found = swept(scores(GRID, noise=0.004, together=0.12))
    assert found.rest.p is not None and found.rest.p < 1e-6
    assert found.rest.sd == pytest.approx((0.0096 / 7) ** 0.5, abs=0.002)  # 4 times 0.04² and 8 times 0.02², 7 are free
    assert found.rest.most["fusion"] in ("gated", "concat") and found.rest.most["recipe"] == "published"
    assert abs(found.rest.miss) == pytest.approx(0.04, abs=0.004)
    assert "Seeds alone do not explain that" in found.rest.sentence


def test_where_less_is_better_the_lowest_is_the_best_level() -> None:
    found = swept(scores(GRID), metric=NLL)
    recipe = found.factors[0]
    assert [level.name for level in recipe.levels] == ["scratch", "supervised", "published"]
    assert recipe.sentence.startswith("The recipe matters: 0.090 nats (")
    assert found.combinations[0].levels == {"fusion": "concat", "recipe": "scratch", "strategy": "joint"}


def test_levels_that_come_only_together_are_refused() -> None:
    tied = [{"fusion": "a", "recipe": "x"}, {"fusion": "b", "recipe": "y"}]
    assert coded(tied).tolist() == [[1, 1, 1], [1, -1, -1]]
    with pytest.raises(ValueError, match="only together"):
        fit(tied, np.array([[0.1, 0.2], [0.3, 0.4]]))


def test_a_factor_of_one_level_has_no_effect() -> None:
    one = [{"fusion": "concat", "recipe": recipe} for recipe in ("x", "y")]
    found = fit(one, np.array([[0.1, 0.2], [0.3, 0.4]]))
    assert found.effects["fusion"].range == Span(mean=0.0, low=0.0, high=0.0) and found.p is None
    assert found.effects["recipe"].range.mean == pytest.approx(0.2)
