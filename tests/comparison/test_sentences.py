"""The verdict, read aloud. Every sentence stands here as a person reads it."""

from tests.comparison.test_verdict import costs, lost, pair
from trivium.comparison.null import Gain
from trivium.comparison.sentences import Words, say
from trivium.comparison.verdict import Cost, decide
from trivium.tasks.classification import METRICS, Classification

TITLES = {"a": "End to end", "b": "Ensemble", "c": "LP-FT", "r": "Reference"}
GAIN = Gain(0.4, 0.35, 0.45, 0.0, 0.0, True, 0.0)
SURE = ("“End to end” came out ahead on 1.5 of 2 seeds (in a new run: probability 0.75, 0.50 to 1.00); p = 0.02 "
        "against no difference")
HOLM = ", 0.04 after Holm's correction for all pairs."


def told(ranked, pairs, cost, reference="", metric="accuracy", gains=None, **more):
    words = Words(TITLES, METRICS[metric], pairs, {name: GAIN for name in ranked} | (gains or {}), cost, 0.95,
                  Classification(["ash", "beech"]).null_words(METRICS[metric], "ash", 0.412), **more)
    return say(decide(ranked, pairs, cost, reference), words)


def test_a_winner():
    """Whose claim needs no correction, and shows none."""
    assert told("ab", [pair("a", "b", True)], costs(a=9e9, b=1e9)) == (
        "Take “End to end”: it beats “Ensemble” by 2.1 points of accuracy (95 % interval 0.4 to 3.8).", SURE + ".")


def test_a_winner_among_many():
    said, _ = told("abc", [pair("a", "b", True), pair("a", "c", True), pair("b", "c")], costs(a=1e9, b=1e9, c=1e9))
    assert said == ("Take “End to end”: it beats “Ensemble”, the next best of 2 others, by 2.1 points of accuracy "
                    "(95 % interval 0.4 to 3.8).")


def test_winning_on_every_seed_is_not_called_certain():
    _, why = told("ab", [pair("a", "b", True, ahead=(1.0, 1.0, 1.0))], costs(a=9e9, b=1e9))
    assert why == "“End to end” came out ahead on 2 of 2 seeds; p = 0.02 against no difference."


def test_the_cheaper_of_two():
    assert told("ab", [pair("a", "b")], costs(a=9e9, b=1e9)) == (
        "Take “Ensemble”. It cannot be told apart from “End to end”, takes less training compute, and is at most 3.8 "
        "points behind.",
        "“Ensemble” took 1.00\N{NO-BREAK SPACE}GFLOP per seed. “End to end” is ahead of “Ensemble” by 2.1 points of "
        f"accuracy (95 % interval −1.0 to 3.8). {SURE}{HOLM}")


def test_the_cheapest_of_three():
    same = {"a": Cost(1.05e9, 3000), "b": Cost(1e9, 3000), "c": Cost(1.0e9, 1000)}
    said, _ = told("abc", [pair("a", "b"), pair("a", "c"), pair("b", "c")], same)
    assert said == ("Take “LP-FT”. It cannot be told apart from “End to end”, has fewer parameters, and is at most 3.8 "
                    "points behind. “Ensemble” cannot be told apart from “End to end” either.")


def test_what_the_one_to_take_has_less_of_is_said_of_those_two():
    """LP-FT has fewer parameters than Ensemble, and more than End to end."""
    other = {"a": Cost(9e9, 1000), "b": Cost(1e9, 3000), "c": Cost(1e9, 2000)}
    said, _ = told("abc", [pair("a", "b"), pair("a", "c"), pair("b", "c")], other)
    assert said.startswith("Take “LP-FT”. It cannot be told apart from “End to end”, takes less training compute, and ")
    said, _ = told("abc", [pair("a", "b"), pair("a", "c"), pair("b", "c")], costs(a=1e9, b=2e9, c=3e9))
    assert said == ("Take “End to end”. “Ensemble” and “LP-FT” cannot be told apart from it, and none of them costs "
                    "clearly less.")


def test_equal_ones_leave_the_cheaper_one():
    assert told("ab", [pair("a", "b", mean=0.0, low=0.0, high=0.0)], costs(a=9e9, b=1e9))[0] == (
        "Take “Ensemble”. It answers just as well as “End to end” and takes less training compute.")


def test_equal_costs():
    said, _ = told("ab", [pair("a", "b")], costs(a=1e9, b=1e9))
    assert said == "Take “End to end”. “Ensemble” cannot be told apart from it, and they cost about the same."


def test_no_one_is_ahead_of_an_equal():
    _, why = told("ab", [pair("a", "b", mean=0.0, low=-0.01, high=0.01)], costs(a=1e9, b=1e9))
    assert why.endswith("“End to end” and “Ensemble” did equally well.")


def test_more_than_two_that_are_equal_are_counted():
    same = {"mean": 0.0, "low": 0.0, "high": 0.0}
    three = [pair("a", "b", **same), pair("a", "c", **same), pair("b", "c", **same)]
    _, why = told("abc", three, costs(a=1e9, b=1e9, c=1e9))
    assert why.endswith("All strategies did equally well.")
    behind = [pair(name, "r", True) for name in "abc"]
    _, why = told("abcr", [*three, *behind], costs(a=1e9, b=1e9, c=1e9, r=1e9))
    assert why.endswith("3 strategies did equally well.")


def test_seventeen_points_with_an_interval_of_5_to_28_are_not_called_no_difference():
    said, _ = told("ab", [pair("a", "b", mean=0.17, low=0.05, high=0.28)], costs(a=9e9, b=1e9))
    assert said == ("Take “End to end”. It is ahead of “Ensemble” by 17.0 points of accuracy (95 % interval 5.0 to "
                    "28.0): likely, but not sure.")


def test_of_one_that_alone_is_left_it_is_said_whom_it_beats():
    none = Cost(1e9, 1000, learned=False)
    pairs = [pair("a", "b", True), pair("a", "c"), pair("b", "c")]
    said, _ = told("abc", pairs, costs(a=9e9, b=1e9) | {"c": none})
    assert said.startswith("Take “End to end”: it beats “Ensemble”, and no other is surely better than ")
    said, _ = told("abc", pairs, costs(a=9e9) | {"b": none, "c": none})
    assert said.startswith("Take “End to end”: no other strategy is surely better than ")


def test_what_may_lose_much_is_said_by_how_much():
    said, _ = told("ab", [pair("a", "b", mean=0.17, low=-0.02, high=0.36)], costs(a=9e9, b=1e9))
    assert said == "Take “End to end”. “Ensemble” cannot be told apart from it, but may be up to 36.0 points worse."


def test_who_failed_more_often_is_named():
    """c failed as often as a did, and is cheaper."""
    three = {"a": Cost(9e9, 1000, 0.2), "b": Cost(1e9, 1000, 0.4), "c": Cost(2e9, 1000, 0.2)}
    said, _ = told("abc", [pair("a", "b"), pair("a", "c"), pair("b", "c")], three)
    assert said == ("Take “LP-FT”. It cannot be told apart from “End to end”, takes less training compute, and is at "
                    "most 3.8 points behind. “Ensemble” cannot be told apart from “End to end” either, but failed on "
                    "more seeds.")


def test_every_number_is_said_of_the_one_that_it_belongs_to():
    def told_of(b, c, r=0.03):
        pairs = [pair("a", "b", mean=0.01, low=-0.2, high=b), pair("a", "c", mean=0.02, low=-0.2, high=c),
                 pair("a", "r", mean=0.015, low=-0.2, high=r), pair("b", "c"), pair("b", "r"), pair("r", "c")]
        return told("abrc", pairs, costs(a=9e9, b=1e9, c=1e9, r=9e9))[0]

    apart = "Take “End to end”. “Ensemble”, “Reference” and “LP-FT” cannot be told apart from it. "
    assert told_of(0.191, 0.551, 0.1) == (
        apart + "Each of them may be more than 5 points worse, “LP-FT” by up to 55.1.")
    assert told_of(0.191, 0.551) == (
        "Take “End to end”. “Ensemble”, “Reference” and “LP-FT” cannot be told apart from it. All of them but "
        "“Reference” may be more than 5 points worse, “LP-FT” by up to 55.1.")
    assert told_of(0.04, 0.551).startswith("Take “Ensemble”. It cannot be told apart from “End to end”, takes less "
                                           "training compute, and is at most 4.0 points behind. “Reference” and ")
    pairs = [pair("a", "b", high=0.01), pair("a", "r", high=0.2), pair("a", "c", high=0.02), pair("b", "r"),
             pair("b", "c"), pair("r", "c")]
    assert told("abrc", pairs, costs(a=1e9, b=9e9, c=9e9, r=9e9))[0] == (
        apart + "“Reference” may be up to 20.0 points worse.")


def test_reasons_stand_in_sentences_of_their_own():
    """Ensemble is behind; LP-FT, which is below it, and Reference, which failed, are neither."""
    pairs = [pair("a", "b", low=0.002), pair("a", "c"), pair("a", "r"), pair("b", "c"), pair("b", "r"), pair("c", "r")]
    failed = costs(a=9e9, b=1e9, c=1e9) | {"r": Cost(1e9, 1000, 0.5)}
    said, why = told("abcr", pairs, failed)
    assert said == (
        "Take “End to end”. “LP-FT” and “Reference” cannot be told apart from it. “Reference” failed on more seeds. "
        "“LP-FT” did no better than “Ensemble”, which is likely behind “End to end”.")
    assert why.startswith("Behind “End to end”, but not surely: “Ensemble”. ")


def test_what_is_behind_is_named():
    pairs = [pair("a", "b"), pair("a", "c", low=0.002), pair("b", "c")]
    _, why = told("abc", pairs, costs(a=3e9, b=2e9, c=1e9))
    assert why.startswith("Behind “End to end”, but not surely: “LP-FT”. “Ensemble” took 2.00")


def test_one_strategy():
    assert told("a", [], costs(a=1e9)) == (
        "Take “End to end”, the only strategy: it is better than always answering “ash” (41.2 % right) by 40.0 points "
        "of accuracy (95 % interval 35.0 to 45.0).", "")


def test_the_reference():
    said, why = told("ar", [pair("a", "r", low=-0.01, high=0.049)], costs(a=1e9, r=9e9), "r")
    assert said == ("Take “Reference”, which is simple: no other strategy is surely better, and none can be more than "
                    "5 points better.")
    assert why.startswith("“End to end” is ahead of “Reference” by 2.1 points of accuracy (95 % interval −1.0 to 4.9).")


def test_nothing_learned():
    near, far = Gain(0.012, -0.01, 0.034, 0.3, 0.6, False, 1.0), Gain(-0.2, -0.3, -0.1, 0.1, 0.6, False, 1.0)
    said, why = told("ab", [pair("a", "b", True)], {"a": lost(), "b": lost()}, gains={"a": near, "b": far})
    assert said == ("Nothing was learned: no strategy is surely better than always answering “ash” (41.2 % right).")
    assert why == ("Closest came “End to end”: better by 1.2 points of accuracy (95 % interval −1.0 to 3.4). Try a "
                   "larger budget (`budget.epochs`), published weights (an encoder with `weights`), more samples, or "
                   "cleaner labels: look at some rows by hand.")
    _, why = told("ab", [pair("a", "b", True)], {"a": lost(), "b": lost()}, gains={"a": far, "b": far},
                  published={"a": "Published."}, notes=["LP-FT was not begun."])
    assert why.startswith("Even “End to end” does no better. Try a larger budget (`budget.epochs`), more samples, or ")
    assert why.endswith("LP-FT was not begun.")
    said, _ = told("ab", [pair("a", "b", True)], {"a": lost(), "b": lost()}, gains={"a": far, "b": far}, skipped=5)
    assert said.endswith("(41.2 % right). Only 2 of 7 could be trained within the budget.")
    _, why = told("ab", [pair("a", "b", True)], {"a": lost(), "b": lost()}, gains={"a": far, "b": far}, budget="flops")
    assert "Try a larger budget (`budget.flops`), published weights" in why


def test_too_few_seeds_are_not_called_nothing_learned():
    """As with two seeds, of which each has a good model."""
    wide = Gain(0.5, -0.24, 1.0, 0.07, 0.14, False, 0.0)
    said, why = told("ab", [pair("a", "b", True)], {"a": lost(), "b": lost()}, gains={"a": wide, "b": wide})
    assert said == ("Nothing is sure yet: no strategy is surely better than always answering “ash” (41.2 % right) on a "
                    "new seed.")
    assert why == ("Closest came “End to end”: better by 50.0 points of accuracy (95 % interval −24.0 to 100.0). The "
                   "model of every seed is surely better by itself, and so few seeds do not tell how much another one "
                   "may differ: raise `seeds`, five or more are advised.")


def test_a_price_has_digits_that_say_something():
    words = told("a", [], costs(a=1e9) | {"a": Cost(7.2e13, 1000, ratio=72061.2)})[0]
    assert "“End to end”, at 72,000 × the budget, the only strategy" in words


def test_nothing_learned_in_other_metrics():
    both, gains = {"a": lost(), "b": lost()}, dict.fromkeys("ab", Gain(0.1, -0.1, 0.3, 0.3, 0.6, False, 1.0))
    assert told("ab", [pair("a", "b")], both, metric="nll", gains=gains)[0] == (
        "Nothing was learned: no strategy is surely better than always giving the class shares of train (0.412 nats).")
    assert told("ab", [pair("a", "b")], both, metric="macro_f1", gains=gains)[0] == (
        "Nothing was learned: no strategy is surely better than its own answers on shuffled labels.")


def test_who_learned_nothing_is_named_beside_a_winner():
    _, why = told("ab", [pair("a", "b", True)], {"a": Cost(9e9, 1000), "b": lost()})
    assert why.endswith(" Not surely better than always answering “ash” (41.2 % right): “Ensemble”.")


def test_likelihoods_are_told_in_nats():
    said, _ = told("ab", [pair("a", "b", True, 0.12, 0.05, 0.19)], costs(a=9e9, b=1e9), metric="nll")
    assert said == "Take “End to end”: it beats “Ensemble” by 0.120 nats (95 % interval 0.050 to 0.190)."


DEAR = {"a": Cost(2.1e9, 1000, ratio=2.1), "b": Cost(1e9, 1000), "c": Cost(1e9, 1000)}


def test_what_more_compute_buys():
    pairs = [pair("a", "b", True, 0.05, 0.02, 0.08), pair("a", "c", True), pair("b", "c", True)]
    said, _ = told("abc", pairs, DEAR)
    assert said == (
        "Within the budget, take “Ensemble”: it beats “LP-FT” by 2.1 points of accuracy (95 % interval 0.4 to 3.8). "
        "More compute buys more: “End to end”, at 2.1 × the budget, is surely ahead of “Ensemble” by 5.0 points of "
        "accuracy (95 % interval 2.0 to 8.0). Take it.")
    pairs[0] = pair("a", "b", False, 0.05, -0.02, 0.12)
    assert told("abc", pairs, DEAR)[0].endswith(
        "Whether more compute buys anything is open: “End to end”, at 2.1 × the budget, is ahead of “Ensemble” by 5.0 "
        "points of accuracy (95 % interval −2.0 to 12.0).")


def test_what_more_compute_does_not_buy():
    pairs = [pair("b", "c", True), pair("b", "a", False, 0.05, 0.02, 0.08), pair("c", "a")]
    assert told("bca", pairs, DEAR)[0].endswith(
        "More compute buys nothing here: “End to end”, at 2.1 × the budget, is behind “Ensemble” by 5.0 points of "
        "accuracy (95 % interval 2.0 to 8.0).")


def test_equal_ones_are_not_ahead_by_nothing():
    equal = pair("b", "a", False, 0.0, 0.0, 0.0)
    pairs = [pair("b", "c", True), equal, pair("c", "a")]
    assert told("bca", pairs, DEAR)[0].endswith(
        "More compute buys nothing here: “End to end”, at 2.1 × the budget, answers just as well as “Ensemble”.")
    pairs[1] = pair("b", "a", False, 0.0, -0.02, 0.02)
    assert told("bca", pairs, DEAR)[0].endswith(
        "Whether more compute buys anything is open: “End to end”, at 2.1 × the budget, is on average as good as "
        "“Ensemble” (95 % interval of the difference −2.0 to 2.0 points).")


def test_what_is_hardly_ahead_has_digits_enough_to_say_so():
    _, why = told("ab", [pair("a", "b", mean=0.0004, low=-0.0011, high=0.0019)], costs(a=1e9, b=1e9))
    assert why.startswith("“End to end” took") and (
        "is ahead of “Ensemble” by 0.04 points of accuracy (95 % interval −0.11 to 0.19)." in why)
    assert METRICS["accuracy"].number(-0.0001, sign=True) == "+0.0"


def test_more_compute_where_the_budget_buys_nothing():
    said, _ = told("ab", [pair("a", "b")], DEAR | {"b": lost()})
    assert said == (
        "Within the budget, no strategy is surely better than always answering “ash” (41.2 % right). “End to end”, at "
        "2.1 × the budget, is, by 40.0 points of accuracy (95 % interval 35.0 to 45.0): take it.")


def test_a_verdict_of_dear_ones_alone():
    assert told("a", [], DEAR)[0] == (
        "Every strategy costs more than the budget: take “End to end”, at 2.1 × the budget, the only strategy: it is "
        "better than always answering “ash” (41.2 % right) by 40.0 points of accuracy (95 % interval 35.0 to 45.0).")


def test_likely_among_many_pairs():
    pairs = [pair("a", "b", low=0.004), pair("a", "c", low=0.002), pair("b", "c")]
    assert told("abc", pairs, costs(a=3e9, b=2e9, c=1e9))[0].endswith("3.8): likely, but not sure among 3 pairs.")


def test_tuning_is_said_first():
    said, _ = told("ab", [pair("a", "b", True)], costs(a=9e9, b=1e9), trials=5)
    assert said == ("At 5 trials each, take “End to end”: it beats “Ensemble” by 2.1 points of accuracy (95 % interval "
                    "0.4 to 3.8).")
