"""Accuracy over compute and over labels: the comparison beside the same one made with less and with more of them.

`reports/curves.json`, a view like the report: made by `trivium curves`, shown while it belongs to the comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trivium.comparison.intervals import Span
from trivium.comparison.out import Comparison, Verdict
from trivium.comparison.verdict import listed
from trivium.data.out import Out, Part

OUT = "reports/curves.json"


@dataclass(frozen=True)
class Variant:
    """One more comparison. compute, labels: as a share of the present one's."""

    name: str
    words: str
    compute: float = 1.0
    labels: float = 1.0


VARIANTS = (
    Variant("half-compute", "half the compute", compute=0.5),
    Variant("twice-compute", "twice the compute", compute=2.0),
    Variant("quarter-labels", "a quarter of the labels", labels=0.25),
    Variant("half-labels", "half of the labels", labels=0.5),
)
PRESENT = {"compute": Variant("", "the present compute"), "labels": Variant("", "all of the labels")}


class Reached(Part):
    """value: of the metric that ranks;  flops: mean over seeds."""

    value: Span
    flops: float


class Point(Part):
    """A comparison of its own. share: of the present compute or labels;  words: for it;  labels: training samples that
    have one, mean over seeds;  strategies: less those that the budget does not pay for.
    """

    share: float
    words: str
    labels: float
    strategies: dict[str, Reached]
    verdict: Verdict


class Line(Part):
    """points: in rising order."""

    points: list[Point]
    sentence: str


class Curves(Out):
    """of: the comparison, see `Comparison.mark`. All points over labels have the same compute."""

    of: str
    compute: Line
    labels: Line

    @property
    def lines(self) -> dict[str, Line]:
        return {"compute": self.compute, "labels": self.labels}


def gather(present: Comparison, others: Mapping[str, Comparison]) -> Curves:
    """`curves.json` from the present comparison and those of VARIANTS, by their names."""
    made = [(variant, others[variant.name]) for variant in VARIANTS]
    found = dict[str, Line]()
    titles = {name: f"“{title}”" for name, title in present.titles.items()}
    for kind in ("compute", "labels"):
        near = [(v, c) for v, c in made if getattr(v, kind) != 1] + [(PRESENT[kind], present)]
        points = [_point(v, getattr(v, kind), c) for v, c in sorted(near, key=lambda pair: getattr(pair[0], kind))]
        found[kind] = Line(points=points, sentence=sentence(points, kind, titles))
    return Curves(of=present.mark, **found)


def _point(variant: Variant, share: float, comparison: Comparison) -> Point:
    return Point(
        share=share, words=variant.words, labels=comparison.dataset.train, verdict=comparison.verdict,
        strategies={name: Reached(value=entry.metrics[comparison.metric], flops=entry.flops)
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
    if len(level) == 1:
        return f"{level[0]} is ahead, but not surely"
    everyone = 2 < len(level) == len(point.strategies)
    return f"no difference was found between {'any two' if everyone else listed(level)}"


def read(root: Path, comparison: Comparison | None) -> Curves | None:
    """The curves of this comparison; None where there are none, or those of another one."""
    found = Curves.found(root / OUT) if comparison else None
    return found if found and comparison and found.of == comparison.mark else None
