"""What every task can be asked.

An *output* is what a head gives, [B, C], and an *answer* is a calibrated distribution over the target, [B, A]: whatever
a task needs to say how likely each target is. Answers of several models can be pooled, and averaged over what was
changed in their inputs; the analyses know no more than that. An *outcome* is what the metrics need of each sample.

A task grows on its way. `params.yaml` names it with its settings; `read` and `over` look at the targets (validate);
`fitted` adds what train alone may tell (at a seed); `decided` adds what is chosen on validation once a model is
trained, such as thresholds. `plain` and `of` carry it from stage to stage.

Legend: `N` rows, `B` samples, `C` outputs, `A` numbers of an answer, `P` models or changes, `T` the shape of one
target: () for a class, [K] for several numbers or tags.

`Measured` adds the metrics, `Probed` linear probes, and `Shown` how all of it is shown to people.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from trivium.tasks.measured import Measured
from trivium.tasks.probed import Probed
from trivium.tasks.shown import Shown

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Tensor

    from trivium.tasks.metric import Metric

Array = NDArray[np.float64]
Own = TypeVar("Own", bound="Outcome")
Reasons = dict[int, str]  # row -> why it cannot be used
LOWEST = -27.6310211159  # log of 1e-12: one certain mistake stays finite


@dataclass(frozen=True)
class Outcome:
    """What the metrics need of each of `B` predictions. Every array is [B, ...]; a task adds its own.

    y, prediction: [B, *T].  nll: nats [B].
    """

    y: np.ndarray
    prediction: np.ndarray
    nll: Array

    @property
    def correct(self) -> Array | None:
        """1.0 where the model is right and 0.0 where it is not, [B]; None where there is no right and wrong."""
        return None


def joined(parts: Sequence[Own]) -> Own:
    """The outcomes of all samples, from those of some at a time."""
    first = parts[0]
    each = {one.name: [getattr(part, one.name) for part in parts] for one in fields(first)}
    return type(first)(**{name: np.concatenate(values) if isinstance(values[0], np.ndarray) and values[0].ndim
                          else values[0] for name, values in each.items()})


class Task(Measured, Probed, Shown):
    """outputs: C, the width of a head."""

    name: ClassVar[str]
    outputs: int

    # --- as a value that crosses stages

    @classmethod
    @abstractmethod
    def of(cls, about: Mapping[str, Any]) -> Self:
        """From what `plain` gave, without the name."""

    @abstractmethod
    def plain(self) -> dict[str, Any]:
        """A JSON value, with the name."""

    def _with(self, **changed: Any) -> Self:
        """This task with some of what `plain` holds changed."""
        about = self.plain() | changed
        del about["name"]
        return self.of(about)

    # --- targets as people write them

    empty: ClassVar[str] = ""  # what to say of rows without a label: how else to write what they may mean
    blank: ClassVar[bool] = True  # whether a row has no label whose several columns are all empty

    @classmethod
    @abstractmethod
    def read(cls, cells: pa.ChunkedArray, columns: Sequence[str], settings: Any) -> tuple[pa.Array, Reasons]:
        """Targets of the cells of labels.parquet: a value per row that `over` and `column` understand, null where it
        cannot be used, and why for those rows.

        cells: string [N], null where empty; of several columns, a JSON object {column: cell}
        columns: of the user's table;  settings: of this task
        """

    @classmethod
    @abstractmethod
    def over(cls, values: pa.Array, columns: Sequence[str], settings: Any, fewest: int) -> tuple[Self, list[str]]:
        """The task of these targets, and warnings in words. fewest: rows that a class or a tag needs.

        Raises: UserError (there is nothing to learn: empty, constant, ...).
        """

    def rare(self, values: pa.Array, fewest: int) -> Reasons:
        """Rows that cannot be used since too few others have their target."""
        return {}

    def grown(self, values: pa.Array, fewest: int) -> tuple[Self, Reasons]:
        """This task, which a trained model predicts, for further rows with the targets `values`: with what is new in
        `fewest` or more of them behind what it knows; and the rows that cannot be used, since fewer have what is new.
        """
        return self, {}

    @abstractmethod
    def encode(self, cells: pa.ChunkedArray) -> np.ndarray:
        """Targets [N, *T] of cells that `read` found fine."""

    @abstractmethod
    def column(self, y: np.ndarray) -> pa.Array:
        """Targets [N, *T] as a column of a table."""

    @abstractmethod
    def numbers(self, column: pa.ChunkedArray | pa.Array) -> np.ndarray:
        """Targets [N, *T] of such a column."""

    @abstractmethod
    def strata(self, y: np.ndarray) -> np.ndarray:
        """int64 [N]: rows of one stratum are spread evenly over the splits."""

    @property
    @abstractmethod
    def categories(self) -> tuple[str, ...]:
        """What a split must not lose: classes, tags; empty where there is nothing of the sort."""

    @abstractmethod
    def tally(self, y: np.ndarray) -> np.ndarray:
        """int64 [categories]: rows that have each."""

    needs_every_category: ClassVar[bool] = True  # a category without a training row is an error, else a warning

    # --- words

    @abstractmethod
    def words(self, target: Any) -> str:
        """A target as people say it: `cat`, `12.5 EUR`, `red, round`."""

    score_words: ClassVar[str]  # what the mean of `right` is called in a sentence: accuracy, R²
    score_percent: ClassVar[bool] = True  # shown in percent, else as it is

    @property
    def shown(self) -> Metric:
        """How the mean of `right` is said; the analyses speak of it."""
        from trivium.tasks import metric

        return metric.share("score", self.score_words) if self.score_percent else metric.bare(
            "score", self.score_words, lowest=-np.inf)

    def null_words(self, metric: Metric, constant: str, value: float) -> str:
        """What a strategy must surely beat; constant, value: the constant answer and its value."""
        if metric.key in self.permuted:
            return "its own answers on shuffled targets"
        return f"always answering “{constant}” ({metric.level(value)})"

    # --- training; targets are tensors [B, *T]

    @abstractmethod
    def example(self, samples: int) -> Tensor:
        """Any targets, [B, *T], to count with."""

    @abstractmethod
    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """What training minimises the mean of, [B]."""

    def loss(self, outputs: Tensor, y: Tensor, weight: Tensor | None = None) -> Tensor:
        """That mean, weighted where samples have a weight [B]."""
        each = self.losses(outputs, y)
        return each.mean() if weight is None else (each * weight).sum() / weight.sum().clamp(min=1e-12)

    @abstractmethod
    def distilled(self, outputs: Tensor, answers: Tensor, temperature: float) -> Tensor:
        """How far outputs, [B, C], are from what a teacher answers, [B, A]; [B]. temperature: at which both are
        compared, above 0 (Hinton et al. 2015, arXiv 1503.02531, section 2.1); its square keeps gradients as large.
        """

    @abstractmethod
    def nll(self, outputs: Tensor, y: Tensor) -> float:
        """Mean negative log-likelihood of outputs as they are, nats."""

    @abstractmethod
    def calibrated_nll(self, outputs: Tensor, y: Tensor) -> float:
        """The same once they are calibrated on these samples."""

    def fitted(self, y: np.ndarray) -> Self:
        """The task as it is at a seed: what it must know of targets is taken from `y`, of the train rows, alone."""
        return self

    @abstractmethod
    def uncalibrated(self) -> Tensor:
        """The `calibration` that leaves outputs as they are."""

    @abstractmethod
    def calibration(self, outputs: Tensor, y: Tensor) -> Tensor:
        """What makes outputs mean what they say, fitted on validation; of the shape of `uncalibrated()`."""

    @abstractmethod
    def answer(self, outputs: Tensor, calibration: Tensor) -> Tensor:
        """Calibrated outputs, [B, A]."""

    def decided(self, answers: Tensor, y: Tensor) -> Self:
        """The task of one model that is trained, with what is chosen by its answers on validation."""
        return self

    @abstractmethod
    def pooled(self, answers: Tensor, seen: Tensor) -> Tensor:
        """What several models that know different things say together, [B, A].

        answers: [P, B, A];  seen: bool [P, B], whose answer counts; none: what knows nothing says
        """

    def mixed(self, answers: Tensor, weights: Tensor) -> Tensor:
        """The mean of what several models say, [B, A]: a mixture of their distributions.

        answers: [P, B, A];  weights: [P, B], 0 or more, of each model; all 0: what knows nothing says
        """
        import torch

        total = weights.double().sum(0)
        nothing = self.pooled(answers[:1], torch.zeros_like(weights[:1], dtype=torch.bool))
        found = self.mixture(answers.double(), weights.double() / torch.where(total > 0, total, 1.0))
        return torch.where((total > 0).unsqueeze(-1), found.to(answers.dtype), nothing)

    @abstractmethod
    def mixture(self, answers: Tensor, shares: Tensor) -> Tensor:
        """The same where `shares` [P, B] sum to 1; in float64."""

    def recalibration(self, answers: Tensor, y: Tensor) -> Tensor:
        """A `calibration` for `recalibrated`: means of several answers are less sure than they should be."""
        return self.calibration(answers, y)

    def recalibrated(self, answers: Tensor, calibration: Tensor) -> Tensor:
        """Answers [B, A], calibrated once more."""
        return self.answer(answers, calibration)

    @abstractmethod
    def right(self, answers: Tensor, y: Tensor) -> Tensor:
        """How good each answer is, [..., B] of [..., B, A]; its mean is the score that people look at, 1 at best."""

    def score(self, answers: Tensor, y: Tensor) -> float:
        """The mean of `right`."""
        return self.right(answers, y).mean().item()

    @abstractmethod
    def score_of(self, outputs: Tensor, y: Tensor) -> float:
        """The same of outputs that are not calibrated yet, during training."""

    @abstractmethod
    def guess(self, answers: Tensor) -> Tensor:
        """The targets that answers [B, A] predict, [B, *T]."""

    @abstractmethod
    def support(self, answers: Tensor, target: Tensor) -> Tensor:
        """How much answers [B, A] speak for the predictions `target` [B, *T]: the logarithm of a number 0-1, such as
        the probability of the class; [B].
        """

    def entropy(self, answers: Tensor) -> Tensor:
        """How unsure each answer is, nats, [..., B] of [..., B, A]; 0 where all are as sure."""
        return answers.new_zeros(answers.shape[:-1])

    def told(self, target: Any, support: float) -> str:
        """A prediction as people say it; support: not its logarithm."""
        return self.words(target)

    def corrected(self, target: Any, support: float) -> str:
        """A target that was not predicted, as people say it; support: of it, not its logarithm."""
        return f"in truth {self.words(target)}"

    def telling(self, answers: Tensor, y: Tensor) -> dict[str, Tensor]:
        """Which samples tell most of a model, by why: ascending in this order [B], inf where it does not apply."""
        own = self.log_likelihood(answers, y)
        return {"closest": -own, "furthest": own}

    @abstractmethod
    def parts(self, y: Tensor) -> dict[str, Tensor]:
        """Samples that people look at apart, by a name for them, bool [B]; those without any are left out."""

    @abstractmethod
    def log_likelihood(self, answers: Tensor, y: Tensor) -> Tensor:
        """Of the targets, nats, [..., B] of [..., B, A]; not below `LOWEST`."""
