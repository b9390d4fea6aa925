"""What each stream gives to one model: Shapley values, exact over all subsets of streams; where there are more than
`EXACT` streams, of sampled orders in which they join, each with its reverse (Castro et al. 2009; Mitchell et al. 2022).

An absent stream is one that comes from another sample (permuted, not zeroed): a model was never shown zeros, and what
it says of them is not about the stream. All absent streams come from the *same* other sample, so that what is
absent still hangs together: the value of a subset is the interventional expectation (Janzing et al. 2020).

Legend: `B` samples, `M` streams, `P` orders, `C` outputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, combinations

import numpy as np
import torch
from torch import Tensor

from trivium.data.store import Batch
from trivium.evaluation import encoded
from trivium.evaluation.metrics import Contribution, Worth
from trivium.models.network import Model
from trivium.tasks import Task

ORDERS = 6  # permutations that each value is averaged over
EXACT = 8  # streams; each further one doubles the subsets
JOINS = 24  # sampled orders of joining; their values add up to what all are worth less what none is, as exact ones do


@torch.no_grad()
def contribution(model: Model, batch: Batch, orders: int = ORDERS) -> Contribution:
    """Of an encoded `batch`. orders: samples that an absent stream is taken from, for each."""
    others = encoded.cycles(len(batch), orders, seed=0)
    parts = model.task.parts(batch.y)
    values = dict[tuple[str, ...], np.ndarray]()

    def value(s: tuple[str, ...]) -> np.ndarray:
        if s not in values:
            values[s] = _value(model.task, restricted(model, batch, s, others), batch.y, list(parts.values()))
        return values[s]

    phi = (shapley if len(model.streams) <= EXACT else sampled)(model.streams, value)
    return Contribution(
        score={m: float(phi[m][0]) for m in model.streams},
        log_probability={m: float(phi[m][1]) for m in model.streams},
        parts={name: {m: float(phi[m][2 + k]) for m in model.streams} for k, name in enumerate(parts)},
        subsets={"+".join(s) or "none": Worth(score=float(value[0]), log_probability=float(value[1]))
                 for s, value in values.items()},
    )


def subsets(streams: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """All subsets, the empty one first; of more than `EXACT` streams those of at most two, of all but one, and of all.
    """
    count = len(streams)
    sizes = range(count + 1) if count <= EXACT else (0, 1, 2, count - 1, count)
    return chain.from_iterable(combinations(streams, k) for k in sizes)


def restricted(model: Model, batch: Batch, shown: Sequence[str], others: Tensor) -> Tensor:
    """Answers [P, B, C] when only `shown` are a sample's own; others: int64 [P, B], see `encoded.cycles`."""
    absent = [m for m in model.streams if m not in shown]
    read = [m for m in absent if m in encoded.readers(model)]
    orders = others if read else others[:1]
    found = [encoded.shuffle(model, batch, absent, order) for order in orders]
    return torch.stack([encoded.answer(model, one) for one in found]).expand(len(others), -1, -1)


def shapley(players: Sequence[str], value: Callable[[tuple[str, ...]], np.ndarray]) -> dict[str, np.ndarray]:
    """Shapley (1953): each player's marginal value, averaged over the orders in which players can join.

    value: of a subset, its players in the order of `players`.
    """
    phi = {}
    for player in players:
        rest = [p for p in players if p != player]
        total = np.zeros_like(value(()))
        for s in subsets(rest):
            weight = math.factorial(len(s)) * math.factorial(len(rest) - len(s)) / math.factorial(len(players))
            joined = tuple(p for p in players if p == player or p in s)
            total = total + weight * (value(joined) - value(s))
        phi[player] = total
    return phi


def sampled(players: Sequence[str], value: Callable[[tuple[str, ...]], np.ndarray], joins: int = JOINS,
            ) -> dict[str, np.ndarray]:
    """As `shapley`, from `joins` random orders, an even number of which each second one is the reverse of the first."""
    draw = np.random.default_rng(0)
    phi = {player: np.zeros_like(value(())) for player in players}
    for _ in range(joins // 2):
        order = draw.permutation(len(players)).tolist()
        for walk in (order, order[::-1]):
            before = value(())
            for k in range(len(walk)):
                now = value(tuple(players[place] for place in sorted(walk[: k + 1])))
                phi[players[walk[k]]] += (now - before) / (joins // 2 * 2)
                before = now
    return phi


def _value(task: Task, answers: Tensor, y: Tensor, parts: Sequence[Tensor]) -> np.ndarray:
    """[2 + parts]: score, mean log-likelihood of the targets, score on each part of the samples."""
    right = task.right(answers, y).mean(0)  # [B]
    own = task.log_likelihood(answers, y).mean(0)
    return np.array([right.mean().item(), own.mean().item(), *(right[part].mean().item() for part in parts)])
