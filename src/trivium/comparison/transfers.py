"""What a few labels of a held-out domain are worth to a model that comes from the other domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from trivium.comparison.bootstrap import points, replicates
from trivium.comparison.intervals import Span, estimate
from trivium.comparison.pairs import Rules
from trivium.data.out import Part
from trivium.tasks import Task
from trivium.tasks.base import Array, Outcome

CONTINUED, SCRATCH, REFERENCE = "continued", "scratch", "reference"
TITLES = {CONTINUED: "the model goes on with them", SCRATCH: "from scratch on them alone",
          REFERENCE: "the simple reference on them alone"}


class Level(Part):
    """labels: of each class;  rows: that have them, on average over seeds;  ways: the metric that ranks, on the rest of
    the domain;  ahead: by how much the model that goes on is better than each other way.
    """

    labels: int
    rows: float
    ways: dict[str, Span]
    ahead: dict[str, Span]


class Transfer(Part):
    """strategy, title: whose models go on;  test: rows that are tested on at every level, on average over seeds."""

    strategy: str
    title: str
    test: float
    levels: list[Level]


def level(task: Task, labels: int, rows: float, outcomes: Mapping[str, Sequence[Outcome]],
          units: Sequence[np.ndarray], weights: Sequence[Array] | None, rules: Rules) -> Level:
    """outcomes: per way, per seed, on the same test rows;  units: per seed, which group each of these is of [B];
    weights: of each, per seed; None where all count the same.
    """
    names, metric = list(outcomes), rules.metric
    every = list(outcomes.values())
    value = points(every, task.weighted, [metric.key], rules.bins, weights)[metric.key]
    draws = replicates(every, units, rules.resamples, task.weighted, [metric.key], rules.bins,
                       counts=weights)[metric.key]
    ways = {name: estimate(value[w], draws[:, w], rules.confidence).within(metric.lowest, metric.highest).span
            for w, name in enumerate(names)}
    up, ups = metric.upward(value), metric.upward(draws)
    ahead = {name: estimate(up[0] - up[w], ups[:, 0] - ups[:, w], rules.confidence).within(-metric.most,
                                                                                         metric.most).span
             for w, name in enumerate(names) if w}
    return Level(labels=labels, rows=rows, ways=ways, ahead=ahead)
