"""What every task can be asked.

An *output* is what a head gives, [B, C], and an *answer* is a calibrated distribution over the target, [B, C] as well:
whatever a task needs to say how likely each target is. Answers of several models can be pooled, and averaged over what
was changed in their inputs; the analyses know no more than that.

Legend: `B` samples, `C` outputs, `P` models or changes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


class Task(ABC):
    """outputs: C, the width of a head."""

    name: ClassVar[str]
    outputs: int

    @classmethod
    @abstractmethod
    def of(cls, about: Mapping[str, Any]) -> Self:
        """From what `plain` gave, without the name."""

    @abstractmethod
    def plain(self) -> dict[str, Any]:
        """A JSON value, with the name."""

    @abstractmethod
    def words(self, target: Any) -> str:
        """A target as people say it."""

    @abstractmethod
    def example(self, samples: int) -> Tensor:
        """Any targets, [B, ...], to count with."""

    @abstractmethod
    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """What training minimises the mean of, [B]."""

    def loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        """That mean."""
        return self.losses(outputs, y).mean()

    @abstractmethod
    def nll(self, outputs: Tensor, y: Tensor) -> float:
        """Mean negative log-likelihood of outputs as they are, nats."""

    @abstractmethod
    def calibrated_nll(self, outputs: Tensor, y: Tensor) -> float:
        """The same once they are calibrated on these samples."""

    def fitted(self, y: np.ndarray) -> Self:
        """The task as it is at a seed, whose train rows have the targets `y`: what it must know of them is taken from
        these alone.
        """
        return self

    @abstractmethod
    def uncalibrated(self) -> Tensor:
        """The `calibration` that leaves outputs as they are."""

    @abstractmethod
    def calibration(self, outputs: Tensor, y: Tensor) -> Tensor:
        """What makes outputs mean what they say, fitted on validation; of the shape of `uncalibrated()`."""

    @abstractmethod
    def answer(self, outputs: Tensor, calibration: Tensor) -> Tensor:
        """Calibrated outputs, [B, C]."""

    @abstractmethod
    def pooled(self, answers: Tensor, seen: Tensor) -> Tensor:
        """What several models that know different things say together, [B, C].

        answers: [P, B, C];  seen: bool [P, B], whose answer counts; none: what knows nothing says
        """

    @abstractmethod
    def right(self, answers: Tensor, y: Tensor) -> Tensor:
        """How good each answer is, [..., B] of [..., B, C]; its mean is the score that people look at, 1 at best."""

    def score(self, answers: Tensor, y: Tensor) -> float:
        """The mean of `right`. It may be asked of outputs, too: calibration does not change it."""
        return self.right(answers, y).mean().item()

    @abstractmethod
    def parts(self, y: Tensor) -> dict[str, Tensor]:
        """Samples that people look at apart, by a name for them, bool [B]; those without any are left out."""

    @abstractmethod
    def log_likelihood(self, answers: Tensor, y: Tensor) -> Tensor:
        """Of the targets, nats, [..., B] of [..., B, C]; not below `LOWEST`."""


LOWEST = -27.6310211159  # log of 1e-12: one certain mistake stays finite
