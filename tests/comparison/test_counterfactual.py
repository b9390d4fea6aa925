"""Whose answers follow which stream, over seeds."""

from __future__ import annotations

import pytest

from trivium.comparison.counterfactual import summary
from trivium.evaluation.metrics import Counterfactuals


def seed(follows: float | None, error: float = 0.0, pairs: int = 100) -> Counterfactuals:
    return Counterfactuals.model_validate({"streams": {"audio": {
        "pairs": pairs, "moved": 0.5, "moved_error": 0.0, "unlike": pairs, "follows": follows, "error": error}}})


def made(*seeds: Counterfactuals, single: bool = True):
    return summary({"one": list(seeds)}, "one", {"one": "One"}, single, 0.95)


def test_the_mean_over_seeds_with_its_t_interval() -> None:
    """0.5 and 0.7: t with one degree of freedom is 12.7 standard errors of 0.1."""
    found = made(seed(0.5), seed(0.7), single=False).strategies["one"]["audio"]
    assert (found.follows.mean, found.follows.low) == pytest.approx((0.6, 0.6 - 1.2706), abs=1e-3)
    assert found.follows.high == 1.0 and found.pairs == 200
    assert made(seed(0.5), seed(0.7)).strategies["one"]["audio"].follows.low == 0.0  # a share of classes


def test_seeds_that_agree_are_as_sure_as_their_samples() -> None:
    found = made(seed(0.6, 0.05), seed(0.6, 0.05)).strategies["one"]["audio"].follows
    assert (found.low, found.high) == pytest.approx((0.6 - 0.0693, 0.6 + 0.0693), abs=1e-3)


def test_never_in_two_hundred_pairs_is_not_never() -> None:
    found = made(seed(0.0), seed(0.0)).strategies["one"]["audio"].follows
    assert (found.low, found.high) == pytest.approx((0.0, 0.01487), abs=1e-4)


def test_the_sentence_names_the_stream_and_what_follows() -> None:
    assert made(seed(0.6, 0.05), seed(0.6, 0.05)).sentence == (
        "With one stream of another sample, the answers of “One” follow audio: in 60 % (53 % to 67 %) of the pairs the "
        "answer becomes that of the other sample.")
    numbers = made(seed(0.6, 0.05), seed(0.6, 0.05), single=False)
    assert "they go 60 % (53 % to 67 %) of the way to that" in numbers.sentence


def test_the_most_followed_stream_is_named_only_where_the_intervals_lie_apart() -> None:
    def said(other: float, single: bool = True) -> str:
        each = seed(0.6, 0.05).streams | {"text": seed(other, 0.05).streams["audio"]}
        return made(*[Counterfactuals(streams=each)] * 2, single=single).sentence

    assert "follow audio most: in 60 % (53 % to 67 %) of the pairs the answer" in said(0.4)
    assert said(0.5) == ("With one stream of another sample, the answers of “One” follow audio in 60 % (53 % to 67 %) "
                         "of the pairs, and no stream surely most.")
    assert said(0.5, False).endswith("follow audio 60 % (53 % to 67 %) of the way, and no stream surely most.")


def test_what_cannot_be_said_is_not_said() -> None:
    found = made(seed(None), seed(0.5))
    assert found.strategies["one"]["audio"].follows is None and found.sentence == ""
    assert made(Counterfactuals()) is None
