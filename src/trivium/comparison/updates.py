"""Ways to update a model with further rows, compared on old and new test rows: `reports/update.json`.

What ranks is the mean of the metric on old and on new test rows, each counting one half however many they are (the
"average accuracy" of continual learning: Lopez-Paz & Ranzato 2017, arXiv 1706.08840, with two sets). Forgetting is by
how much a model is worse on old test rows than the one before the update (Chaudhry et al. 2018, arXiv 1801.10112, with
one step); below 0 it has become better there. Seeds are paired, and old and new rows are resampled apart.

Legend: `W` ways, `J` seeds, `R` resamples, `B` test rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from trivium.comparison.bootstrap import points, replicates
from trivium.comparison.intervals import Estimate, Span, estimate
from trivium.comparison.pairs import Pair, Results, Rules, compare
from trivium.comparison.verdict import Choice, Cost, ahead, choose, listed
from trivium.data.out import Out, Part
from trivium.data.tables import GROUPS, write_json
from trivium.tasks import Task
from trivium.tasks.base import Array, Outcome, joined

OUT = "reports/update.json"
LEAVE = "leave"  # the way that leaves the model as it is


@dataclass(frozen=True)
class Answered:
    """All ways on the same test rows, old or new ones. outcomes: per way, per seed.  groups: per seed, of each row
    [B].  rows: per seed, which rows they are [B].  weights: of each row, per seed; None where all count the same.
    """

    outcomes: Mapping[str, Sequence[Outcome]]
    groups: Sequence[np.ndarray]
    rows: Sequence[np.ndarray]
    weights: Sequence[Array] | None = None

    @property
    def units(self) -> list[np.ndarray]:
        """What is resampled: groups, or rows where a test set is of fewer than three groups."""
        whole = min(len(np.unique(own)) for own in self.groups) >= GROUPS
        chosen = self.groups if whole else self.rows
        _, codes = np.unique(np.concatenate(list(chosen)), return_inverse=True)
        return np.split(codes, np.cumsum([len(own) for own in chosen])[:-1])


class Way(Part):
    """old, new, both: the metric that ranks, on test rows.  forgetting: of the metric, on old ones; more is worse.
    flops: training FLOPs of a seed on average.  saved: share of those from scratch that are not spent, 0-1.
    """

    title: str
    old: Span
    new: Span
    both: Span
    forgetting: Span
    flops: float
    saved: float


class Gap(Part):
    """By how much `a` is better than `b` on old and new rows together, and how sure that is."""

    a: str
    b: str
    difference: Span
    outperform: float
    p_holm: float
    beats: bool


class Rows(Part):
    """On average over seeds. quarantined: rows of the manifest that cannot be used."""

    train: float
    val: float
    test: float
    old_train: float
    old_test: float
    quarantined: int


class Update(Out):
    """name: of the update.  manifest: its file's name;  digest: of its content.  parent: the strategy whose models go
    on.  further: classes that are new.  full: training FLOPs of a seed from scratch, on average.  chosen: the way that
    is recommended.  version, before: of the model in the registry, and of the one that it comes from.
    """

    name: str
    manifest: str
    digest: str
    parent: str
    title: str
    task: str
    metric: dict[str, Any]
    confidence: float
    seeds: int
    rows: Rows
    further: list[str]
    settings: dict[str, Any]
    full: float
    ways: dict[str, Way]
    gaps: list[Gap]
    chosen: str
    sentence: str
    reason: str
    notes: list[str]
    model: str | None = None
    version: str | None = None
    before: str | None = None

    def write(self, path: str | Path) -> None:
        """In the order of the ways."""
        write_json(self.plain(), path, sort=False)


@dataclass(frozen=True)
class Judged:
    ways: dict[str, Way]
    gaps: list[Gap]
    choice: Choice
    sentence: str
    reason: str


def judge(task: Task, old: Answered, new: Answered, titles: Mapping[str, str], flops: Mapping[str, float], full: float,
          rules: Rules) -> Judged:
    """titles, flops: of each way; full: FLOPs from scratch."""
    names, metric = list(old.outcomes), rules.metric
    values, draws = {}, {}
    for k, (which, one) in enumerate((("old", old), ("new", new))):
        strategies = [one.outcomes[name] for name in names]
        values[which] = points(strategies, task.weighted, [metric.key], rules.bins, one.weights)[metric.key]
        draws[which] = replicates(strategies, one.units, rules.resamples, task.weighted, [metric.key], rules.bins,
                                  seed=k, counts=one.weights)[metric.key]
    values["both"], draws["both"] = ((one["old"] + one["new"]) / 2 for one in (values, draws))
    stay = names.index(LEAVE)
    values["forgetting"], draws["forgetting"] = (
        metric.upward(values["old"][stay] - values["old"]),
        metric.upward(draws["old"][:, [stay]] - draws["old"]))

    def span(which: str, w: int) -> Span:
        found = _estimate(values[which][w], draws[which][:, w], rules)
        if which == "forgetting":
            return found.within(-metric.most, metric.most).span
        return found.within(metric.lowest, metric.highest).span

    every = {name: [joined([a, b]) for a, b in zip(old.outcomes[name], new.outcomes[name], strict=True)]
             for name in names}
    pairs = compare(every, Results({metric.key: values["both"]}, {metric.key: draws["both"]}), rules)
    order = np.argsort(-metric.upward(values["both"]).mean(1), kind="stable")
    costs = {name: Cost(flops[name], 1.0) for name in names}
    ways = {name: Way(title=titles[name], old=span("old", w), new=span("new", w), both=span("both", w),
                      forgetting=span("forgetting", w), flops=flops[name], saved=1 - flops[name] / full)
            for w, name in enumerate(names)}
    choice = _choice([names[w] for w in order], pairs, costs, ways, metric.close)
    gaps = [Gap(a=pair.a, b=pair.b, difference=pair.difference.span, outperform=pair.outperform[0], p_holm=pair.p_holm,
                beats=pair.beats) for pair in pairs]
    return Judged(ways, gaps, choice, *_say(ways, gaps, choice, rules))


def forgets(way: Way, close: float) -> bool:
    """Whether its interval says that it loses more than `close` of what the model could do: such a way gives up the
    old rows for the new ones, and is not taken however high the mean of both is.
    """
    return way.forgetting.low > close


def _choice(ranked: Sequence[str], pairs: Sequence[Pair], costs: Mapping[str, Cost], ways: Mapping[str, Way],
            close: float) -> Choice:
    """Among the ways whose interval says that they are better than the model as it is, and that do not surely forget;
    without any, that one.
    """
    better = [name for name in ranked if name != LEAVE and ahead(pairs, name, LEAVE)[0] > 0 and
              not forgets(ways[name], close)]
    found = choose(better or [LEAVE], pairs, costs, close=close)
    first = found.recommended
    alone = all(pair.a == first and pair.beats for pair in pairs if first in (pair.a, pair.b))
    return replace(found, winner=first if better and alone else None)


def _estimate(values: Array, draws: Array, rules: Rules) -> Estimate:
    if not values.any() and not draws.any():  # the model as it is forgets nothing
        return Estimate(0.0, 0.0, 0.0, 0.0, 1.0)
    return estimate(values, draws, rules.confidence, rules.overlap)


def _say(ways: Mapping[str, Way], gaps: Sequence[Gap], choice: Choice, rules: Rules) -> tuple[str, str]:
    """What to do, and why."""
    metric, best = rules.metric, choice.recommended or LEAVE
    if best == LEAVE:
        return ("Leave the model as it is.",
                f"No interval ({rules.confidence:.0%}) says that a way to update it is better on old and new rows "
                f"together without being more than {metric.close_words} worse on old ones.")
    own, stay = ways[best], ways[LEAVE]
    gap = next(gap for gap in gaps if {gap.a, gap.b} == {best, LEAVE})
    low, high = gap.difference.low, gap.difference.high
    if gap.b == best:
        low, high = -high, -low
    gained = f"{metric.number(low, sign=True)} to {metric.number(high, sign=True)} {metric.short}".rstrip()
    sentence = (f"Update the model: {own.title[:1].lower()}{own.title[1:]}. It reaches {metric.level(own.both.mean)} "
                f"on old and new rows together, where the model as it is has {metric.value(stay.both.mean)} "
                f"({rules.confidence:.0%} interval of the difference {gained}).")
    change = metric.number(abs(own.forgetting.mean))
    reason = ("On old rows it is as good as before" if not float(change.replace(",", "")) else
              f"On old rows it is {change} {metric.short or metric.words} "
              f"{'worse' if own.forgetting.mean > 0 else 'better'} than before")
    reason += f", for {1 - own.saved:.0%} of the training compute from scratch."
    if choice.winner == best:
        return sentence, f"{reason} It is surely better than every other way."
    level = [ways[name].title for name in choice.level if name not in (best, *choice.risky)]
    risky = [ways[name].title for name in choice.risky]
    return sentence, reason + (f" No difference was found to: {listed(level)}." if level else "") + (
        f" It may be more than {metric.close_words} better than: {listed(risky)}." if risky else "")
