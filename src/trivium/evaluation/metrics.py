"""`reports/evaluate/STRATEGY/metrics.json`: what one strategy's models say of their test sets, at every seed.

A score is the task's own, 0-1 or as `Task.shown` says it. A set of streams is named like "text+image". Dictionaries are
by stream where nothing else is said.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import Field

from trivium.data.out import Out, Part
from trivium.training.records import Result, Skipped, Started

Words = dict[str, list[tuple[str, float]]]  # stream that is drawn as a list -> (token or cell, value) of each
Levels = dict[str, float]  # strength of a disturbance -> score


class Shown(Part):
    """When a sample shows no more than the streams of a set."""

    score: float
    nll: float


class Within(Part):
    """A domain of the test set, with its samples."""

    n: int
    score: float


class HeldOut(Part):
    """The domain that no seed learned from, with its samples. metrics: all of the task's."""

    name: str
    n: int
    metrics: dict[str, float]


class Domain(Part):
    """by: domain of the test set -> how the model does there, where there are several."""

    by: dict[str, Within] | None = None
    held_out: HeldOut | None = None


class Worth(Part):
    """log_probability: of the targets, nats."""

    score: float
    log_probability: float


class Contribution(Part):
    """Shapley values; they sum to what all streams are worth less what none is.

    score, log_probability: see `Worth`.  parts: of `Task.parts` of the samples -> score.  subsets: a set, or "none".
    """

    score: dict[str, float]
    log_probability: dict[str, float]
    parts: dict[str, dict[str, float]]
    subsets: dict[str, Worth]


class Nll(Part):
    """In nats."""

    val: float
    test: float


class Information(Part):
    """How well the label is predicted from each set of streams. labels [C]: test samples per class.

    tables: [C][C + 1], test samples by label and by prediction from the stream alone, or stream missing (last column);
    empty where there are too many classes.
    """

    subsets: dict[str, Nll]
    labels: list[int]
    tables: dict[str, list[list[int]]]


class Corruption(Part):
    """Score at each level of noise, 0-1.  relative: area under that curve, 0-1."""

    levels: list[float]
    score: list[float]
    relative: float


class Attacks(Part):
    """fgsm: the fast gradient sign method.  pgd: projected gradient descent."""

    fgsm: Levels
    pgd: Levels


class Robustness(Part):
    """misalignment: share of the samples whose stream is another sample's -> score.  shift: of sounds, how much later
    they start, as a share of the clip -> score.
    """

    corruption: dict[str, Corruption]
    misalignment: dict[str, Levels]
    shift: dict[str, Levels]
    attacks: dict[str, Attacks]


class Probe(Part):
    """Score of a linear model on the frozen features. before: training, where the weights were drawn here."""

    before: float | None = None
    after: float


class Deletion(Part):
    """Area under the support of the answer, 0-1, while the input is deleted: what spoke most first, what the encoder
    looks at most (`rollout`, where it attends), or at random.
    """

    area: float
    rollout: float | None = None
    random: float


class Completeness(Part):
    """What a stream counts for the answer, in nats, and by how much its inputs' attributions do not add up to that:
    sizes, means over samples.
    """

    whole: float
    rest: float


class Sample(Part):
    """Why a sample was answered so. why: it was chosen.  support: of the prediction, 0-1.  attention: of the fusion,
    where it attends to streams or weighs them.  rollout: of the encoders that attend.  picture: below the strategy's
    folder, at the first seed.
    """

    sample: str
    why: str
    label: str
    prediction: str
    support: float
    tokens: Words
    rollout: Words | None = None
    attention: dict[str, float] | None = None
    picture: str | None = None


class Attribution(Part):
    """No samples where no stream's part in an answer can be shown. complete: of the streams with gradients."""

    deletion: dict[str, Deletion]
    complete: dict[str, Completeness] = Field(default_factory=dict)
    samples: list[Sample]


class Followed(Part):
    """When a stream is that of another sample. pairs: that were tried;  moved: `Task.gap` between answers before and
    after, mean over them;  unlike: the pairs whose two samples have different answers, of which `follows` says how far
    the answer goes to the other's: 1 at most, None where there are none. error, moved_error: over samples.
    """

    pairs: int
    moved: float
    moved_error: float
    unlike: int = 0
    follows: float | None = None
    error: float | None = None


class Swap(Part):
    """The `stream` of a sample was that of the `other` one; labels and answers in words."""

    stream: str
    sample: str
    other: str
    label: str
    other_label: str
    before: str
    after: str
    other_answer: str
    follows: float


class Counterfactuals(Part):
    """streams: those that the model reads."""

    streams: dict[str, Followed] = Field(default_factory=dict)
    samples: list[Swap] = Field(default_factory=list)


class Analyses(Part):
    """See `analyse`. information: where the answer is one class of several.  rows: analysis -> stream -> test samples
    that it rests on; 0 where more would be needed than are paid for, no entry where it would mean nothing.
    """

    contribution: Contribution
    information: Information | None = None
    robustness: Robustness
    probes: dict[str, Probe]
    attribution: Attribution
    counterfactual: Counterfactuals = Field(default_factory=Counterfactuals)
    rows: dict[str, dict[str, int]]


class Seed(Analyses):
    """n, n_train: samples of test and train.  task: with what it learned of train and validation (`Task.plain`).

    subsets: set of streams -> what it is worth.  table: `Task.table`, row -> key -> value.
    """

    seed: int
    n: int
    n_train: int
    task: dict[str, Any]
    metrics: dict[str, float]
    subsets: dict[str, Shown]
    table: dict[str, dict[str, int | float]]
    training: Result
    domain: Domain | None = None


class Evaluation(Out):
    """task: what is predicted (`Task.plain`).  skipped: why there are no seeds."""

    entry: str
    title: str
    strategy: str
    start: str
    recipe: Started
    task: dict[str, Any]
    streams: list[str]
    seeds: list[Seed]
    skipped: Skipped | None = None

    @classmethod
    def of(cls, strategy: str, root: str | Path = ".") -> Self | None:
        """None where it was not evaluated. Raises: UserError, see `Out.read`."""
        return cls.found(Path(root) / "reports/evaluate" / strategy / "metrics.json")
