"""Answers that are the log-probability of each of several classes, calibrated by one temperature.

Legend: `B` samples, `S` streams, `C` classes, `P` models; outputs and answers are [B, C].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trivium.tasks.base import LOWEST, Array, Task

if TYPE_CHECKING:
    from torch import Tensor

NEVER = -1e4  # a logit that no temperature brings back


class Probabilities(Task):
    """A target is the position of a class, int64 [B]."""

    def distilled(self, outputs: Tensor, answers: Tensor, temperature: float) -> Tensor:
        """T^2 KL(teacher || student), both softened by T."""
        own, goal = ((x.float() / temperature).log_softmax(-1) for x in (outputs, answers))
        return temperature**2 * (goal.exp() * (goal - own)).sum(-1)

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

    def heat(self, calibration: Tensor) -> np.ndarray:
        return np.float32(calibration.item())  # type: ignore[return-value]

    def entropy(self, answers: Tensor) -> Tensor:
        return -(answers.exp() * answers).sum(-1)

    def pooled(self, answers: Tensor, seen: Tensor) -> Tensor:
        """The sum of log-probabilities, a product of experts (Hinton 2002); without any, uniform."""
        import torch

        total = torch.zeros_like(answers[0])
        for one, counts in zip(answers, seen, strict=True):
            total = total + torch.where(counts.unsqueeze(-1), one, 0.0)
        return total.log_softmax(-1)

    def mixture(self, answers: Tensor, shares: Tensor) -> Tensor:
        """Of probabilities."""
        return (answers + shares.log().unsqueeze(-1)).logsumexp(0)

    def right(self, answers: Tensor, y: Tensor) -> Tensor:
        """1 where the most probable class is the label, else 0."""
        return (answers.argmax(-1) == y).double()

    def score_of(self, outputs: Tensor, y: Tensor) -> float:
        return self.score(outputs, y)  # calibration does not change it

    def guess(self, answers: Tensor) -> Tensor:
        return answers.argmax(-1)

    def support(self, answers: Tensor, target: Tensor) -> Tensor:
        """The log-probability of the class."""
        return answers.gather(-1, target.unsqueeze(-1)).squeeze(-1)

    def telling(self, answers: Tensor, y: Tensor) -> dict[str, Tensor]:
        """The surest right answers, and the surest wrong ones."""
        import torch

        guess = self.guess(answers)
        sure, right = self.support(answers, guess), guess == y
        return {"confident": torch.where(right, -sure, torch.inf), "wrong": torch.where(right, torch.inf, -sure)}

    def log_likelihood(self, answers: Tensor, y: Tensor) -> Tensor:
        own = answers.double().clamp(min=LOWEST)
        return own.gather(-1, y.expand(own.shape[:-1]).unsqueeze(-1)).squeeze(-1)

    def total(self, scores: Tensor, present: Tensor, way: str, intercept: Tensor, nothing: Tensor) -> Tensor:
        return self.combined(scores, present, way, intercept, nothing, self.uncalibrated())

    def combined(self, scores: Tensor, present: Tensor, way: str, intercept: Tensor, nothing: Tensor,
                 calibration: Tensor) -> Tensor:
        """Log-probabilities, none below `LOWEST`: their mean over the streams, or of summed logits. A class that train
        lacks stays at `LOWEST`; the class shares of train where nothing is to be read.
        """
        import torch

        seen = present.unsqueeze(-1)
        if way == "mean":
            each = scores.log_softmax(-1).clamp(min=LOWEST)
            total = torch.where(seen, each, 0.0).sum(1) / seen.sum(1).clamp(min=1)
        else:
            total = torch.where(seen, scores, 0.0).sum(1) + intercept
        total = total.masked_fill(nothing <= LOWEST, NEVER)
        answer = (total / calibration).log_softmax(-1)
        return torch.where(present.any(1, keepdim=True), answer, nothing).clamp(min=LOWEST)

    def stored(self, answers: Tensor) -> Array:
        """Probabilities."""
        return answers.double().softmax(-1).cpu().numpy()

    def restored(self, stored: np.ndarray) -> Tensor:
        import torch

        return torch.from_numpy(np.asarray(stored, np.float64)).clamp(min=np.finfo(np.float32).tiny).log()

    def prediction(self, stored: np.ndarray) -> np.ndarray:
        return stored.argmax(1)

    def truth(self, stored: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The probability of the label."""
        return stored[np.arange(len(stored)), y].astype(np.float64)
