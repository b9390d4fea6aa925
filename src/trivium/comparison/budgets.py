"""Accuracy over compute and over labels: the comparison beside the same one made with less and with more of them.

`reports/curves.json`, a view like the report: made by `trivium curves`, shown while it belongs to the comparison.

    of        of which comparison (see `mark`)
    compute   points, sentence; labels: the same, each point being a comparison of its own:
              share of the present compute or labels, in 0-1 or above; words for it; labels (training samples that have
              one, mean over seeds); strategies -> value {mean, low, high} of the metric that
              ranks and flops (mean over seeds), less those that the budget does not pay for; its verdict:
              winner, tied, behind, sentence, learned (whether any strategy is surely better than the null)

Points are in rising order. All points over labels have the same compute.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trivium.comparison.verdict import listed
from trivium.data.tables import digest, read_json

OUT = "reports/curves.json"
COMPARISON = "reports/comparison.json"


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


def gather(present: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`curves.json` from the present comparison and those of VARIANTS, by their names."""
    made = [(variant, others[variant.name]) for variant in VARIANTS]
    found: dict[str, Any] = {"of": mark(present)}
    titles = {name: f"“{entry['title']}”" for name, entry in present["strategies"].items() if "title" in entry}
    for kind in ("compute", "labels"):
        near = [(v, c) for v, c in made if getattr(v, kind) != 1] + [(PRESENT[kind], present)]
        points = [_point(v, getattr(v, kind), c) for v, c in sorted(near, key=lambda pair: getattr(pair[0], kind))]
        found[kind] = {"points": points, "sentence": sentence(points, kind, titles)}
    return found


def _point(variant: Variant, share: float, comparison: Mapping[str, Any]) -> dict[str, Any]:
    strategies, verdict, metric = comparison["strategies"], comparison["verdict"], comparison["metric"]
    return {
        "share": share, "words": variant.words, "labels": comparison["dataset"]["train"],
        "strategies": {name: {"value": {key: entry[metric][key] for key in ("mean", "low", "high")},
                              "flops": entry["flops"]} for name, entry in strategies.items()},
        "verdict": {key: verdict[key] for key in ("winner", "tied", "behind", "sentence")}
        | {"learned": verdict.get("learned", True)},
    }


def sentence(points: Sequence[Mapping[str, Any]], kind: str, titles: Mapping[str, str] | None = None) -> str:
    """Who leads at which point, by the verdicts of their comparisons, and whether that changes; kind: for the words;
    titles: strategy -> what it is called in them.

    The answer changes where two points have no strategy in common that nobody beats. Where one strategy is beaten at
    no point, that is said too.
    """
    if any(len(point["strategies"]) < 2 for point in points):
        return ""
    where: dict[str, list[str]] = {}
    called = titles or {}
    for point in points:
        where.setdefault(_leads(point, called), []).append(point["words"])
    said = "; ".join(f"with {listed(words)}, {leads}" for leads, words in where.items()) + "."
    said = said[:1].upper() + said[1:]
    best = [set(point["verdict"]["tied"]) for point in points if point["verdict"]["learned"]]
    if len(where) == 1 or len(best) < 2:
        return said
    if any(not one & other for one in best for other in best):
        return f"The answer changes with the {kind}. {said}"
    never = [name for name in points[0]["verdict"]["tied"] if all(name in names for names in best)]
    names = listed([called.get(name, name) for name in never]) if never else ""
    return f"{said} {names} {'is' if len(never) == 1 else 'are'} never beaten." if never else said


def _leads(point: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    verdict = point["verdict"]
    if not verdict["learned"]:
        return "no strategy learned the task"
    if verdict["winner"]:
        return f"{titles.get(verdict['winner'], verdict['winner'])} wins"
    level = sorted(titles.get(name, name) for name in set(verdict["tied"]) - set(verdict["behind"]))
    if len(level) == 1:
        return f"{level[0]} is ahead, but not surely"
    everyone = 2 < len(level) == len(point["strategies"])
    return f"no difference was found between {'any two' if everyone else listed(level)}"


def mark(comparison: Mapping[str, Any]) -> str:
    """Stands for what the curves must agree with: data, settings and results of every strategy."""
    parts = {key: comparison.get(key) for key in ("dataset", "settings", "strategies", "verdict")}
    return digest(json.dumps(parts, sort_keys=True).encode())


def read(root: Path, comparison: Mapping[str, Any] | None) -> dict[str, Any]:
    """The curves of this comparison; empty where there are none, or those of another one."""
    path = root / OUT
    if comparison is None or not path.exists():
        return {}
    found = read_json(path)
    return found if found["of"] == mark(comparison) else {}
