"""Means of weights that one training went through: no training more, and a model as large as one of them.

All numbers with decimals in a state are averaged, the running statistics of batch norm included: our own encoders have
none, and published ones keep those that they were published with. Of a network of the hub that moves them, the mean is
close to, and not the same as, what a pass with the mean weights would count; but nothing is taken here that validation
does not prefer. Validation passes are charged to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

State: TypeAlias = dict[str, Tensor]
Measured: TypeAlias = dict[str, float]  # val_nll, val_score: see `loop.validate`


def state(model: nn.Module) -> State:
    """A copy, which stays as it is."""
    return {key: value.detach().clone() for key, value in model.state_dict().items()}


@dataclass(frozen=True)
class Soup:
    """weights: the mean.  of: how many.  measured: what validation says of it; empty where it is of one."""

    weights: State
    of: int
    measured: Measured


def soup(model: nn.Module, best: Sequence[tuple[float, State]], measure: Callable[[], Measured]) -> Soup:
    """The greedy soup of `best`, validation NLL and weights, the best first (Wortsman et al. 2022, arXiv 2203.05482,
    recipe 1): from the best one on, the next one is taken into the mean where that makes the NLL no higher. Theirs are
    of many trainings, these of one (as in Izmailov et al. 2018, arXiv 1803.05407), so that the mean costs no training.

    measure: of the weights that `model` has; these are left as the last one that was tried.
    """
    (lowest, first), *rest = best
    found = Soup(first, 1, {})
    for _, weights in rest:
        mixed = line(found.weights, weights, 1 / (found.of + 1))
        model.load_state_dict(mixed)
        told = measure()
        if told["val_nll"] <= lowest:
            lowest, found = told["val_nll"], Soup(mixed, found.of + 1, told)
    return found


def line(start: State, end: State, share: float) -> State:
    """(1 - share) * start + share * end, in which share 0 and 1 are these two, bit for bit. What holds whole numbers is
    that of the nearer end.
    """
    if share in (0, 1):
        return dict(end if share else start)
    return {key: torch.lerp(value, end[key], share) if value.is_floating_point() else
            (value if share < 0.5 else end[key]) for key, value in start.items()}


def along(model: nn.Module, start: State, end: State, steps: int, measure: Callable[[], Measured],
          ) -> dict[float, Measured]:
    """Leave `model` with the weights of the lowest validation NLL on the straight line from `start` to `end` (WiSE-FT;
    Wortsman et al. 2021, arXiv 2109.01903, section 3), of equal ones the nearest to the start.

    steps: equal ones from one end to the other.  Returns what was measured, by the share of `end`, 0-1.
    """
    found = dict[float, Measured]()
    for share in (k / steps for k in range(steps + 1)):
        model.load_state_dict(line(start, end, share))
        found[share] = measure()
    model.load_state_dict(line(start, end, min(found, key=lambda share: found[share]["val_nll"])))
    return found
