"""Who wins, and which one to take: from all pairs to two sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trivium.comparison.pairs import Pair

SAME_COST = 1.2  # costs within this factor count as equal: that a recipe may spend 0.9 of the budget is no merit
RISK = 0.05  # of accuracy: what may lose more than this to the most accurate is not taken for being cheap


@dataclass(frozen=True)
class Cost:
    """What a strategy takes. flops: of training, pretraining included. failed: share of seeds at chance level, 0-1."""

    flops: float
    parameters: float
    failed: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """`tied`: those that no strategy beats, best first. `winner`: the only one of these, or None; it beats every other
    strategy, or one that does. `behind`: those of the tied whose interval says that the first does better, as long as
    nothing else is compared: too little to claim it among many pairs, too much to take one of them for being cheap.
    """

    winner: str | None
    tied: tuple[str, ...]
    behind: tuple[str, ...]
    recommended: str
    sentence: str
    reason: str


def decide(
    ranked: Sequence[str], pairs: Sequence[Pair], costs: Mapping[str, Cost], confidence: float = 0.95
) -> Verdict:
    """The verdict on strategies `ranked` by accuracy, best first.

    Without a winner, the cheapest of the tied ones that are not behind is recommended: fewest training FLOPs, then
    fewest parameters, then the higher rank; never one that failed on more seeds than the first did, that is less
    accurate than one that is behind, or whose interval lets it lose more than `RISK` to the first.
    """
    beaten = {pair.b for pair in pairs if pair.beats}
    tied = tuple(name for name in ranked if name not in beaten)
    first = ranked[0]
    clear = {pair.b for pair in pairs if pair.a == first and pair.difference.low > 0}
    behind = tuple(name for name in tied if name in clear)
    level = [name for name in tied if name not in clear]
    failing = [name for name in level if costs[name].failed > costs[first].failed]
    most = {pair.b: pair.difference.high for pair in pairs if pair.a == first}
    last = min((ranked.index(name) for name in behind), default=len(ranked))
    lower = [name for name in level if ranked.index(name) > last and name not in failing]
    risky = [name for name in level[1:] if most[name] > RISK and name not in failing + lower]
    safe = [name for name in level if name not in failing + lower + risky]
    recommended, dearer, price = _cheapest(safe, costs)
    if all(cost.failed == 1 for cost in costs.values()):
        return Verdict(None, tied, behind, recommended, "No strategy learned the task at this budget: none is surely "
                       "better than always giving the most common label. The one to start from is "
                       f"{recommended}.", price)
    if len(ranked) == 1:
        return Verdict(None, tied, (), first, f"{first} is the only strategy: there is nothing to compare it with.", "")
    second = next(pair for pair in pairs if (pair.a, pair.b) == (first, ranked[1]))
    if len(tied) == 1:
        others = "" if len(ranked) == 2 else f", the next best of {len(ranked) - 1} others,"
        return Verdict(first, tied, (), first,
                       f"{first} beats {second.b}{others} by {_gap(second, confidence)}.", _sure(second))
    lead = f"{first} is ahead of {second.b} by {_gap(second, confidence)}. {_sure(second)}"
    if len(level) == 1:
        return Verdict(None, tied, behind, first,
                       f"No winner at this budget: {first} is ahead of {listed(behind)}, but not surely better. "
                       f"Take {first}.", lead)
    few = len(level) == 2
    if failing or lower or risky:
        why = [f"{listed(failing)} failed on more seeds"] if failing else []
        why += [f"{listed(lower)} did worse than {ranked[last]}, which is behind"] if lower else []
        why += [f"{listed(risky)} may be more than {100 * RISK:.0f} points worse"] if risky else []
        advice = f": take {recommended}; {listed(why)}"
    elif dearer:
        advice = f": take the {'cheaper' if few else 'cheapest'}, {recommended}"
    else:
        ahead = f", the {'more' if few else 'most'} accurate here" if second.difference.mean > 0 else ""
        advice = f", and they cost about the same: take {recommended}{ahead}"
    rest = f"Behind {first}, but not surely: {listed(behind)}." if behind else ""
    return Verdict(None, tied, behind, recommended,
                   f"No difference found between {listed(level)} at this budget{advice}.",
                   " ".join(filter(None, (rest, price, lead))))


def _cheapest(names: Sequence[str], costs: Mapping[str, Cost]) -> tuple[str, bool, str]:
    """The cheapest of `names`, whether any other costs more, and the sentence that says in what respect it does."""
    flops = min(costs[name].flops for name in names)
    left = [name for name in names if costs[name].flops <= SAME_COST * flops]
    if len(left) == 1 < len(names):
        return left[0], True, f"{left[0]} takes the least training compute ({flops:.2g} FLOPs)."
    parameters = min(costs[name].parameters for name in left)
    small = [name for name in left if costs[name].parameters <= SAME_COST * parameters]
    took = f"{listed(left)} took {'about the same' if len(left) == len(names) else 'the least'} training compute"
    if len(small) < len(left):
        reason = f"{took}; {small[0]} has the fewest parameters ({parameters:,.0f})." if len(small) == 1 else (
            f"{took}; {listed(small)} have the fewest parameters, and {small[0]} is the most accurate of them.")
        return small[0], True, reason
    return small[0], len(left) < len(names), f"{took}." if len(left) > 1 else ""


def _gap(pair: Pair, confidence: float) -> str:
    d = pair.difference
    low, high = 100 * d.low, 100 * d.high
    return f"{100 * d.mean:.1f} points of accuracy ({100 * confidence:g} % interval {low:.1f} to {high:.1f})"


def _sure(pair: Pair) -> str:
    """How often `a` came out ahead. Where it always did, resampling the seeds cannot put an interval around that."""
    chance, low, high = pair.outperform
    seeds = len(pair.mcnemar)
    chances = f" (in a new run: probability {chance:.2f}, {low:.2f} to {high:.2f})" if low < high else ""
    return (f"{pair.a} came out ahead of {pair.b} on {chance * seeds:g} of {seeds} seeds{chances}; "
            f"p = {pair.difference.p:.2g}, {pair.p_holm:.2g} after Holm's correction.")


def listed(names: Sequence[str]) -> str:
    """a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
