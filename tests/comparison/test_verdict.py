"""Which one to take, from pairs with given intervals; what is said of it is in test_sentences."""

import pytest

from trivium.comparison.intervals import Estimate
from trivium.comparison.pairs import Pair
from trivium.comparison.verdict import Cost, decide


def pair(a, b, beats=False, mean=0.021, low=None, high=0.038, ahead=(0.75, 0.5, 1.0)):
    low = low if low is not None else 0.004 if beats else -0.01
    return Pair(a, b, Estimate(mean, low, high, 0.01, 0.02), ahead, 0.04, (0.1, 0.2), 0.01, beats, seeds=2)


def costs(**flops):
    return {name: Cost(value, 1000) for name, value in flops.items()}


def test_a_winner():
    found = decide("ab", [pair("a", "b", True)], costs(a=9e9, b=1e9))
    assert (found.whole.winner, found.whole.tied, found.recommended) == ("a", ("a",), "a")
    assert found.within == found.whole


def test_what_cannot_be_told_apart_leaves_the_cheaper_one():
    found = decide("ab", [pair("a", "b")], costs(a=9e9, b=1e9))
    assert (found.whole.winner, found.whole.tied, found.recommended) == (None, ("a", "b"), "b")
    assert found.whole.cheap == "compute"


def test_only_those_that_nobody_beats_are_tied():
    pairs = [pair("a", "b"), pair("a", "c"), pair("b", "c", True)]
    found = decide("abc", pairs, costs(a=3e9, b=2e9, c=1e9))
    assert (found.whole.tied, found.recommended) == (("a", "b"), "b")


def test_what_is_behind_is_not_recommended_for_being_cheap():
    pairs = [pair("a", "b"), pair("a", "c", low=0.002), pair("b", "c")]
    found = decide("abc", pairs, costs(a=3e9, b=2e9, c=1e9))
    assert (found.whole.winner, found.whole.behind, found.whole.level) == (None, ("c",), ("a", "b"))
    assert found.recommended == "b"


def test_all_others_behind_make_no_winner_but_leave_one():
    pairs = [pair("a", "b", low=0.004), pair("a", "c", low=0.002), pair("b", "c")]
    found = decide("abc", pairs, costs(a=3e9, b=2e9, c=1e9))
    assert (found.whole.winner, found.whole.behind, found.recommended) == (None, ("b", "c"), "a")


def test_about_the_same_compute_is_no_reason_but_parameters_are():
    same = {"a": Cost(1.05e9, 3000), "b": Cost(1e9, 3000), "c": Cost(1.0e9, 1000)}
    found = decide("abc", [pair("a", "b"), pair("a", "c"), pair("b", "c")], same)
    assert (found.recommended, found.whole.cheap) == ("c", "parameters")


@pytest.mark.parametrize("same", [
    {"a": Cost(1e9, 1050), "b": Cost(1e9, 1000)}, costs(a=1e9, b=1e9),
    costs(a=1.0e9, b=0.9e9),  # a tenth of the budget that a recipe leaves is no merit
])
def test_equal_costs_leave_the_better_one(same):
    found = decide("ab", [pair("a", "b")], same)
    assert (found.recommended, found.whole.cheap) == ("a", "")


def test_who_is_beaten_by_another_than_the_first_is_not_tied():
    """Of ten seeds a wins nine against b, b nine against c, and a only eight against c: c is behind all the same."""
    pairs = [pair("a", "b", True), pair("a", "c"), pair("b", "c", True)]
    found = decide("abc", pairs, costs(a=2e9, b=1e9, c=1e9))
    assert (found.whole.winner, found.whole.tied, found.recommended) == ("a", ("a",), "a")


def test_a_gamble_is_not_recommended_for_being_cheap():
    gamble = {"a": Cost(9e9, 1000), "b": Cost(1e9, 1000, failed=0.4)}
    found = decide("ab", [pair("a", "b")], gamble)
    assert (found.whole.tied, found.whole.failing, found.recommended) == (("a", "b"), ("b",), "a")


def test_what_may_lose_much_is_not_recommended_for_being_cheap():
    """Two seeds, a far ahead on average, and an interval so wide that nothing can be claimed."""
    found = decide("ab", [pair("a", "b", mean=0.42, low=-0.25, high=1.1)], costs(a=9e9, b=1e9))
    assert (found.whole.winner, found.whole.risky, found.recommended) == (None, ("b",), "a")
    assert decide("ab", [pair("a", "b", mean=0.02, low=-0.01, high=0.05)], costs(a=9e9, b=1e9)).recommended == "b"


def test_nothing_worse_than_what_is_behind_is_recommended():
    pairs = [pair("a", "b", low=0.002), pair("a", "c"), pair("b", "c")]
    found = decide("abc", pairs, costs(a=3e9, b=2e9, c=1e9))
    assert (found.whole.behind, found.whole.lower, found.recommended) == (("b",), ("c",), "a")


def test_one_strategy():
    found = decide("a", [], costs(a=1e9))
    assert (found.whole.winner, found.whole.tied, found.recommended) == (None, ("a",), "a")


# Nothing learned

def lost(flops=1e9, ratio=1.0):
    return Cost(flops, 1000, 1.0, ratio, learned=False)


def test_nothing_is_recommended_where_nothing_was_learned():
    found = decide("ab", [pair("a", "b", True)], {"a": lost(), "b": lost()})
    assert (found.whole.winner, found.whole.tied, found.recommended) == (None, (), None)


def test_one_that_learned_is_enough():
    found = decide("ab", [pair("a", "b", True)], {"a": Cost(9e9, 1000), "b": lost()})
    assert (found.whole.winner, found.recommended) == ("a", "a")


def test_what_is_first_but_learned_nothing_is_not_taken():
    """On macro scores each strategy has a null of its own, so that the first of all may be no better than it."""
    found = decide("ab", [pair("a", "b")], {"a": lost(), "b": Cost(9e9, 1000)})
    assert (found.whole.winner, found.whole.tied, found.recommended) == (None, ("b",), "b")


# The reference

def test_a_reference_that_is_not_surely_beaten_is_taken_for_being_simple():
    pairs = [pair("a", "r", low=-0.01, high=0.05), pair("a", "c"), pair("r", "c", True)]
    found = decide("arc", pairs, costs(a=1e9, r=9e9, c=1e9), "r")
    assert (found.recommended, found.whole.simple) == ("r", True)


@pytest.mark.parametrize(("low", "high"), [(0.001, 0.03), (-0.01, 0.051)])
def test_a_rival_that_is_better_or_may_be_much_better_displaces_the_reference(low, high):
    found = decide("ar", [pair("a", "r", low=low, high=high)], costs(a=9e9, r=1e9), "r")
    assert (found.recommended, found.whole.simple) == ("a", False)


def test_the_reference_is_held_against_those_behind_it_too():
    """b did worse on average, and yet may be 6 points better."""
    found = decide("rb", [pair("r", "b", mean=0.01, low=-0.06, high=0.08)], costs(r=9e9, b=9e9), "r")
    assert not found.whole.simple and found.recommended == "r"


def test_a_reference_that_learned_nothing_is_not_taken():
    found = decide("ar", [pair("a", "r", high=0.04)], {"a": Cost(1e9, 1), "r": lost()}, "r")
    assert found.recommended == "a"


# More than the budget

def test_a_dear_one_that_is_better_is_taken_and_what_is_best_within_the_budget_is_known():
    dear = costs(b=1e9, c=1e9) | {"a": Cost(2.1e9, 1000, ratio=2.1)}
    pairs = [pair("a", "b", True), pair("a", "c", True), pair("b", "c", True)]
    found = decide("abc", pairs, dear)
    assert (found.recommended, found.within.recommended, found.within.winner) == ("a", "b", "b")


def test_a_dear_one_that_may_be_better_is_not_taken():
    dear = {"a": Cost(2.1e9, 1000, ratio=2.1), "b": Cost(1e9, 1000)}
    assert decide("ab", [pair("a", "b", mean=0.05, low=-0.02, high=0.12)], dear).recommended == "b"
    assert decide("ab", [pair("a", "b", mean=0.05, low=0.01, high=0.09)], dear).recommended == "a"


def test_a_dear_one_is_taken_where_nothing_else_learned():
    found = decide("ab", [pair("a", "b")], {"a": Cost(2.1e9, 1000, ratio=2.1), "b": lost()})
    assert (found.recommended, found.within.recommended) == ("a", None)


def test_a_little_above_the_budget_is_no_price():
    assert not Cost(1.04e9, 1, ratio=1.04).over and Cost(1.06e9, 1, ratio=1.06).over
