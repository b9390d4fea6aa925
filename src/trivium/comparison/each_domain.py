"""Each domain held out in turn: what every strategy gives inside and on the held-out domain (`reports/domains.json`).

"Inside" is the test set of the other domains, "outside" the domain that no seed learned from. Each domain has a
comparison of its own, made as any other, so that its intervals and its verdict are those of `comparison.json`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from trivium.comparison.intervals import Span
from trivium.comparison.out import AsRead, Comparison
from trivium.comparison.transfers import Transfer
from trivium.comparison.verdict import listed
from trivium.data.out import Out, Part
from trivium.drawing import numbers

OUT = Path("reports/domains.json")


class Sides(Part):
    """Of a strategy, in the metric that ranks. drop: by how much it is better inside than outside."""

    title: str
    inside: Span
    outside: Span
    drop: Span


class One(Part):
    """A domain that was held out. n: its rows with a label;  inside: rows of a test set of the others, mean over seeds.
    recommended: by the comparison inside, if anything is;  verdict: what this says;  sentence: of the drops.
    transfer: what a few labels of it are worth, where that was asked for and can be said.
    """

    name: str
    n: int
    inside: float
    strategies: dict[str, Sides]  # best inside first
    recommended: str | None = None
    verdict: str
    sentence: str
    transfer: Transfer | None = None

    @property
    def chosen(self) -> Sides:
        """What is recommended, or else the best."""
        return self.strategies[self.recommended or next(iter(self.strategies))]


class LeftOut(Part):
    """A domain that was not held out. n: its rows with a label."""

    name: str
    n: int
    reason: str


class EachDomain(Out):
    """metric: the one that ranks;  domains: largest first;  sentence: of the drops of what is recommended;  rest: of
    what that is.
    """

    title: str
    metric: AsRead
    seeds: int
    confidence: float
    domains: list[One]
    left: list[LeftOut]
    sentence: str
    rest: str


def gather(found: Mapping[str, Comparison], left: Sequence[LeftOut],
           transfers: Mapping[str, Transfer] | None = None) -> EachDomain:
    """found, transfers: by held-out domain."""
    domains = [_one(name, made, (transfers or {}).get(name)) for name, made in found.items()]
    first = next(iter(found.values()))
    return EachDomain(title=first.dataset.title, metric=first.ranks, seeds=first.settings.seeds,
                      confidence=first.settings.confidence, domains=domains, left=list(left),
                      sentence=_sentence(domains, first), rest=_rest(domains))


def _one(name: str, made: Comparison, transfer: Transfer | None) -> One:
    held = made.domains.held_out if made.domains else None
    assert held is not None and held.name == name, f"a comparison without the held-out domain {name}"
    strategies = {key: Sides(title=made.titles[key], inside=made.strategies[key].metrics[made.metric],
                             outside=held.strategies[key].value, drop=held.strategies[key].drop)
                  for key in made.order if key in held.strategies}
    return One(name=name, n=held.n, inside=made.dataset.test, strategies=strategies,
               recommended=made.verdict.recommended, verdict=made.verdict.sentence,
               sentence=held.sentence, transfer=transfer)


def _sentence(domains: Sequence[One], first: Comparison) -> str:
    metric, drops = first.ranks, {one.name: one.chosen.drop for one in domains}
    clear = [name for name, drop in drops.items() if drop.low > 0]
    whole, unit = numbers.plural(len(domains), "domain"), f" {metric.short}".rstrip()
    mean = f"{metric.number(float(np.mean([drop.mean for drop in drops.values()])))}{unit} of {metric.words}"
    who = "the recommended strategy" if all(one.recommended for one in domains) else (
        "the recommended strategy, or else the best,")
    if len(domains) == 1:
        (name, drop), = drops.items()
        sure = "clearly does worse" if clear else "does not clearly do worse"
        return (f"On {name}, which was held out, {who} {sure} than inside: it loses {metric.number(drop.mean)}{unit} "
                f"of {metric.words} ({metric.number(drop.low)} to {metric.number(drop.high)}).")
    if not clear:
        return (f"On none of {whole} that were held out does {who} clearly do worse than inside: it loses {mean} on "
                "average.")
    worst = max(clear, key=lambda name: drops[name].mean)
    most = drops[worst]
    return (f"On {len(clear)} of {whole} that were held out {who} clearly does worse than inside: "
            f"it loses {mean} on average over all, and most on {worst}, {metric.number(most.mean)} "
            f"({metric.number(most.low)} to {metric.number(most.high)}).")


def _rest(domains: Sequence[One]) -> str:
    counts = Counter(one.strategies[one.recommended].title if one.recommended else "nothing"
                     for one in domains).most_common()
    names = {title: "nothing" if title == "nothing" else f"“{title}”" for title, _ in counts}
    if len(counts) == 1:
        return f"Whichever domain is held out, {names[counts[0][0]]} is recommended by what is left."
    return ("What is recommended depends on the domain that is held out: "
            + listed([f"{names[title]} {numbers.plural(count, 'time')}" for title, count in counts]) + ".")
