"""Whether orders of deletion are better than random ones, over seeds."""

from __future__ import annotations

import pytest

from trivium.comparison.attribution import summary
from trivium.evaluation.metrics import Attribution


def seed(area: float, rollout: float | None = None, rest: float = 0.1) -> Attribution:
    return Attribution.model_validate({
        "deletion": {"text": {"area": area, "rollout": rollout, "random": 0.6}}, "samples": [],
        "complete": {"text": {"whole": 2.0, "rest": rest}}})


def test_an_order_that_is_always_better_is_called_that() -> None:
    found = summary({"one": [seed(a) for a in (0.40, 0.41, 0.39)]}, 0.95)
    gain = found.gains["area"]["one"]["text"]
    assert gain.by == pytest.approx(0.2) and gain.better and 0.17 < gain.span.low < 0.18 and gain.random == 0.6
    assert found.gains["rollout"] == {} and found.rest == {"text": pytest.approx(0.05)}
    assert found.sentence == (
        "To take away what spoke most first costs the answer surely more than a random order in 1 of 1 pair of "
        "strategy and stream; on average, the area under the curve is smaller by 0.20.")


def test_one_that_is_better_by_chance_is_not() -> None:
    found = summary({"one": [seed(0.4, 0.7), seed(0.9, 0.65)], "two": [seed(0.5), seed(0.55)]}, 0.95)
    assert not found.gains["area"]["one"]["text"].better
    assert found.gains["rollout"]["one"]["text"].by == pytest.approx(-0.075) and "two" not in found.gains["rollout"]
    assert "what the encoder looks at most first costs the answer surely more than a random order in 0 of 1 pair" in (
        found.sentence) and "larger by 0.08" in found.sentence


def test_among_many_pairs_more_must_be_shown() -> None:
    """p = 0.02 of three seeds is enough alone, and not among twenty."""
    seeds = [seed(a) for a in (0.40, 0.45, 0.35)]
    assert summary({"one": seeds}, 0.95).gains["area"]["one"]["text"].better
    many = summary({str(k): seeds for k in range(20)}, 0.95)
    assert not any(of["text"].better for of in many.gains["area"].values())


def test_a_single_seed_has_no_interval() -> None:
    gain = summary({"one": [seed(0.4)]}, 0.95).gains["area"]["one"]["text"]
    assert gain.span is None and not gain.better
    assert summary({"one": [Attribution(deletion={}, samples=[])]}, 0.95) is None
