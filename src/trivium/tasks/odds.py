"""Answers that are the logit of each of several tags, calibrated by one temperature for all of them.

Legend: `B` samples, `C` tags, `M` test rows, `D` columns, `P` models; outputs and answers are [B, C].
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from trivium.tasks.base import LOWEST, Array, Task

if TYPE_CHECKING:
    from torch import Tensor


class Odds(Task):
    """A target is uint8 [B, C], 1 where a sample has the tag."""

    def distilled(self, outputs: Tensor, answers: Tensor, temperature: float) -> Tensor:
        """T^2 KL(teacher || student) of each tag, both softened by T; the mean over the tags."""
        from torch.nn.functional import logsigmoid

        own, goal = outputs.float() / temperature, answers.float() / temperature
        each = (goal.sigmoid() * (logsigmoid(goal) - logsigmoid(own))
                + (-goal).sigmoid() * (logsigmoid(-goal) - logsigmoid(-own)))
        return temperature**2 * each.mean(-1)

    def nll(self, outputs: Tensor, y: Tensor) -> float:
        return -self.log_likelihood(outputs, y).mean().item()

    def calibrated_nll(self, outputs: Tensor, y: Tensor) -> float:
        from trivium.tasks.temperature import sharpest

        measure = partial(_measure, outputs.detach(), y)
        return measure(sharpest(measure))[0]

    def uncalibrated(self) -> Tensor:
        """A temperature of 1."""
        import torch

        return torch.ones(())

    def calibration(self, outputs: Tensor, y: Tensor) -> Tensor:
        """A temperature for all tags."""
        import torch

        from trivium.tasks.temperature import sharpest

        return torch.tensor(1 / sharpest(partial(_measure, outputs.detach(), y)), dtype=torch.float64)

    def answer(self, outputs: Tensor, calibration: Tensor) -> Tensor:
        return outputs.float() / calibration.to(outputs.device, outputs.float().dtype)

    def heat(self, calibration: Tensor) -> np.ndarray:
        return np.float32(calibration.item())  # type: ignore[return-value]

    def entropy(self, answers: Tensor) -> Tensor:
        """Of all tags together, as if they were independent."""
        import torch

        logs = torch.nn.functional.logsigmoid(torch.stack([answers, -answers]))
        return -(logs.exp() * logs).sum((0, -1))

    def mixture(self, answers: Tensor, shares: Tensor) -> Tensor:
        """Of each tag's probability, as log odds."""
        from torch.nn.functional import logsigmoid

        share = shares.log().unsqueeze(-1)
        return (logsigmoid(answers) + share).logsumexp(0) - (logsigmoid(-answers) + share).logsumexp(0)

    def support(self, answers: Tensor, target: Tensor) -> Tensor:
        """The log-probability of what is said of a tag, mean over the tags."""
        from torch.nn.functional import logsigmoid

        return logsigmoid(answers * (2 * target.to(answers.dtype) - 1)).mean(-1)

    def log_likelihood(self, answers: Tensor, y: Tensor) -> Tensor:
        """Summed over the tags, each not below `LOWEST`."""
        from torch.nn.functional import logsigmoid

        z = answers.double()
        return logsigmoid(z * (2 * y.double() - 1)).clamp(min=LOWEST).sum(-1)

    def probed(self, train: Tensor, y: Tensor, test: Tensor) -> Tensor:
        """Logits of logistic regression of each tag."""
        from trivium.tasks.probing import fit

        return test @ fit(train, y.double(), lambda z: z.sigmoid(), bound=0.25)

    def stored(self, answers: Tensor) -> Array:
        """Probabilities [B, C]."""
        return answers.double().sigmoid().cpu().numpy()

    def restored(self, stored: np.ndarray) -> Tensor:
        import torch

        return torch.from_numpy(np.asarray(stored, np.float64)).logit(float(np.finfo(np.float32).eps))

    def truth(self, stored: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The geometric mean of the probabilities of what is true of each tag."""
        own = np.where(np.asarray(y) > 0, stored, 1 - np.asarray(stored, np.float64))
        return np.exp(np.log(np.maximum(own, 1e-12)).mean(1))


def _measure(logits: Tensor, y: Tensor, sharpness: float) -> tuple[float, float, float]:
    """Mean NLL of sigmoid(logits * sharpness), summed over the tags, its slope and its curvature in `sharpness`."""
    import torch

    z = logits.double().clamp(-100.0, 100.0)
    p = (z * sharpness).sigmoid()
    goal = y.double()
    nll = torch.nn.functional.binary_cross_entropy_with_logits(z * sharpness, goal, reduction="none")
    sums = [part.sum(1).mean().item() for part in (nll, (p - goal) * z, p * (1 - p) * z * z)]
    return sums[0], sums[1], sums[2]
