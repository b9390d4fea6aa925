"""Reliability: among answers given with 80 % confidence, are 80 % right?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from trivium.drawing.reliability import reliability
from trivium.report.inputs import Inputs
from trivium.report.measures import said
from trivium.report.parts import Name, name

LEAST = 10  # claims of a bin that is drawn


@dataclass(frozen=True)
class Diagram:
    """Of one strategy; `ece`: in percent, empty where it is not known."""

    name: Name
    picture: Markup
    ece: str


@dataclass(frozen=True)
class Context:
    """`off`: how far the strategy `shown` is off, in points; empty where that is not known;  `category`: what is
    claimed of a sample where it may have several, else empty.
    """

    shown: str
    off: str
    category: str
    diagrams: list[Diagram]


def context(inputs: Inputs) -> Context | None:
    answers = inputs.answers
    if answers is None:
        return None
    claims = {s: told.claims for s, told in answers.told.items() if told.claims is not None}
    if not claims:
        return None
    metric, entries = inputs.metrics.get("ece"), inputs.comparison.strategies
    errors = {s: entries[s].metrics["ece"].mean for s in claims if metric}
    single = answers.task.categorical
    words = ("confidence", "right") if single else ("stated probability", "true")
    diagrams = []
    for strategy, sums in claims.items():
        ece = said(metric, errors[strategy]) if metric and strategy in errors else ""
        says = f"{inputs.titles[strategy]}: {words[0]} against the share that was {words[1]}" + (ece and f"; ECE {ece}")
        picture = reliability(bins(sums), inputs.looks[strategy], says, *words)
        diagrams.append(Diagram(name(inputs, strategy), picture, ece))
    off = metric.number(errors[inputs.shown]) if metric and inputs.shown in errors else ""
    return Context(inputs.titles.get(inputs.shown, ""), off, "" if single else answers.task.category[0], diagrams)


def bins(claims: np.ndarray) -> list[tuple[float, float, float]]:
    """(mean confidence, share that was right, share of all claims) of the bins of `Told.claims` that hold enough."""
    total = float(claims[:, 2].sum())
    return [(float(stated / count), float(true / count), float(count / total))
            for stated, true, count in claims if count >= LEAST]
