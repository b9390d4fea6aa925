"""The metrics of a task: how good stored answers are, and an answer that knows no inputs. Targets are numpy arrays.

Legend: `B` samples, `A` numbers of an answer, `R` weightings, `T` the shape of one target.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from trivium.tasks.base import Array, Outcome
    from trivium.tasks.metric import Metric


class Measured(ABC):
    """What every task answers."""

    name: ClassVar[str]

    @property
    @abstractmethod
    def metrics(self) -> dict[str, Metric]:
        """All that are measured, by key, in the order in which people look at them."""

    primary: ClassVar[str]  # the key of the metric that ranks, where nothing else is chosen
    beside: ClassVar[tuple[str, ...]]  # the keys of metrics that stand in tables next to the one that ranks
    ranks: ClassVar[tuple[str, ...]]  # the keys of metrics that may rank
    permuted: ClassVar[tuple[str, ...]] = ()  # metrics whose null is the same answers on permuted targets (`chance`)
    categorical: ClassVar[bool] = False  # whether the target is one class of `categories`, so that it can be counted

    @abstractmethod
    def stored(self, answers: Tensor) -> Array:
        """What predictions.parquet keeps of answers [B, A], in units that people know: float64 [B, A]."""

    @abstractmethod
    def restored(self, stored: np.ndarray) -> Tensor:
        """Answers [B, A] in float64, of what `stored` made of them and a file kept in float32."""

    @abstractmethod
    def prediction(self, stored: np.ndarray) -> np.ndarray:
        """The targets that are predicted, [B, *T]."""

    @abstractmethod
    def truth(self, stored: np.ndarray, y: np.ndarray) -> np.ndarray:
        """How much stored answers [B, A] speak for the targets [B, *T]: 0-1, as `support` does for predictions; [B]."""

    @abstractmethod
    def outcome(self, stored: np.ndarray, y: np.ndarray) -> Outcome:
        """Of stored answers [B, A] and targets [B, *T]. Raises: ValueError (shapes or values are not as said)."""

    @abstractmethod
    def constant(self, train: np.ndarray, y: np.ndarray) -> Outcome:
        """The outcome on targets `y` of an answer that knows the targets of train and no inputs."""

    @abstractmethod
    def constant_words(self, train: np.ndarray) -> str:
        """That answer, as people say it."""

    @abstractmethod
    def weighted(self, result: Any, weights: Array, names: Sequence[str], bins: int = 15) -> dict[str, Array]:
        """The metrics `names` under each of R weightings [B, R] of the samples: [R] each."""

    def chance(self, result: Any, weights: Array, names: Sequence[str], bins: int = 15) -> dict[str, Array]:
        """The metrics `names`, of `permuted`, to expect of the same answers on permuted targets: [R] each."""
        raise KeyError(f"no metric of {self.name} is held against permuted targets")

    def scores(self, result: Any, names: Sequence[str] = (), weight: np.ndarray | None = None, bins: int = 15,
               ) -> dict[str, float]:
        """The metrics `names` (all of them where none is named); weight: of each sample [B]."""
        each = np.ones((len(result.y), 1)) if weight is None else np.asarray(weight, np.float64)[:, None]
        found = self.weighted(result, each, tuple(names) or tuple(self.metrics), bins)
        return {name: float(value[0]) for name, value in found.items()}

    @abstractmethod
    def table(self, result: Any) -> dict[str, dict[str, float]]:
        """Class, tag, number or part of the samples -> what people want to know of each: a table of the report."""
