"""Domain shift: what strategies lose on a domain that none learned from, and where in the test set they do well.

Domains are known where the data names them; one of them may be held out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from trivium.comparison.bootstrap import points, replicates
from trivium.comparison.intervals import Estimate, Span, estimate, seen
from trivium.comparison.outcomes import Evaluated, load
from trivium.comparison.pairs import Results, Rules
from trivium.comparison.significance import holm
from trivium.data.out import Part
from trivium.evaluation import metrics

STREAM = 1  # of random weights: another one than the test set's, since the samples are others


class Away(Part):
    """On the held-out domain. value: the metric that ranks;  drop: by how much it is better on the test set;  metrics:
    all of them, means over seeds.
    """

    value: Span
    drop: Span
    metrics: dict[str, float]


class Held(Part):
    """The held-out domain. n: its samples;  least: the strategy that clearly loses least;  sentence: what follows."""

    name: str
    n: int
    strategies: dict[str, Away]
    least: str | None = None
    sentence: str


class Within(Part):
    """A domain of the test set. n: its samples, mean over seeds;  score: per strategy, with the worst and best seed."""

    n: float
    score: dict[str, Span]


class Domains(Part):
    held_out: Held | None = None
    by: dict[str, Within]


def summary(found: Evaluated, folder: Path, results: Results, rules: Rules) -> Domains | None:
    """None where the data knows no domains.

    found, results: of the test sets;  folder: where `found` was read from. Raises: UserError (see `outcomes.load`).
    """
    measured = {name: [seed.domain for seed in one.seeds if seed.domain] for name, one in found.metrics.items()}
    by = _by({name: [one.by for one in seeds if one.by] for name, seeds in measured.items()})
    held = {name: [one.held_out for one in seeds if one.held_out] for name, seeds in measured.items()}
    first = next((seeds[0] for seeds in held.values() if seeds), None)
    titles = {name: one.title for name, one in found.metrics.items()}
    away = _away(held, first.name, first.n, folder, results, rules, titles) if first else None
    return Domains(held_out=away, by=by) if away or by else None


def _away(held: Mapping[str, Sequence[metrics.HeldOut]], domain: str, n: int, folder: Path, results: Results,
          rules: Rules, titles: Mapping[str, str]) -> Held:
    names = list(held)
    elsewhere = load(folder, names, "held_out.parquet")
    outcomes, metric, of = list(elsewhere.outcomes.values()), rules.metric, elsewhere.task.weighted
    key, up = metric.key, metric.upward
    value = points(outcomes, of, (key,), rules.bins, elsewhere.weights)[key]
    resampled = replicates(outcomes, elsewhere.units, rules.resamples, of, (key,), rules.bins, STREAM,
                           elsewhere.weights)[key]
    drop, drops = up(results.points[key]) - up(value), up(results.replicates[key]) - up(resampled)
    lost = {name: estimate(drop[s], drops[:, s], rules.confidence, rules.overlap).within(-metric.most, metric.most)
            for s, name in enumerate(names)}
    strategies = {
        name: Away(
            value=estimate(value[s], resampled[:, s], rules.confidence, rules.overlap).within(
                metric.lowest, metric.highest).span,
            drop=lost[name].span,
            metrics={one: float(np.mean([seed.metrics[one] for seed in held[name]]))
                     for one in held[name][0].metrics},
        ) for s, name in enumerate(names)
    }
    least = _least(names, drop, drops, rules)
    return Held(name=domain, n=n, strategies=strategies, least=least,
                sentence=_sentence(domain, lost, least, rules, titles))


def _least(names: Sequence[str], drop: np.ndarray, drops: np.ndarray, rules: Rules) -> str | None:
    """The strategy whose drop is clearly smaller than that of every other one; drop [S, J], drops [R, S, J].

    All comparisons must hold at once, so they need no adjustment (intersection-union test, Berger 1982).
    """
    best = int(np.argmin(drop.mean(1)))
    others = [s for s in range(len(names)) if s != best]
    clear = [estimate(drop[s] - drop[best], drops[:, s] - drops[:, best], rules.confidence, rules.overlap).low > 0
             for s in others]
    return names[best] if others and all(clear) else None


def _sentence(domain: str, lost: Mapping[str, Estimate], least: str | None, rules: Rules, titles: Mapping[str, str],
              ) -> str:
    where, metric = f"the held-out domain {domain}", rules.metric
    if not least and min(holm([one.p for one in lost.values()])) > 1 - rules.confidence:
        return f"No strategy's {metric.words} on {where} clearly differs from that on its test set."
    drops = [one.mean for one in lost.values()]
    worse, verb, sign = (True, "loses least", 1) if max(drops) > 0 else (False, "gains most", -1)
    way = "below" if worse == metric.higher else "above"
    ends = sorted(sign * drop for drop in drops)
    span = " to ".join(metric.number(end) for end in dict.fromkeys((ends[0], ends[-1])))
    words = metric.words[:1].upper() + metric.words[1:]
    said = f"{words} on {where} is {span} {metric.short}".rstrip() + f" {way} that on the test set"
    if least:
        low, high = sorted((sign * lost[least].low, sign * lost[least].high))
        own = f"{metric.number(sign * lost[least].mean)} {metric.short}".rstrip()
        return f"{said}; “{titles[least]}” {verb}, {own} ({metric.number(low)} to {metric.number(high)})."
    return f"{said}; no strategy clearly {verb}." if len(drops) > 1 else f"{said}."


def _by(measured: Mapping[str, Sequence[Mapping[str, metrics.Within]]]) -> dict[str, Within]:
    """{strategy: [by domain, of one seed]}, turned around; a seed may lack a domain."""
    found = dict[str, Within]()
    for domain in sorted({name for seeds in measured.values() for seed in seeds for name in seed}):
        there = {name: [seed[domain] for seed in seeds if domain in seed] for name, seeds in measured.items()}
        first = next(iter(there.values()))
        found[domain] = Within(n=float(np.mean([seed.n for seed in first])), score={
            name: seen([seed.score for seed in seeds]) for name, seeds in there.items() if seeds})
    return found
