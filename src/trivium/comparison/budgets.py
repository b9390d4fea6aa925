"""Accuracy over compute and over labels: the comparison beside the same one made with less and with more of them.

`reports/curves.json`, a view like the report: made by `trivium curves`, shown while it belongs to the comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pydantic import Field

from trivium.comparison.intervals import Span
from trivium.comparison.out import Comparison, Verdict
from trivium.comparison.settings import Budgets
from trivium.comparison.verdict import listed
from trivium.data.out import Out, Part

OUT = "reports/curves.json"


@dataclass(frozen=True)
class Variant:
    """One more comparison. compute, labels: as a share of the present one's;  rows: labels, where they were counted."""

    name: str
    words: str
    compute: float = 1.0
    labels: float = 1.0
    rows: int | None = None


VARIANTS = (
    Variant("half-compute", "half the compute", compute=0.5),
    Variant("twice-compute", "twice the compute", compute=2.0),
    Variant("quarter-labels", "a quarter of the labels", labels=0.25),
    Variant("half-labels", "half of the labels", labels=0.5),
)
PRESENT = {"compute": Variant("", "the present compute"), "labels": Variant("", "all of the labels")}


def variants(asked: Budgets, labels: float) -> tuple[Variant, ...]:
    """What `budgets` of params.yaml asks for, less what the present comparison has. labels: of its train rows."""
    known = {(one.compute, one.labels): one for one in VARIANTS}
    found = [known.get((share, 1.0)) or Variant(f"compute-{_plain(share)}", f"{share:g} times the compute", share)
             for share in asked.compute if share != 1]
    for count in asked.labels:
        rows, share = (int(count), count / labels) if count > 1 else (None, count)
        if share < 1:
            own = Variant(f"labels-{_plain(count)}", f"{rows:,} labels" if rows else f"{100 * share:g} % of the labels",
                          labels=share, rows=rows)
            found.append(own if rows else known.get((1.0, share), own))
    return tuple(dict.fromkeys(found))


def _plain(number: float) -> str:
    """For a name in git."""
    return f"{number:.6g}".replace(".", "_").replace("+", "")


class Reached(Part):
    """value: of the metric that ranks;  metrics: of all of the task's, that one too;  flops: mean over seeds."""

    value: Span
    flops: float
    metrics: dict[str, Span] = Field(default_factory=dict)  # older files have none


class Point(Part):
    """A comparison of its own. share: of the present compute or labels;  words: for it;  labels: training samples that
    have one, mean over seeds;  strategies: less those that the budget does not pay for.
    """

    share: float
    words: str
    labels: float
    strategies: dict[str, Reached]
    verdict: Verdict


class Crossing(Part):
    """Two lines that surely cross: `before` beats `after` at the point `low`, and is beaten by it at `high`, both in
    samples or as a share of the compute.
    """

    before: str
    after: str
    low: float
    high: float


class Line(Part):
    """points: in rising order.  crossings: between neighbouring points at which the difference is sure."""

    points: list[Point]
    crossings: list[Crossing] = Field(default_factory=list)
    sentence: str


class Curves(Out):
    """of: the comparison, see `Comparison.mark`. All points over labels have the same compute."""

    of: str
    compute: Line
    labels: Line

    @property
    def lines(self) -> dict[str, Line]:
        return {"compute": self.compute, "labels": self.labels}


def gather(present: Comparison, others: Mapping[str, Comparison], asked: Sequence[Variant] = VARIANTS) -> Curves:
    """`curves.json` from the present comparison and those that were `asked` for, by their names."""
    made = [(variant, others[variant.name]) for variant in asked]
    found = dict[str, Line]()
    titles = {name: f"“{title}”" for name, title in present.titles.items()}
    for kind in ("compute", "labels"):
        near = [(v, c) for v, c in made if getattr(v, kind) != 1] + [(PRESENT[kind], present)]
        near.sort(key=lambda pair: getattr(pair[0], kind))
        points = [_point(v, getattr(v, kind), c) for v, c in near]
        at = [point.share if kind == "compute" else point.labels for point in points]
        cross = crossings(at, [_beats(c) for _, c in near])
        said = f"{sentence(points, kind, titles)} {_crossed(cross, kind, titles)}" if len(points) > 1 else ""
        found[kind] = Line(points=points, crossings=cross, sentence=said.strip())
    return Curves(of=present.mark, **found)


def _beats(comparison: Comparison) -> set[tuple[str, str]]:
    """The pairs whose first surely beats the second."""
    return {(pair.a, pair.b) for pair in comparison.pairs if pair.beats}


def crossings(at: Sequence[float], beats: Sequence[set[tuple[str, str]]]) -> list[Crossing]:
    """Where one strategy surely beats another and, further on, is surely beaten by it. at: points in rising order;
    beats: at each, the pairs whose first surely beats the second.
    """
    found = []
    for pair in sorted({(min(pair), max(pair)) for each in beats for pair in each}):
        sure = [(place, one) for place, each in zip(at, beats, strict=True)
                for one in (pair, pair[::-1]) if one in each]
        found += [Crossing(before=first[0], after=first[1], low=low, high=high)
                  for (low, first), (high, then) in pairwise(sure) if first != then]
    return found


def _crossed(found: Sequence[Crossing], kind: str, titles: Mapping[str, str]) -> str:
    if not found:
        return f"No two lines surely cross as the {kind} {'grow' if kind == 'labels' else 'grows'}."
    unit = "labels" if kind == "labels" else "times the compute"
    said = [f"{titles.get(one.before, one.before)} surely beats {titles.get(one.after, one.after)} with "
            f"{one.low:,.4g} {unit} and is surely beaten by it with {one.high:,.4g}" for one in found[:3]]
    more = f" ({len(found) - 3} more pairs cross)" if len(found) > 3 else ""
    return f"Lines cross: {'; '.join(said)}{more}."


def _point(variant: Variant, share: float, comparison: Comparison) -> Point:
    return Point(
        share=share, words=variant.words, labels=comparison.dataset.train, verdict=comparison.verdict,
        strategies={name: Reached(value=entry.metrics[comparison.metric], flops=entry.flops, metrics=entry.metrics)
                    for name, entry in comparison.strategies.items()})


def sentence(points: Sequence[Point], kind: str, titles: Mapping[str, str] | None = None) -> str:
    """Who leads at which point, by the verdicts of their comparisons, and whether that changes; kind: for the words;
    titles: strategy -> what it is called in them.

    The answer changes where two points have no strategy in common that nobody beats. Where one strategy is beaten at
    no point, that is said too.
    """
    if any(len(point.strategies) < 2 for point in points):
        return ""
    where: dict[str, list[str]] = {}
    called = titles or {}
    for point in points:
        where.setdefault(_leads(point, called), []).append(point.words)
    said = "; ".join(f"with {listed(words)}, {leads}" for leads, words in where.items()) + "."
    said = said[:1].upper() + said[1:]
    best = [set(point.verdict.tied) for point in points if point.verdict.learned]
    if len(where) == 1 or len(best) < 2:
        return said
    if any(not one & other for one in best for other in best):
        return f"The answer changes with the {kind}. {said}"
    never = [name for name in points[0].verdict.tied if all(name in names for names in best)]
    names = listed([called.get(name, name) for name in never]) if never else ""
    return f"{said} {names} {'is' if len(never) == 1 else 'are'} never beaten." if never else said


def _leads(point: Point, titles: Mapping[str, str]) -> str:
    verdict = point.verdict
    if not verdict.learned:
        return "no strategy learned the task"
    if verdict.winner:
        return f"{titles.get(verdict.winner, verdict.winner)} wins"
    level = sorted(titles.get(name, name) for name in set(verdict.tied) - set(verdict.behind))
    if len(verdict.tied) == 1:
        return f"{level[0]} alone has learned the task and is not beaten"
    if len(level) == 1:
        return f"{level[0]} is ahead, but not surely"
    everyone = 2 < len(level) == len(point.strategies)
    return f"no difference was found between {'any two' if everyone else listed(level)}"


def read(root: Path, comparison: Comparison | None) -> Curves | None:
    """The curves of this comparison; None where there are none, or those of another one."""
    found = Curves.found(root / OUT) if comparison else None
    return found if found and comparison and found.of == comparison.mark else None
