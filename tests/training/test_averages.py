"""Means of weights: taken where validation gets no worse, and the ends of a line are its two models."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from trivium.training import averages


class Number(nn.Module):
    """A weight, and a count that is no number with decimals."""

    def __init__(self, value: float = 0.0, count: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(value))
        self.register_buffer("count", torch.tensor(count))


def state(value: float, count: int = 0) -> averages.State:
    return averages.state(Number(value, count))


def far_from_one(model: Number) -> averages.Measured:
    return {"val_nll": (model.weight.item() - 1) ** 2, "val_score": 0.0}


def test_a_soup_takes_what_makes_validation_no_worse() -> None:
    """0.5 and 1.5 are right on average; 4 would spoil that, and with -1 it is as far from 1 as 0.5 alone was."""
    model = Number()
    best = [(0.25, state(0.5)), (0.25, state(1.5)), (9.0, state(4.0)), (4.0, state(-1.0))]
    found = averages.soup(model, best, lambda: far_from_one(model))
    assert (found.weights["weight"].item(), found.of) == (1.0, 2)
    assert found.measured == {"val_nll": 0.0, "val_score": 0.0}
    equal = averages.soup(model, [(1.0, state(0.0)), (1.0, state(0.0))], lambda: far_from_one(model))
    assert (equal.weights["weight"].item(), equal.of) == (0.0, 2)


def test_a_soup_of_three_is_their_plain_mean() -> None:
    model = Number()
    found = averages.soup(model, [(1.0, state(3.0)), (1.0, state(5.0)), (1.0, state(10.0))],
                          lambda: {"val_nll": 0.5, "val_score": 0.0})
    assert (found.weights["weight"].item(), found.of) == (pytest.approx(6.0), 3)


def test_the_best_alone_is_left_as_it_was_and_nobody_is_asked() -> None:
    first = state(0.3)
    found = averages.soup(Number(), [(1.0, first)], lambda: pytest.fail("validation was asked"))
    assert found.weights is first and (found.of, found.measured) == (1, {})


def test_the_ends_of_a_line_are_its_two_models_bit_for_bit() -> None:
    start, end = ({"weight": torch.tensor([one, 1e30, 0.1]), "count": torch.tensor(k)}
                  for one, k in ((-0.0, 3), (7.0, 8)))
    for share, expected in ((0, start), (0.0, start), (1, end), (1.0, end)):
        found = averages.line(start, end, share)
        assert all(found[key].numpy().tobytes() == value.numpy().tobytes() for key, value in expected.items())
    between = averages.line(start, end, 0.25)
    assert between["weight"][0] == 1.75 and between["count"] == 3
    assert averages.line(start, end, 0.5)["count"] == 8


@pytest.mark.parametrize(("measured", "weight"), [([0.1, 0.2, 0.3], 2.0), ([0.3, 0.2, 0.1], 4.0),
                                                  ([0.3, 0.1, 0.2], 3.0), ([0.1, 0.1, 0.1], 2.0)])
def test_validation_chooses_the_place_on_the_line(measured: list[float], weight: float) -> None:
    """Of equal ones the nearest to the start."""
    model, told = Number(), iter(measured)
    seen = list[float]()

    def measure() -> averages.Measured:
        seen.append(model.weight.item())
        return {"val_nll": next(told), "val_score": 0.0}

    found = averages.along(model, state(2.0), state(4.0), 2, measure)
    assert seen == [2.0, 3.0, 4.0] and list(found) == [0.0, 0.5, 1.0]
    assert [one["val_nll"] for one in found.values()] == measured
    assert model.weight.item() == weight


def test_a_copy_of_a_state_does_not_move_with_the_model() -> None:
    model = Number(1.0)
    kept = averages.state(model)
    with torch.no_grad():
        model.weight.fill_(2.0)
    assert kept["weight"].item() == 1.0 and not kept["weight"].requires_grad


def test_running_statistics_are_averaged_and_counters_are_not() -> None:
    def of(mean: float, batches: int) -> Iterator[tuple[str, torch.Tensor]]:
        norm = nn.BatchNorm1d(1)
        norm.running_mean.fill_(mean)
        norm.num_batches_tracked.fill_(batches)
        yield from averages.state(norm).items()

    found = averages.line(dict(of(2.0, 10)), dict(of(4.0, 20)), 0.25)
    assert (found["running_mean"].item(), found["num_batches_tracked"].item()) == (2.5, 10)
    nn.BatchNorm1d(1).load_state_dict(found)
