"""One class of several per sample. An answer is the log-probability of each class.

Legend: `B` samples, `C` classes, `P` models or changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from trivium.tasks.base import LOWEST, Task

if TYPE_CHECKING:
    from torch import Tensor


class Classification(Task):
    """classes: their labels, in the order of the outputs; a target is a position among them, int64 [B]."""

    name = "classification"

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        self.outputs = len(self.classes)

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> Self:
        return cls(about["classes"])

    def plain(self) -> dict[str, Any]:
        return {"name": self.name, "classes": list(self.classes)}

    def words(self, target: Any) -> str:
        return self.classes[int(target)]

    def example(self, samples: int) -> Tensor:
        import torch

        return torch.zeros(samples, dtype=torch.int64)

    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Cross-entropy."""
        from torch.nn import functional

        return functional.cross_entropy(outputs, y, reduction="none")

    def loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        from torch.nn import functional

        return functional.cross_entropy(outputs, y)

    def nll(self, outputs: Tensor, y: Tensor) -> float:
        from torch.nn import functional

        return functional.cross_entropy(outputs.double(), y).item()

    def calibrated_nll(self, outputs: Tensor, y: Tensor) -> float:
        from trivium.tasks import temperature

        return temperature.calibrated_nll(outputs, y)

    def uncalibrated(self) -> Tensor:
        """A temperature of 1."""
        import torch

        return torch.ones(())

    def calibration(self, outputs: Tensor, y: Tensor) -> Tensor:
        """A temperature."""
        import torch

        from trivium.tasks import temperature

        return torch.tensor(temperature.temperature(outputs, y), dtype=torch.float64)

    def answer(self, outputs: Tensor, calibration: Tensor) -> Tensor:
        return (outputs.float() / calibration).log_softmax(-1)

    def pooled(self, answers: Tensor, seen: Tensor) -> Tensor:
        """The sum of log-probabilities, a product of experts (Hinton 2002); without any, uniform."""
        import torch

        total = torch.zeros_like(answers[0])
        for one, counts in zip(answers, seen, strict=True):
            total = total + torch.where(counts.unsqueeze(-1), one, 0.0)
        return total.log_softmax(-1)

    def right(self, answers: Tensor, y: Tensor) -> Tensor:
        """1 where the most probable class is the label, else 0."""
        return (answers.argmax(-1) == y).double()

    def parts(self, y: Tensor) -> dict[str, Tensor]:
        """The samples of each class."""
        return {self.classes[k]: y == k for k in y.cpu().unique().tolist()}

    def log_likelihood(self, answers: Tensor, y: Tensor) -> Tensor:
        own = answers.double().clamp(min=LOWEST)
        return own.gather(-1, y.expand(own.shape[:-1]).unsqueeze(-1)).squeeze(-1)
