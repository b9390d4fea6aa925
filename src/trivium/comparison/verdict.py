"""Who wins, and which one to take: from all pairs, gains over the null and costs to a choice. `sentences` says it.

Within a set of strategies (those that the budget pays for; all of them) the one to take is

- nobody, where none is surely better than the null,
- the reference, unless an interval says that a rival is better, or lets one be better by more than `Metric.close`,
- the winner, where there is one,
- else the cheapest of those that nobody beats and that are not behind the first: fewest training FLOPs, then fewest
  parameters, then the higher rank; never one that is not surely better than the null, that failed on more seeds than
  the first did, that is worse than one that is behind, or that may lose more than `Metric.close` to the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trivium.comparison.pairs import Pair
from trivium.tasks.metric import CLOSE

SAME_COST = 1.2  # costs within this factor count as equal: that a recipe may spend 0.9 of the budget is no merit
OVER = 1.05  # times the budget: what is above costs more than the budget, and that is said


@dataclass(frozen=True)
class Cost:
    """What a strategy takes. flops: of training, its recipe included. failed: share of seeds that are not better than
    the null, 0-1. ratio: flops over the budget. learned: whether it is surely better than the null."""

    flops: float
    parameters: float
    failed: float = 0.0
    ratio: float = 1.0
    learned: bool = True

    @property
    def over(self) -> bool:
        return self.ratio > OVER


@dataclass(frozen=True)
class Choice:
    """Within a set of strategies. ranked: all of them, best first. tied: those that learned and that no strategy of the
    set beats, best first. winner: the only one of these that nothing else ties with, or None. behind: those of the tied
    whose interval says that the first does better, as long as nothing else is compared: too little to claim it among
    many pairs, too much to take one of them for being cheap. failing, lower, risky: the other reasons not to take one.
    cheap: what the recommended one is the cheapest in, "compute" or "parameters", and how many cost the same.
    simple: whether it is taken for being the reference.
    """

    ranked: tuple[str, ...]
    winner: str | None
    tied: tuple[str, ...]
    behind: tuple[str, ...]
    recommended: str | None
    failing: tuple[str, ...] = ()
    lower: tuple[str, ...] = ()
    risky: tuple[str, ...] = ()
    cheap: str = ""
    simple: bool = False

    @property
    def level(self) -> tuple[str, ...]:
        """The tied ones that are not behind."""
        return tuple(name for name in self.tied if name not in self.behind)


@dataclass(frozen=True)
class Verdict:
    """whole: among all strategies.  within: among those that the budget pays for.

    recommended: the choice within the budget, unless the choice among all costs more and is better by its interval, or
    simple; or nothing within the budget learned.
    """

    whole: Choice
    within: Choice
    recommended: str | None


def decide(ranked: Sequence[str], pairs: Sequence[Pair], costs: Mapping[str, Cost], reference: str = "",
           close: float = CLOSE) -> Verdict:
    """The verdict on strategies `ranked` by the metric, best first; `reference`: the simple one, "" without; close: a
    difference that is as good as none, see `Metric.close`.
    """
    whole = choose(ranked, pairs, costs, reference, close)
    within = choose([name for name in ranked if not costs[name].over], pairs, costs, reference, close)
    best = whole.recommended
    dear = best is not None and costs[best].over and (
        within.recommended is None or whole.simple or ahead(pairs, best, within.recommended)[0] > 0)
    return Verdict(whole, within, best if dear else within.recommended)


def choose(ranked: Sequence[str], pairs: Sequence[Pair], costs: Mapping[str, Cost], reference: str = "",
           close: float = CLOSE) -> Choice:
    """See the head of this file. pairs: of these and perhaps of others."""
    pairs = [pair for pair in pairs if pair.a in ranked and pair.b in ranked]
    beaten = {pair.b for pair in pairs if pair.beats}
    tied = tuple(name for name in ranked if name not in beaten and costs[name].learned)
    if not tied:
        return Choice(tuple(ranked), None, (), (), None)
    first = tied[0]
    gaps = {pair.b: pair.difference for pair in pairs if pair.a == first}
    behind = tuple(name for name in tied[1:] if gaps[name].low > 0)
    last = min((ranked.index(name) for name in behind), default=len(ranked))
    others = [name for name in tied[1:] if name not in behind]
    failing = tuple(name for name in others if costs[name].failed > costs[first].failed)
    lower = tuple(name for name in others if ranked.index(name) > last and name not in failing)
    risky = tuple(name for name in others if gaps[name].high > close and name not in failing + lower)
    safe = [name for name in (first, *others) if name not in failing + lower + risky]
    alone = all(name in beaten for name in ranked if name != first)
    winner = first if alone and len(ranked) > 1 else None
    recommended, cheap = _cheapest(safe, costs)
    if simple := keeps(reference, tied, pairs, close):
        recommended, cheap = reference, ""
    return Choice(tuple(ranked), winner, tied, behind, recommended, failing, lower, risky, cheap, simple)


def keeps(reference: str, tied: Sequence[str], pairs: Sequence[Pair], close: float = CLOSE) -> bool:
    """Whether the reference is the one to take for being simple: no rival's interval against it says that the rival is
    better, or reaches beyond `close`."""
    rivals = [pair.b if pair.a == reference else pair.a for pair in pairs if reference in (pair.a, pair.b)]
    against = [ahead(pairs, rival, reference) for rival in rivals]
    return reference in tied and all(low <= 0 and high <= close for low, high in against)


def ahead(pairs: Sequence[Pair], one: str, other: str) -> tuple[float, float]:
    """The interval of how much better `one` is than `other`."""
    pair = next(pair for pair in pairs if {pair.a, pair.b} == {one, other})
    low, high = pair.difference.low, pair.difference.high
    return (low, high) if pair.a == one else (-high, -low)


def _cheapest(names: Sequence[str], costs: Mapping[str, Cost]) -> tuple[str, str]:
    """The cheapest of `names`, and what it has less of than another one: "compute", "parameters" or ""."""
    flops = min(costs[name].flops for name in names)
    left = [name for name in names if costs[name].flops <= SAME_COST * flops]
    parameters = min(costs[name].parameters for name in left)
    small = [name for name in left if costs[name].parameters <= SAME_COST * parameters]
    if len(small) < len(left):
        return small[0], "parameters"
    return small[0], "compute" if len(left) < len(names) else ""


def listed(names: Sequence[str]) -> str:
    """a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
