"""How many samples each analysis can afford: encoders differ a thousandfold in what a pass costs.

Costs are counted in FLOPs on a real pass; a backward pass is twice a forward one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trivium.training import budget

if TYPE_CHECKING:
    from trivium.encoders.base import Encoder
    from trivium.modalities.spec import Spec

LEAST = 32  # samples: fewer say next to nothing about an accuracy


@dataclass(frozen=True)
class Wish:
    """What an analysis would like: `rows` samples at `cost` FLOPs each; fewer than `least` are of no use to it."""

    rows: int
    cost: float
    least: int

    @classmethod
    def of(cls, rows: int, cost: float) -> Wish:
        """Of an analysis that takes as many as it gets, but not fewer than `LEAST` where it wished for as many."""
        return cls(rows, cost, min(LEAST, rows))


def grant(wishes: Mapping[str, Wish], allowance: float) -> dict[str, int]:
    """Rows of each analysis, 0 where not even the least of it is paid for. Together they cost at most `allowance`.

    Each gets its least, the first before the others; then all get the same share of what they miss.
    """
    found: dict[str, int] = {}
    left = allowance
    for name, wish in wishes.items():
        found[name] = wish.least if wish.least * wish.cost <= left else 0
        left -= found[name] * wish.cost
    more = {name: wish.rows - wish.least for name, wish in wishes.items() if found[name]}
    missing = sum(count * wishes[name].cost for name, count in more.items())
    share = min(1.0, left / missing) if missing else 1.0
    return found | {name: found[name] + int(share * count) for name, count in more.items()}


def per_pass(encoder: Encoder, spec: Spec) -> Callable[[float], float]:
    """FLOPs of a pass of one sample by its number of tokens, which counts where padding is cut off: published texts."""
    cost = budget.passes(deepcopy(encoder).cpu(), spec)
    whole = spec.shape[0]
    return lambda tokens: cost(max(1, round(tokens)) if encoder.published and spec.kind == "tokens" else whole)
