"""One class of several per sample. An answer is the log-probability of each class.

Legend: `N` rows, `B` samples, `C` classes, `R` weightings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from pydantic import field_validator

from trivium.settings.base import Section
from trivium.settings.errors import UserError
from trivium.tasks import losses, scores
from trivium.tasks.base import LOWEST, Array, Reasons
from trivium.tasks.links import Softmax
from trivium.tasks.metric import Metric, nats, share
from trivium.tasks.probabilities import Probabilities
from trivium.tasks.scores import Outcome
from trivium.tasks.shown import Classes

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Tensor

    from trivium.tasks.links import Link

MOST = 1000  # classes
STATED = ("nll", "brier", "ece")  # metrics of the probabilities
METRICS = {one.key: one for one in (
    share("accuracy", "accuracy"), share("balanced_accuracy", "balanced accuracy", head="bal. acc."),
    share("macro_precision", "macro precision"), share("macro_recall", "macro recall"), share("macro_f1", "macro F1"),
    nats("nll", "negative log-likelihood"), Metric("brier", "Brier score", "", False, 0.0, 2.0, 1.0, 3, ""),
    share("ece", "calibration error (ECE)", higher=False, head="ECE"))}


class Settings(Section):
    """loss: what training minimises, one of `losses.CLASSES`."""

    loss: str | dict[str, Any] = "ce"

    @field_validator("loss", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        return losses.chosen(value, losses.CLASSES)


class Classification(Classes, Probabilities):
    """classes: their labels, in the order of the outputs; a target is a position among them, int64 [B].

    loss: see `losses.chosen`.  counts: train rows of each class [C], where the loss asks for them; see `fitted`.
    """

    name = "classification"
    score_words = "accuracy"
    primary = "accuracy"
    beside: ClassVar[tuple[str, ...]] = ("macro_f1", "nll", "ece")
    ranks: ClassVar[tuple[str, ...]] = ("accuracy", "balanced_accuracy", "macro_f1", "nll")
    permuted: ClassVar[tuple[str, ...]] = ("balanced_accuracy", "macro_f1")
    categorical = True

    def __init__(self, classes: Sequence[str], loss: str | dict[str, Any] = "ce", counts: Sequence[int] = ()) -> None:
        self.classes, self.objective, self.counts = tuple(classes), loss, tuple(counts)
        self.outputs, self._loss = len(self.classes), losses.settings(loss, losses.CLASSES)

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> Self:
        return cls(**about)

    def plain(self) -> dict[str, Any]:
        """What is as usual is not said."""
        return ({"name": self.name, "classes": list(self.classes)}
                | ({"loss": self.objective} if self.objective != "ce" else {})
                | ({"counts": list(self.counts)} if self.counts else {}))

    @classmethod
    def read(cls, cells: pa.ChunkedArray, columns: Sequence[str], settings: Any) -> tuple[pa.Array, Reasons]:
        """The labels as they are; what is empty has none."""
        import pyarrow as pa
        import pyarrow.compute as pc

        values = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
        return values, {row: "it has no label" for row in np.flatnonzero(pc.is_null(values).to_numpy(False)).tolist()}

    @classmethod
    def over(cls, values: pa.Array, columns: Sequence[str], settings: Any, fewest: int) -> tuple[Self, list[str]]:
        import pyarrow.compute as pc

        classes = sorted(pc.unique(values.drop_null()).to_pylist())
        if len(classes) < 2:
            raise UserError("fewer than two classes are left, so there is nothing to tell apart: check the label "
                            "column, or lower validate.min_class_count in params.yaml")
        if len(classes) > MOST:
            raise UserError(f"there are {len(classes):,} classes; at most {MOST:,} can be compared")
        return cls(classes, settings.loss), []

    def rare(self, values: pa.Array, fewest: int) -> Reasons:
        import pyarrow as pa
        import pyarrow.compute as pc

        code = pc.index_in(values, value_set=pa.array(self.classes)).fill_null(-1).to_numpy()
        count = np.bincount(code[code >= 0], minlength=self.outputs)
        few = (code >= 0) & (count[code] < fewest)
        return {row: f"its class `{self.classes[code[row]]}` has {count[code[row]]} usable rows; "
                     f"validate.min_class_count in params.yaml is {fewest}" for row in np.flatnonzero(few).tolist()}

    def grown(self, values: pa.Array, fewest: int) -> tuple[Self, Reasons]:
        """New classes stand behind the old ones, whose places stay."""
        import pyarrow as pa
        import pyarrow.compute as pc

        counts = {one["values"]: one["counts"] for one in pc.value_counts(values.drop_null()).to_pylist()}
        new = sorted(set(counts) - set(self.classes))
        few = [name for name in new if counts[name] < fewest]
        rows = np.flatnonzero(pc.is_in(values, value_set=pa.array(few, pa.string())).to_numpy(zero_copy_only=False))
        return self._with(classes=[*self.classes, *(name for name in new if name not in few)]), {
            row: f"its class `{(name := values[row].as_py())}` is new and has {counts[name]} usable rows; "
                 f"validate.min_class_count in params.yaml is {fewest}" for row in rows.tolist()}

    def encode(self, cells: pa.ChunkedArray) -> np.ndarray:
        import pyarrow as pa
        import pyarrow.compute as pc

        return pc.index_in(cells, value_set=pa.array(self.classes)).to_numpy().astype(np.int64)

    def column(self, y: np.ndarray) -> pa.Array:
        import pyarrow as pa

        return pa.array(y, type=pa.int32())

    def numbers(self, column: pa.ChunkedArray | pa.Array) -> np.ndarray:
        return column.to_numpy(zero_copy_only=False).astype(np.int64)

    def strata(self, y: np.ndarray) -> np.ndarray:
        return y

    @property
    def categories(self) -> tuple[str, ...]:
        return self.classes

    def tally(self, y: np.ndarray) -> np.ndarray:
        return np.bincount(y, minlength=self.outputs)

    def words(self, target: Any) -> str:
        return self.classes[int(target)]

    def example(self, samples: int) -> Tensor:
        import torch

        return torch.zeros(samples, dtype=torch.int64)

    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """See `losses`; of the F1 of a batch, the same for each."""
        from torch.nn import functional

        if isinstance(self._loss, losses.SoftF1):
            return self.loss(outputs, y).expand(len(y))
        if isinstance(self._loss, losses.CrossEntropy):
            return functional.cross_entropy(outputs, y, reduction="none", label_smoothing=self._loss.smoothing)
        if isinstance(self._loss, losses.Focal):
            return losses.focus(functional.cross_entropy(outputs, y, reduction="none"), self._loss.gamma)
        import torch

        weight = losses.effective(np.asarray(self.counts or [1] * self.outputs, np.float64), self._loss.beta)
        return functional.cross_entropy(outputs, y, torch.as_tensor(weight).to(outputs), reduction="none")

    def loss(self, outputs: Tensor, y: Tensor, weight: Tensor | None = None) -> Tensor:
        from torch.nn import functional

        if isinstance(self._loss, losses.SoftF1):
            goal = functional.one_hot(y, self.outputs).to(outputs.dtype)
            return losses.soft_f1(outputs.softmax(-1), goal, weight)
        if weight is None and self.objective == "ce":
            return functional.cross_entropy(outputs, y)
        return super().loss(outputs, y, weight)

    def fitted(self, y: np.ndarray) -> Self:
        return self._with(counts=self.tally(y).tolist()) if isinstance(self._loss, losses.Balanced) else self

    def told(self, target: Any, support: float) -> str:
        return f"{self.words(target)} ({support:.0%})"

    def corrected(self, target: Any, support: float) -> str:
        return f"wrong: {self.words(target)} has {support:.0%}"

    def parts(self, y: Tensor) -> dict[str, Tensor]:
        """The samples of each class."""
        return {self.classes[k]: y == k for k in y.cpu().unique().tolist()}

    def link(self, y: np.ndarray) -> Link:
        return Softmax(y)

    def nothing(self, y: np.ndarray) -> np.ndarray:
        """Log class shares, not below the logarithm of 1e-12."""
        return np.log(np.maximum(self.tally(y) / len(y), 1e-12)).astype(np.float32)

    def judgeable(self, nothing: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Those whose class train has."""
        return nothing[y] > LOWEST

    def probed(self, train: Tensor, y: Tensor, test: Tensor) -> Tensor:
        """Logits of logistic regression."""
        from torch.nn import functional

        from trivium.tasks.probing import fit

        return test @ fit(train, functional.one_hot(y, self.outputs).double(), lambda z: z.softmax(1), bound=0.5)

    @property
    def metrics(self) -> dict[str, Metric]:
        return METRICS

    def outcome(self, stored: np.ndarray, y: np.ndarray) -> Outcome:
        return scores.outcome(stored, y)

    def constant(self, train: np.ndarray, y: np.ndarray) -> Outcome:
        """Of the class shares of train, and the label that these predict."""
        p = self._shares(train)
        label, mine = int(self.prediction(p[None])[0]), p[y]
        return Outcome(y, np.full(len(y), label), -np.log(np.maximum(mine, 1e-12)), np.full(len(y), p[label]),
                       (p**2).sum() - 2 * mine + 1, len(p))

    def constant_words(self, train: np.ndarray) -> str:
        return self.words(self.prediction(self._shares(train)[None])[0])

    def null_words(self, metric: Metric, constant: str, value: float) -> str:
        if metric.key in self.permuted:
            return "its own answers on shuffled labels"
        if metric.key == "accuracy":
            return f"always answering “{constant}” ({metric.value(value)} right)"
        if metric.key in STATED:
            return f"always giving the class shares of train ({metric.value(value)})"
        return super().null_words(metric, constant, value)

    @classmethod
    def always(cls, metric: Metric, constant: str) -> str:
        return "the class shares of train" if metric.key in STATED else super().always(metric, constant)

    def _shares(self, train: np.ndarray) -> Array:
        counts = self.tally(train)
        return counts / counts.sum()

    def weighted(self, result: Outcome, weights: Array, names: Sequence[str], bins: int = 15) -> dict[str, Array]:
        return scores.weighted(result, weights, names, bins)

    def chance(self, result: Outcome, weights: Array, names: Sequence[str], bins: int = 15) -> dict[str, Array]:
        return scores.permuted(result, weights, names)

    def table(self, result: Outcome) -> dict[str, dict[str, float]]:
        """Precision, recall, F1 and support of each class."""
        return scores.per_class(scores.confusion(result.y, result.prediction, self.outputs), self.classes)


TASK = Classification
