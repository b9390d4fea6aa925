"""One of several labels that have an order. An answer is the log-probability of each label; what is predicted is the
median of this distribution, since no other label is fewer steps off on average.

Legend: `N` rows, `B` samples, `C` labels, `R` weightings.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from pydantic import Field, field_validator

from trivium.settings.errors import UserError
from trivium.settings.parts import nearest
from trivium.tasks import cells as written
from trivium.tasks import classification, scores
from trivium.tasks.base import Array, Reasons
from trivium.tasks.classification import METRICS, Classification
from trivium.tasks.metric import Metric, bare
from trivium.tasks.scores import Outcome

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Tensor

OWN = ("kappa", "mae")
EXAMPLE = "write `task: {name: ordinal, order: [low, mid, high]}`, from the lowest label to the highest"


class Settings(classification.Settings):
    """order: the labels, from the lowest to the highest."""

    order: Annotated[tuple[str, ...], Field(validate_default=True)] = ()

    @field_validator("order", mode="before")
    @classmethod
    def _labels(cls, value: Any) -> Any:
        if not isinstance(value, (list, tuple)) or len(value) < 2:
            raise ValueError(f"it needs two labels or more: {EXAMPLE}")
        if any(isinstance(one, bool) or not isinstance(one, (str, int, float)) for one in value):
            raise ValueError("a label is a text or a number; write yes and no between quotes")
        return [written.label(one) for one in value]

    @field_validator("order")
    @classmethod
    def _different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({one for one in value if value.count(one) > 1})
        if twice:
            raise ValueError(f"`{twice[0]}` is there twice")
        return value


class Ordinal(Classification):
    """classes: the labels from the lowest to the highest; a target is a position among them, int64 [B]."""

    name = "ordinal"
    primary = "kappa"
    beside = ("mae", "accuracy", "nll")
    ranks = ("kappa", "mae", "balanced_accuracy", "macro_f1", "nll")  # none that the most common label does best at
    needs_every_category = False  # a label that no row has still is a step

    @classmethod
    def read(cls, cells: pa.ChunkedArray, columns: Sequence[str], settings: Settings) -> tuple[pa.Array, Reasons]:
        """The labels, as `order` writes them."""
        import pyarrow as pa

        found, place, reasons = written.each(cells, partial(_known, order=settings.order))
        return pa.array(found, pa.string()).take(pa.array(place, mask=place < 0)), reasons

    @classmethod
    def over(cls, values: pa.Array, columns: Sequence[str], settings: Settings, fewest: int) -> tuple[Self, list[str]]:
        import pyarrow.compute as pc

        found = set(pc.unique(values.drop_null()).to_pylist())
        if len(found) < 2:
            known = f"one label, `{found.pop()}`," if found else "none"
            raise UserError(f"rows have {known} of those in `task.order`, so there is nothing to tell apart: check the "
                            "label column, or lower validate.min_class_count in params.yaml")
        absent = [label for label in settings.order if label not in found]
        warnings = [f"`task.order` in params.yaml names {written.some(absent)}, which no row has"] if absent else []
        return cls(settings.order, settings.loss), warnings

    def grown(self, values: pa.Array, fewest: int) -> tuple[Self, Reasons]:
        """Nothing is new: where a further label stands among the others, only `order` says."""
        return self, {}

    def encode(self, cells: pa.ChunkedArray) -> np.ndarray:
        return super().encode(self.read(cells, (), Settings(order=self.classes))[0])

    def guess(self, answers: Tensor) -> Tensor:
        below = answers.double().softmax(-1).cumsum(-1) < 0.5
        return below.sum(-1).clamp(max=self.outputs - 1)

    def right(self, answers: Tensor, y: Tensor) -> Tensor:
        """1 where the median is the label, else 0."""
        return (self.guess(answers) == y).double()

    @property
    def metrics(self) -> dict[str, Metric]:
        kappa = bare("kappa", "quadratic kappa", lowest=-1.0, head="kappa")
        mae = bare("mae", "mean absolute error", "steps", higher=False, highest=self.outputs - 1.0, head="MAE")
        return {one.key: one for one in (kappa, mae)} | METRICS

    def prediction(self, stored: np.ndarray) -> np.ndarray:
        """The medians."""
        return np.minimum((np.cumsum(stored, 1) < 0.5).sum(1), self.outputs - 1)

    def outcome(self, stored: np.ndarray, y: np.ndarray) -> Outcome:
        return scores.outcome(stored, y, self.prediction(np.asarray(stored, np.float64)))

    def null_words(self, metric: Metric, constant: str, value: float) -> str:
        if metric.key in OWN:
            return f"always answering “{constant}” ({metric.level(value)})"
        return super().null_words(metric, constant, value)

    def weighted(self, result: Outcome, weights: Array, names: Sequence[str], bins: int = 15) -> dict[str, Array]:
        """kappa: Cohen's (1968), with the squares of the steps as weights: 1 less the mean squared error over that of
        independent labels with the same margins; 0 where labels and predictions are all the same.
        """
        found = scores.weighted(result, weights, [name for name in names if name not in OWN], bins)
        y, prediction = result.y.astype(np.float64), result.prediction.astype(np.float64)
        sums = np.stack([np.abs(y - prediction), (y - prediction) ** 2, y, prediction, y**2 + prediction**2])
        steps, square, own, guess, both = sums @ weights / weights.sum(0)
        by_chance = both - 2 * own * guess
        found["mae"] = steps
        found["kappa"] = 1 - np.divide(square, by_chance, out=np.ones_like(square), where=by_chance > 1e-12)
        return {name: found[name] for name in names}

    def table(self, result: Outcome) -> dict[str, dict[str, float]]:
        """Precision, recall, F1 and support of each label, and how many steps off the answers to it are."""
        off = np.abs(result.y - result.prediction)
        return {label: row | {"mae": float(off[result.y == k].mean()) if row["support"] else 0.0}
                for k, (label, row) in enumerate(super().table(result).items())}


def _known(cell: str, order: Sequence[str]) -> str:
    """The label of a cell. Raises: ValueError (it is none of `order`)."""
    label = written.label(cell)
    if not label:
        raise ValueError(written.EMPTY)
    if label not in order:
        raise ValueError(f"its label {written.shown(cell)} is not in `task.order` of params.yaml; "
                         f"{nearest(label, order)}")
    return label


TASK = Ordinal
