"""What training records as JSON: `training.json` of a strategy and of a recipe, and the budget of all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from trivium.data.out import Out, Part


class Spent(Part):
    """FLOPs of a seed. pretrain: of its recipe, all streams together.  analytic: `total`, counted once more from the
    layers' shapes.
    """

    budget: float
    pretrain: float
    train: float
    total: float
    analytic: float | None = None


class Parameters(Part):
    total: int
    trained: int


class Bad(Part):
    """Steps since the row before that changed nothing, since there was nothing to learn from. step: the first of them.
    what: was wrong with it.  rows: its batch.  inputs: stream -> those of these rows that hold no finite numbers.
    """

    count: int
    step: int
    what: str
    rows: list[str]
    inputs: dict[str, list[str]]


class Evaluation(Part):
    """A row of a history. epoch: with decimals.  flops: spent by then.  train_loss: mean since the row before.

    Without labels, `val_nll` is the mean loss and `val_score` is 0.  averaged: of how many of the rows before it the
    weights are the mean; of them all, none but the last row has it.  bad: none, of a run in which all went well.
    """

    step: int
    epoch: float
    flops: float
    train_loss: float | None  # none before any step, nor of a mean, nor where all steps were bad
    val_nll: float
    val_score: float
    averaged: int | None = None
    bad: Bad | None = None


class Step(Evaluation):
    """phase: of the plan; the stream, where a strategy combines components that were trained before."""

    phase: str


class Reached(Part):
    """On validation."""

    nll: float
    score: float


class Member(Part):
    """What one way to answer is worth on validation."""

    nll: float
    score: float | None = None  # boosting weighs by the NLL alone


class Result(Part):
    """What training came to. calibration: as the task shapes it; of an ensemble, one per member.

    members: all that it could choose from, a stream or a way to join streams.  chosen: the one that it took, or
    several streams, `text+image`.  weights: of the members, where it took a weighted mean of them.
    """

    validation: Reached
    calibration: float | list[float] | list[list[float]]
    flops: Spent
    parameters: Parameters
    members: dict[str, Member] | None = None
    chosen: str | None = None
    weights: dict[str, float] | None = None


class Blend(Part):
    """What each loss counts, together 1. joint: of all streams together.  streams: of each stream alone."""

    joint: float
    streams: dict[str, float]


class Private(Part):
    """What was spent of the train rows' privacy, at each seed: epsilon at delta. clip, noise: see `private.Noise`.
    rate: chance of a row to be in a batch.  besides: what else has looked at rows, of which nothing is counted.
    """

    epsilon: float
    delta: float
    clip: float
    noise: float
    rate: float
    steps: int
    besides: list[str]


class Seed(Result):
    """A strategy's model of one seed. blend: where losses were weighed by what each is worth.  private: where it is."""

    seed: int
    history: list[Step]
    blend: Blend | None = None
    private: Private | None = None


class Lacking(Part):
    """FLOPs of the budget, and those of the least one that pays for an epoch."""

    budget: float
    needed: float


class Skipped(Lacking):
    """setting: of params.yaml, with which the budget would do.  sentence: all of it, for people."""

    setting: str
    sentence: str


class Trial(Part):
    """One choice of settings, by their keys in params.yaml. nll: the last on validation, or of a whole training the
    lowest.  share: of its training that it got, 0-1; less than 1 where it was stopped early.  flops: what it spent.
    """

    settings: dict[str, int | float]
    nll: float
    share: float
    flops: float


class Tuned(Part):
    """What tuning found at a seed. chosen: of the whole trial with the lowest validation NLL; the first trial has the
    settings as they are written.
    """

    seed: int
    chosen: dict[str, int | float]
    trials: list[Trial]

    @property
    def flops(self) -> float:
        return sum(trial.flops for trial in self.trials)


class Tuning(Part):
    """Of a strategy. trials: at each seed; 0 where it has nothing to tune.  space: setting -> lowest and highest value
    that were tried.
    """

    trials: int
    space: dict[str, tuple[float, float]]
    seeds: list[Tuned]


class Started(Part):
    """The recipe that a strategy starts from. published: streams whose weights were.  external: their packages."""

    objectives: list[str]
    encoders: dict[str, str]  # stream -> entry of `encoder`
    published: list[str]
    external: str


class Record(Out):
    """A file that says None where a key has no default."""

    def plain(self) -> dict[str, Any]:
        return self.model_dump(exclude_defaults=True)


class Trained(Record):
    """`models/STRATEGY/training.json`. fusion: see `fusion.chosen`.  skipped: why there are no seeds.
    tuning: None where it is off."""

    entry: str
    title: str
    strategy: str
    start: str
    recipe: Started
    fusion: dict[str, Any] | None
    seeds: list[Seed]
    skipped: Skipped | None = None
    tuning: Tuning | None = None

    @classmethod
    def of(cls, strategy: str, root: str | Path = ".") -> Self | None:
        """None where it was not trained. Raises: UserError, see `Out.read`."""
        return cls.found(Path(root) / "models" / strategy / "training.json")

    @property
    def best(self) -> Seed:
        """Whose model stands for the strategy: is served, kept in the registry and named in the report. That of the
        lowest validation NLL, of equal ones the lowest number; never by the test set, which says how good it is.
        """
        return min(self.seeds, key=lambda one: (one.validation.nll, one.seed))


class Validation(Part):
    """NLL and score; the loss, where there are no labels; nothing, where nothing was trained."""

    nll: float | None = None
    score: float | None = None
    loss: float | None = None


class Unit(Part):
    """Streams that a recipe trains together, at a seed; at all of them where nothing depends on it."""

    streams: list[str]
    seed: int | None
    objective: str | None
    flops: float
    epochs: float
    parameters: int
    samples: int
    validation: Validation
    history: list[Evaluation]


class Pretrained(Record):
    """`models/pretrain/RECIPE/training.json`. objectives: each once.  skipped: why there are no units."""

    recipe: str
    objectives: list[str]
    units: list[Unit]
    skipped: Lacking | None = None


class Allowance(Record):
    """`models/budget.json`, everybody's budget. epochs: of the strategy `of`; None where FLOPs are set."""

    of: str
    epochs: float | None
    flops: list[float]  # per seed
