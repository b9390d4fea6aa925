"""The verdict in plain words. Every sentence is made of the numbers that stand beside it.

`sentence` is what to do; `reason` is why, and what else is worth knowing. Strategies are called by their titles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trivium.comparison.latency import UNKNOWN, Within
from trivium.comparison.null import Gain
from trivium.comparison.pairs import Pair
from trivium.comparison.verdict import SAME_COST, Choice, Cost, Verdict, listed
from trivium.drawing import numbers
from trivium.tasks.metric import Metric

TRY = ("a larger budget (`budget.{}`)", "more samples", "cleaner labels: look at some rows by hand")
CHEAP = {"compute": "takes less training compute", "parameters": "has fewer parameters"}
SAME = 1e-9  # a smaller difference is none: two strategies did equally well
PUBLISHED = "published weights (an encoder with `weights`)"


@dataclass(frozen=True)
class Words:
    """What the sentences are made of, by the names of strategies. null: what a strategy must surely beat;  published:
    strategy -> what is said of its published weights;  notes: other sentences, such as those about strategies that were
    not begun;  skipped: how many these are;  budget: its setting that counts;  trials: of tuning, of every strategy; 0
    where it is off;  limit: who answers fast enough, where that is asked for.
    """

    titles: Mapping[str, str]
    metric: Metric
    pairs: Sequence[Pair]
    gains: Mapping[str, Gain]
    costs: Mapping[str, Cost]
    confidence: float
    null: str
    published: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    skipped: int = 0
    budget: str = "epochs"
    trials: int = 0
    limit: Within | None = None

    def title(self, name: str) -> str:
        return f"“{self.titles[name]}”"

    def all(self, names: Sequence[str]) -> str:
        return listed([self.title(name) for name in names])

    def price(self, name: str) -> str:
        """A strategy, with its price where that is above the budget. The report adds the seconds to these words."""
        title, cost = self.title(name), self.costs[name]
        return f"{title}, at {numbers.times(cost.ratio)} × the budget" if cost.over else title

    def pair(self, one: str, other: str) -> Pair:
        return next(pair for pair in self.pairs if {pair.a, pair.b} == {one, other})

    def gap(self, pair: Pair) -> str:
        """How much better a is than b."""
        return self.span(pair.difference.mean, pair.difference.low, pair.difference.high)

    def span(self, mean: float, low: float, high: float) -> str:
        more = self.metric.digits(mean)
        said = [self.metric.number(amount, more=more) for amount in (mean, low, high)]
        return f"{said[0]} {self.metric.unit} ({100 * self.confidence:g} % interval {said[1]} to {said[2]})"


def say(verdict: Verdict, words: Words) -> tuple[str, str]:
    """The sentence and the reason."""
    if words.limit and not words.limit.inside:
        return (f"No strategy answers within {words.limit.limit:g} ms, so none is recommended.",
                " ".join([_slow(words.limit, words), *words.notes]))
    said, why = _say(verdict, words)
    if words.limit:
        said = f"Within {words.limit.limit:g} ms, {said[:1].lower()}{said[1:]}"
        why = " ".join(filter(None, [_slow(words.limit, words), why]))
    if words.trials:
        said = f"At {numbers.plural(words.trials, 'trial')} each, {said[:1].lower()}{said[1:]}"
    return said, why


def _say(verdict: Verdict, words: Words) -> tuple[str, str]:
    taken, within = verdict.recommended, verdict.within
    if taken is None:
        return _nothing(verdict.whole, words)
    dear = [name for name in verdict.whole.ranked if words.costs[name].over]
    said, why = _choice(within if within.ranked else verdict.whole, words)
    if dear and within.ranked:
        said = f"Within the budget, {said} {_more(within, taken if taken in dear else dear[0], taken, words)}"
    elif dear:
        said = f"Every strategy costs more than the budget: {said}"
    unlearned = [name for name in verdict.whole.ranked if not words.costs[name].learned]
    if unlearned and within.recommended:
        why.append(f"Not surely better than {words.null}: {words.all(unlearned)}.")
    if taken in words.published:
        why.append(words.published[taken])
    return said[:1].upper() + said[1:], " ".join([*why, *words.notes])


def _slow(limit: Within, words: Words) -> str:
    """Who is left out for being slow, or for not being known to be fast."""
    said, unmeasured = [], [name for name, why in limit.unknown.items() if why == UNKNOWN]
    if limit.slow:
        each = listed([f"{words.title(name)} ({taken:.3g} ms)" for name, taken in limit.slow.items()])
        said.append(f"Slower, and left out: {each}. What counts is one row on one thread, in 95 of 100 calls.")
    for why in dict.fromkeys(limit.unknown.values()):
        names = [name for name, other in limit.unknown.items() if other == why]
        if why != UNKNOWN:
            said.append(f"Left out, since {'it cannot' if len(names) == 1 else 'they cannot'} be exported: "
                        f"{words.all(names)}. {why}")
    if unmeasured:
        said.append(f"Left out, since no latency of {'it' if len(unmeasured) == 1 else 'them'} was measured on this "
                    f"machine: {words.all(unmeasured)}. `dvc repro --force --single-item latency compare` measures it.")
    return " ".join(said)


def _nothing(whole: Choice, words: Words) -> tuple[str, str]:
    name = max(whole.ranked, key=lambda name: words.gains[name].mean)
    gain, count = words.gains[name], len(whole.ranked)
    near = f"Even {words.price(name)}{',' * words.costs[name].over} does no better." if gain.mean <= 0 else (
        f"Closest came {words.price(name)}: better by {words.span(gain.mean, gain.low, gain.high)}"
        + (f", which may be chance among {count} strategies." if gain.low > 0 else "."))
    ways = [TRY[0].format(words.budget), *([] if words.published else [PUBLISHED]), *TRY[1:]]
    begun = f" Only {count} of {count + words.skipped} could be trained within the budget." if words.skipped else ""
    if gain.mean > 0 and gain.failed == 0:  # each of its models learned; what another seed would give is not known
        return (f"Nothing is sure yet: no strategy is surely better than {words.null} on a new seed.{begun}",
                " ".join([near, "The model of every seed is surely better by itself, and so few seeds do not tell how "
                          "much another one may differ: raise `seeds`, five or more are advised.", *words.notes]))
    return (f"Nothing was learned: no strategy is surely better than {words.null}.{begun}",
            " ".join([near, f"Try {', '.join(ways[:-1])}, or {ways[-1]}.", *words.notes]))


def _choice(choice: Choice, words: Words) -> tuple[str, list[str]]:
    """What to take within a set of strategies, and the reasons."""
    if choice.recommended is None:
        return f"no strategy is surely better than {words.null}.", []
    first, take = choice.tied[0], f"take {words.price(choice.recommended)}"
    gain = words.gains[first]
    if len(choice.ranked) == 1:
        return (f"{take}, the only strategy: it is better than {words.null} by "
                f"{words.span(gain.mean, gain.low, gain.high)}."), []
    rest = [name for name in choice.ranked if name != first]
    second = words.pair(first, rest[0])
    if choice.winner:
        others = f", the next best of {len(rest)} others," if len(rest) > 1 else ""
        return (f"{take}: it beats {words.title(second.b)}{others} by {words.gap(second)}.",
                [_sure(second, words, alone=True)])
    lead = _lead(second, words)
    if choice.simple:
        return (f"{take}, which is simple: no other strategy is surely better, and none can be more than "
                f"{words.metric.close_words} better."), [lead]
    if len(choice.level) > 1:
        return _level(choice, words, take, lead)
    if not choice.behind:
        learned = [name for name in rest if words.costs[name].learned]
        no = f"it beats {words.all(learned)}, and no other is" if learned else "no other strategy is"
        return f"{take}: {no} surely better than {words.null}.", [lead]
    near = words.pair(first, choice.behind[0])
    return (f"{take}. It is ahead of {words.title(near.b)} by {words.gap(near)}: likely, but not sure"
            + (f" among {len(words.pairs)} pairs." if len(words.pairs) > 1 else ".")), [_sure(near, words)]


def _level(choice: Choice, words: Words, take: str, lead: str) -> tuple[str, list[str]]:
    """Several that cannot be told apart from the first."""
    first, others, taken = choice.tied[0], choice.level[1:], choice.recommended or ""
    worst = {name: words.pair(first, name).difference.high for name in others}
    rest = [name for name in others if name != taken]
    said = [f"{take}."]
    if taken != first:
        said.append(_cheaper(taken, first, worst[taken], words))
    head, either = ("it", "") if taken == first else (words.title(first), " either")
    apart = f"{words.all(rest)} cannot be told apart from {head}{either}" if rest else ""
    if len(rest) == 1 and (why := _one(choice, words, worst[rest[0]])):
        said.append(f"{apart}, but {listed(why)}.")
    elif rest and (choice.failing or choice.lower or choice.risky):
        said += [f"{apart}.", *_each(choice, words, {name: worst[name] for name in rest})]
    elif rest and taken != first:
        said.append(f"{apart}.")
    elif rest:
        cost = "they cost about the same" if not choice.cheap else "none of them costs clearly less" if len(
            rest) > 1 else f"{words.title(taken)} {CHEAP[choice.cheap]}"
        said.append(f"{apart}, and {cost}.")
    behind = [f"Behind {words.title(first)}, but not surely: {words.all(choice.behind)}."] if choice.behind else []
    price = f"{words.title(taken)} took {numbers.flops(words.costs[taken].flops)} per seed."
    return " ".join(said), [*behind, price, lead]


def _cheaper(taken: str, first: str, worst: float, words: Words) -> str:
    """Why one is taken that is not the first."""
    mine, other, name = words.costs[taken], words.costs[first], words.title(first)
    less = CHEAP["compute" if mine.flops * SAME_COST < other.flops else "parameters"]
    if worst < SAME:
        return f"It answers just as well as {name} and {less}."
    return f"It cannot be told apart from {name}, {less}, and is at most {_amount(worst, words)} behind."


def _one(choice: Choice, words: Words, worst: float) -> list[str]:
    """Why the only other one is not taken."""
    return [*(["failed on more seeds"] if choice.failing else []), *([_lower(choice, words)] if choice.lower else []),
            *([f"may be up to {_amount(worst, words)} worse"] if choice.risky else [])]


def _each(choice: Choice, words: Words, worst: Mapping[str, float]) -> list[str]:
    """Why the others, of which there are several, are not taken: a sentence for each reason, with whom it is about."""
    said, wide = [], [name for name in worst if worst[name] > words.metric.close]
    safe = [name for name in worst if name not in wide]
    if choice.risky:
        who = "Each of them" if not safe else f"All of them but {words.all(safe)}" if len(safe) == 1 else ""
        wide = wide if who else list(choice.risky)
        largest = max(wide, key=lambda name: worst[name])
        if len(wide) == 1:
            said.append(f"{words.title(largest)} may be up to {_amount(worst[largest], words)} worse.")
        else:
            said.append(f"{who or words.all(wide)} may be more than {words.metric.close_words} worse, "
                        f"{words.title(largest)} by up to {words.metric.number(worst[largest])}.")
    if choice.failing:
        said.append(f"{words.all(choice.failing)} failed on more seeds.")
    if choice.lower:
        said.append(f"{words.all(choice.lower)} {_lower(choice, words)}.")
    return said


def _lower(choice: Choice, words: Words) -> str:
    return f"did no better than {words.title(choice.behind[0])}, which is likely behind {words.title(choice.tied[0])}"


def _amount(difference: float, words: Words) -> str:
    return f"{words.metric.number(difference)} {words.metric.short}".rstrip()


def _between(low: float, high: float, words: Words) -> str:
    return (f"{100 * words.confidence:g} % interval of the difference {words.metric.number(low)} to "
            f"{_amount(high, words)}")


def _more(within: Choice, dear: str, taken: str, words: Words) -> str:
    """What more compute than the budget buys: `dear`, which costs more, against the one to take within the budget."""
    name, gain = f"{words.price(dear)},", words.gains[dear]
    if not words.costs[dear].learned:
        return f"More compute buys nothing here: {name} is not surely better than {words.null}."
    if within.recommended is None:
        return f"{name[:1].upper()}{name[1:]} is, by {words.span(gain.mean, gain.low, gain.high)}: take it."
    other, pair = words.title(within.recommended), words.pair(dear, within.recommended)
    ahead, low, high = pair.difference.mean, pair.difference.low, pair.difference.high
    if pair.a != dear:
        ahead, low, high = -ahead, -high, -low
    if abs(ahead) < SAME and low == high:
        return f"More compute buys nothing here: {name} answers just as well as {other}."
    by = (f"on average as good as {other} ({_between(low, high, words)})" if abs(ahead) < SAME else
          f"ahead of {other} by {words.span(ahead, low, high)}" if ahead > 0 else
          f"behind {other} by {words.span(-ahead, -high, -low)}")
    if low > 0:
        sure = "surely" if pair.beats else "likely, but not surely,"
        return f"More compute buys more: {name} is {sure} {by}" + (". Take it." if dear == taken else ".")
    if high <= 0:
        return f"More compute buys nothing here: {name} is {by}."
    simple = " It is simple: take it if you can pay for it." if dear == taken else ""
    return f"Whether more compute buys anything is open: {name} is {by}.{simple}"


def _lead(pair: Pair, words: Words) -> str:
    if abs(pair.difference.mean) < SAME:
        others = [one for one in words.pairs if pair.a in (one.a, one.b)]
        alike = 1 + sum(abs(one.difference.mean) < SAME for one in others)
        if alike > 2:
            return f"{'All' if alike == len(others) + 1 else alike} strategies did equally well."
        return f"{words.title(pair.a)} and {words.title(pair.b)} did equally well."
    return f"{words.title(pair.a)} is ahead of {words.title(pair.b)} by {words.gap(pair)}. {_sure(pair, words)}"


def _sure(pair: Pair, words: Words, alone: bool = False) -> str:
    """How often `a` came out ahead. Where it always did, resampling the seeds cannot put an interval around that.

    alone: for a claim that needs no correction (see `pairs.compare`).
    """
    chance, low, high = pair.outperform
    seeds = pair.seeds
    chances = f" (in a new run: probability {chance:.2f}, {low:.2f} to {high:.2f})" if low < high else ""
    holm = "" if alone else f", {pair.p_holm:.2g} after Holm's correction for all pairs"
    return (f"{words.title(pair.a)} came out ahead on {chance * seeds:g} of {seeds} seeds{chances}; "
            f"p = {pair.difference.p:.2g} against no difference{holm}.")
