"""A fraction of a grid: even, the same every time, and enough to tell the levels apart."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from trivium.comparison.effects import coded
from trivium.experiments.design import choose, grid

FACTORS = {"fusion": ["concat", "gated", "attention"], "recipe": ["scratch", "supervised", "selfsup", "published"],
           "strategy": ["joint", "frozen", "lpft"]}


def counts(chosen: list[dict[str, str]], *factors: str) -> list[int]:
    return sorted(Counter(tuple(one[factor] for factor in factors) for one in chosen).values())


def test_a_grid_is_every_combination() -> None:
    assert grid({"fusion": ["a", "b"], "recipe": ["x", "y"]}) == [
        {"fusion": "a", "recipe": "x"}, {"fusion": "a", "recipe": "y"},
        {"fusion": "b", "recipe": "x"}, {"fusion": "b", "recipe": "y"}]


def test_a_third_has_each_level_equally_often_and_each_pair_nearly() -> None:
    chosen = choose(grid(FACTORS), 1 / 3)
    assert len(chosen) == 12
    assert [counts(chosen, factor) for factor in FACTORS] == [[4, 4, 4], [3, 3, 3, 3], [4, 4, 4]]
    assert counts(chosen, "fusion", "recipe") == counts(chosen, "recipe", "strategy") == [1] * 12
    assert counts(chosen, "fusion", "strategy") == [1] * 6 + [2] * 3


def test_what_cannot_be_run_leaves_the_rest_as_even_as_it_can_be() -> None:
    possible = [one for one in grid(FACTORS) if (one["recipe"], one["strategy"]) != ("scratch", "frozen")]
    chosen = choose(possible, 0.5)
    assert len(chosen) == 16 and all(one in possible for one in chosen)  # 33 can be run
    for factors in [*((factor,) for factor in FACTORS), *combinations(FACTORS, 2)]:
        found = counts(chosen, *factors)
        assert found[-1] - found[0] <= 1, factors


@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.4])
def test_the_levels_can_be_told_apart(fraction: float) -> None:
    every = grid(FACTORS)
    chosen = choose(every, fraction)
    assert np.linalg.matrix_rank(coded(chosen)) == 1 + 2 + 3 + 2
    assert len(chosen) >= max(8, round(fraction * 36))
    assert chosen == choose(every, fraction) and chosen == [one for one in every if one in chosen]


def test_all_of_it() -> None:
    assert choose(grid(FACTORS), 1.0) == grid(FACTORS)
