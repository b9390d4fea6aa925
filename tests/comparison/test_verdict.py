from trivium.comparison.intervals import Estimate
from trivium.comparison.pairs import Pair
from trivium.comparison.verdict import Cost, decide


def pair(a, b, beats, mean=0.021, low=None, high=0.038, ahead=(0.75, 0.5, 1.0)):
    low = low if low is not None else 0.004 if beats else -0.01
    return Pair(a, b, Estimate(mean, low, high, 0.01, 0.02), ahead, 0.04, (0.1, 0.2), 0.01, beats)


def costs(**flops):
    return {name: Cost(value, 1000) for name, value in flops.items()}


def test_a_winner():
    found = decide(["a", "b"], [pair("a", "b", True)], costs(a=9e9, b=1e9))
    assert (found.winner, found.tied, found.recommended) == ("a", ("a",), "a")
    assert found.sentence == "a beats b by 2.1 points of accuracy (95 % interval 0.4 to 3.8)."
    assert found.reason == ("a came out ahead of b on 1.5 of 2 seeds (in a new run: probability 0.75, 0.50 to 1.00); "
                            "p = 0.02, 0.04 after Holm's correction.")


def test_winning_on_every_seed_is_not_called_certain():
    found = decide(["a", "b"], [pair("a", "b", True, ahead=(1.0, 1.0, 1.0))], costs(a=9e9, b=1e9))
    assert found.reason == "a came out ahead of b on 2 of 2 seeds; p = 0.02, 0.04 after Holm's correction."


def test_no_difference_means_the_cheaper_one():
    found = decide(["a", "b"], [pair("a", "b", False, low=-0.01)], costs(a=9e9, b=1e9))
    assert (found.winner, found.tied, found.recommended) == (None, ("a", "b"), "b")
    assert found.sentence == "No difference found between a and b at this budget: take the cheaper, b."
    assert found.reason.startswith("b takes the least training compute (1e+09 FLOPs). a is ahead of b by 2.1 points")


def test_a_winner_among_many():
    pairs = [pair("a", "b", True), pair("a", "c", True), pair("b", "c", False)]
    found = decide(["a", "b", "c"], pairs, costs(a=1e9, b=1e9, c=1e9))
    assert found.sentence.startswith("a beats b, the next best of 2 others, by 2.1 points")


def test_only_those_that_nobody_beats_are_tied():
    pairs = [pair("a", "b", False), pair("a", "c", False), pair("b", "c", True)]
    found = decide(["a", "b", "c"], pairs, costs(a=3e9, b=2e9, c=1e9))
    assert (found.tied, found.recommended) == (("a", "b"), "b")


def test_what_is_behind_is_not_recommended_for_being_cheap():
    pairs = [pair("a", "b", False), pair("a", "c", False, low=0.002), pair("b", "c", False)]
    found = decide(["a", "b", "c"], pairs, costs(a=3e9, b=2e9, c=1e9))
    assert (found.winner, found.tied, found.behind, found.recommended) == (None, ("a", "b", "c"), ("c",), "b")
    assert found.sentence == "No difference found between a and b at this budget: take the cheaper, b."
    assert found.reason.startswith("Behind a, but not surely: c. b takes the least training compute (2e+09 FLOPs).")


def test_all_others_behind_make_no_winner_but_leave_one():
    pairs = [pair("a", "b", False, low=0.004), pair("a", "c", False, low=0.002), pair("b", "c", False)]
    found = decide(["a", "b", "c"], pairs, costs(a=3e9, b=2e9, c=1e9))
    assert (found.winner, found.behind, found.recommended) == (None, ("b", "c"), "a")
    assert found.sentence == "No winner at this budget: a is ahead of b and c, but not surely better. Take a."
    assert found.reason.startswith("a is ahead of b by 2.1 points of accuracy (95 % interval 0.4 to 3.8). a came out")


def test_about_the_same_compute_is_no_reason_but_parameters_are():
    same = {"a": Cost(1.05e9, 3000), "b": Cost(1e9, 3000), "c": Cost(1.0e9, 1000)}
    found = decide(["a", "b", "c"], [pair(*names, False) for names in (("a", "b"), ("a", "c"), ("b", "c"))], same)
    assert found.recommended == "c"
    assert found.sentence == "No difference found between a, b and c at this budget: take the cheapest, c."
    assert found.reason.startswith("a, b and c took about the same training compute; c has the fewest parameters "
                                   "(1,000).")


def test_about_as_many_parameters_are_no_reason():
    found = decide(["a", "b"], [pair("a", "b", False)], {"a": Cost(1e9, 1050), "b": Cost(1e9, 1000)})
    assert found.recommended == "a" and "they cost about the same" in found.sentence


def test_equal_costs_leave_the_more_accurate():
    found = decide(["a", "b"], [pair("a", "b", False)], costs(a=1e9, b=1e9))
    assert found.recommended == "a"
    assert found.sentence == ("No difference found between a and b at this budget, and they cost about the same: "
                              "take a, the more accurate here.")


def test_nobody_is_called_more_accurate_who_is_not():
    found = decide(["a", "b"], [pair("a", "b", False, 0.0, -0.01, 0.01)], costs(a=1e9, b=1e9))
    assert found.sentence == ("No difference found between a and b at this budget, and they cost about the same: "
                              "take a.")


def test_who_is_beaten_by_another_than_the_first_is_not_tied():
    """Of ten seeds a wins nine against b, b nine against c, and a only eight against c: c is behind all the same."""
    pairs = [pair("a", "b", True), pair("a", "c", False), pair("b", "c", True)]
    found = decide(["a", "b", "c"], pairs, costs(a=2e9, b=1e9, c=1e9))
    assert (found.winner, found.tied, found.recommended) == ("a", ("a",), "a")


def test_a_gamble_is_not_recommended_for_being_cheap():
    gamble = {"a": Cost(9e9, 1000), "b": Cost(1e9, 1000, failed=0.4)}
    found = decide(["a", "b"], [pair("a", "b", False)], gamble)
    assert (found.tied, found.recommended) == (("a", "b"), "a")
    assert found.sentence.startswith("No difference found between a and b at this budget: take a")


def test_who_failed_more_often_is_named_and_nobody_is_said_to_have_failed_less_than_he_did():
    """c failed as often as a did, and is cheaper."""
    three = {"a": Cost(9e9, 1000, 0.2), "b": Cost(1e9, 1000, 0.4), "c": Cost(2e9, 1000, 0.2)}
    found = decide(["a", "b", "c"], [pair("a", "b", False), pair("a", "c", False), pair("b", "c", False)], three)
    assert found.sentence == ("No difference found between a, b and c at this budget: take c; b failed on more seeds.")


def test_what_may_lose_much_is_not_recommended_for_being_cheap():
    """Two seeds, a far ahead on average, and an interval so wide that nothing can be claimed."""
    found = decide(["a", "b"], [pair("a", "b", False, mean=0.42, low=-0.25, high=1.1)], costs(a=9e9, b=1e9))
    assert (found.winner, found.tied, found.recommended) == (None, ("a", "b"), "a")
    assert found.sentence == ("No difference found between a and b at this budget: take a; b may be more than 5 points "
                              "worse.")
    near = decide(["a", "b"], [pair("a", "b", False, mean=0.02, low=-0.01, high=0.05)], costs(a=9e9, b=1e9))
    assert near.recommended == "b"


def test_nothing_worse_than_what_is_behind_is_recommended():
    pairs = [pair("a", "b", False, low=0.002), pair("a", "c", False), pair("b", "c", False)]
    found = decide(["a", "b", "c"], pairs, costs(a=3e9, b=2e9, c=1e9))
    assert (found.behind, found.recommended) == (("b",), "a")
    assert found.sentence == ("No difference found between a and c at this budget: take a; c did worse than b, which "
                              "is behind.")


def test_a_tenth_of_the_budget_that_a_recipe_leaves_is_no_merit():
    found = decide(["a", "b"], [pair("a", "b", False)], costs(a=1.0e9, b=0.9e9))
    assert found.recommended == "a" and "they cost about the same" in found.sentence


def test_when_nothing_was_learned():
    lost = {"a": Cost(9e9, 1000, 1.0), "b": Cost(1e9, 1000, 1.0)}
    found = decide(["a", "b"], [pair("a", "b", False)], lost)
    assert (found.winner, found.recommended) == (None, "b")
    assert found.sentence.startswith("No strategy learned the task at this budget")


def test_one_that_learned_is_enough():
    half = {"a": Cost(9e9, 1000), "b": Cost(1e9, 1000, 1.0)}
    assert decide(["a", "b"], [pair("a", "b", True)], half).sentence.startswith("a beats b by")


def test_one_strategy():
    found = decide(["a"], [], costs(a=1e9))
    assert (found.winner, found.tied, found.recommended) == (None, ("a",), "a")
