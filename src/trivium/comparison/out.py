"""`reports/comparison.json`: every strategy with its intervals, every pair, and the verdict.

Numbers are rounded to six significant digits. Shares and their differences are 0-1; differences say by how much a is
better, so where less is better by how much a has less.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, PlainSerializer

from trivium.comparison.across import Across
from trivium.comparison.domain import Domains
from trivium.comparison.intervals import Span
from trivium.comparison.settings import Settings
from trivium.comparison.together import Together
from trivium.data.meta import World
from trivium.data.out import Out, Part
from trivium.data.tables import digest
from trivium.tasks.metric import Metric
from trivium.training import records

PATH = Path("reports/comparison.json")

AsRead = Annotated[Metric, BeforeValidator(lambda found: found if isinstance(found, Metric) else Metric.of(found)),
                   PlainSerializer(Metric.plain)]


class Dataset(Part):
    """task: its name;  outputs: classes, tags or numbers;  train, test: samples, mean over seeds;  groups, test_groups,
    resampled: see `outcomes.Groups`.
    """

    title: str
    source: str
    task: str
    outputs: int
    streams: list[str]
    train: float
    test: float
    groups: int
    test_groups: float
    resampled: bool
    world: World | None = None


class Rules(Settings):
    """What the statistics were made with."""

    seeds: int
    split: str


class Constant(Part):
    """The answer that knows no inputs: the most common label of train, its mean, ..."""

    label: str
    metrics: dict[str, float]


class Parameters(Part):
    total: float
    trained: float


class Gain(Span):
    """Over the null, in the metric that ranks; see `null.Gain`."""

    p: float
    p_holm: float


class Strategy(Part):
    """metrics: of each with its interval;  seeds: by seed, of each metric;  one_class: of classes, largest share of the
    answers that are one, mean over seeds;  chosen: by seed, what it took, where it chooses;  flops: mean over seeds;
    over_budget: these over the budget;  trials, tuning: of each seed, and their FLOPs, mean over seeds, where `tune` is
    on;  to_ceiling: accuracy that is missing to the best possible, where it is known.
    """

    title: str
    strategy: str
    start: str
    recipe: records.Started
    rank: int
    metrics: dict[str, Span]
    seeds: dict[str, dict[str, float]]
    gain: Gain
    learned: bool
    failed_share: float
    one_class: float | None = None
    chosen: dict[str, str] | None = None
    flops: float
    over_budget: float
    parameters: Parameters
    to_ceiling: float | None = None
    trials: int | None = None
    tuning: float | None = None


class Skipped(records.Skipped):
    """What the budget does not pay for one epoch."""

    title: str


class Pair(Part):
    """a is better in the metric that ranks, by `difference`. mcnemar_p: of all seeds pooled, None where no answer is
    just right or wrong;  verdict: better, ahead (the interval has no zero, and yet it is not sure), close (a is better
    by `Metric.close` at most) or open.
    """

    a: str
    b: str
    difference: float
    low: float
    high: float
    p_outperform: float
    p_outperform_low: float
    p_outperform_high: float
    p_value: float
    p_value_holm: float
    mcnemar_p: float | None = None
    mcnemar_p_seeds: dict[str, float]
    beats: bool
    verdict: Literal["better", "ahead", "close", "open"]


class Verdict(Part):
    """learned: whether any strategy;  within: what is recommended within the budget;  simple: recommended for being the
    reference; see `verdict`.
    """

    learned: bool
    winner: str | None = None
    tied: list[str]
    behind: list[str]
    recommended: str | None = None
    within: str | None = None
    simple: bool
    sentence: str
    reason: str


class Comparison(Across, Out):
    """metric: the key of the one that ranks;  metrics: all of the task's;  beside: those that stand in tables next to
    it;  score: of what the analyses measure;  domains: None where the data knows none;  together: None where it is off.
    """

    dataset: Dataset
    settings: Rules
    metric: str
    metrics: dict[str, AsRead]
    beside: list[str]
    score: AsRead
    constant: Constant
    strategies: dict[str, Strategy]
    skipped: dict[str, Skipped]
    pairs: list[Pair]
    verdict: Verdict
    domains: Domains | None = None
    together: Together | None = None

    @property
    def order(self) -> list[str]:
        """Strategies, best rank first."""
        return sorted(self.strategies, key=lambda name: (self.strategies[name].rank, name))

    @property
    def titles(self) -> dict[str, str]:
        """Strategy -> what people call it, best rank first."""
        return {name: self.strategies[name].title for name in self.order}

    @property
    def trials(self) -> int:
        """How often each strategy was tuned at each seed; 0 where `tune` is off."""
        return max((entry.trials or 0 for entry in self.strategies.values()), default=0)

    @property
    def ranks(self) -> Metric:
        """The metric that does."""
        return self.metrics[self.metric]

    @property
    def mark(self) -> str:
        """Stands for what curves and report must agree with: data, settings and results of every strategy."""
        about = self.model_dump(include={"dataset", "settings", "strategies", "verdict"}, exclude_none=True)
        return digest(json.dumps(about, sort_keys=True).encode())
