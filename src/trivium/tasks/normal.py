"""Answers that are a normal distribution of each of several numbers: its mean and the logarithm of its deviation, in
the unit of the target.

Legend: `B` samples, `K` targets, `M` test rows, `D` columns, `P` models; outputs are [B, K], answers [B, 2 K];
stored answers are [B, 3 K]: means, half widths of intervals, deviations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from trivium.tasks.base import LOWEST, Task

if TYPE_CHECKING:
    from torch import Tensor

LEAST = 1e-3  # deviation of residuals, of scaled targets: a model that is never surely right


class Normal(Task):
    """mean, deviation: of the targets on train [K]; outputs are of targets that are scaled by them.  scale: deviations
    of all rows [K], for the unit of likelihoods.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    if TYPE_CHECKING:
        @property
        def scale(self) -> Sequence[float]: ...

    def nll(self, outputs: Tensor, y: Tensor) -> float:
        """With the deviation of train: what a head that knows nothing should say."""
        return -self.log_likelihood(self.answer(outputs.double(), self.uncalibrated().to(outputs)), y).mean().item()

    def calibrated_nll(self, outputs: Tensor, y: Tensor) -> float:
        return -self.log_likelihood(self.answer(outputs.double(), self.calibration(outputs, y).to(outputs)),
                                    y).mean().item()

    def uncalibrated(self) -> Tensor:
        """Deviations of the residuals as large as those of the targets."""
        import torch

        return torch.ones(self.outputs)

    def calibration(self, outputs: Tensor, y: Tensor) -> Tensor:
        """The deviation of the residuals around 0, of scaled targets: the maximum of the likelihood."""
        residuals = outputs.detach().double() - self._scaled(y).double()
        return residuals.square().mean(0).sqrt().clamp(min=LEAST).float().cpu()

    def answer(self, outputs: Tensor, calibration: Tensor) -> Tensor:
        import torch

        mean, deviation = (torch.as_tensor(values, dtype=outputs.dtype, device=outputs.device)
                           for values in (self.mean, self.deviation))
        spread = (calibration.to(outputs) * deviation).log().expand(outputs.shape)
        return torch.cat([outputs * deviation + mean, spread], -1)

    def pooled(self, answers: Tensor, seen: Tensor) -> Tensor:
        """The product of the normal distributions, over that of train: each model's counts what it adds to what is
        known without it (Bordley 1982). Without any, train's own.
        """
        import torch

        mean, log_deviation = answers.double().chunk(2, -1)
        own = torch.as_tensor(self.mean, dtype=mean.dtype, device=mean.device)
        prior = torch.as_tensor(self.deviation, dtype=mean.dtype, device=mean.device) ** -2
        gain = torch.where(seen.unsqueeze(-1), ((-2 * log_deviation).exp() - prior).clamp(min=0), 0.0)  # [P, B, K]
        precision = prior + gain.sum(0)
        middle = (prior * own + (gain * mean).sum(0)) / precision
        return torch.cat([middle, -precision.log() / 2], -1).to(answers.dtype)

    def mixture(self, answers: Tensor, shares: Tensor) -> Tensor:
        """The normal distribution with the mean and the variance of the mixture."""
        import torch

        (mean, log_deviation), share = answers.chunk(2, -1), shares.unsqueeze(-1)
        middle = (share * mean).sum(0)
        variance = (share * ((2 * log_deviation).exp() + (mean - middle).square())).sum(0)
        return torch.cat([middle, variance.log() / 2], -1)

    def recalibration(self, answers: Tensor, y: Tensor) -> Tensor:
        """None: a mixture's deviation holds by how much its models disagree on each sample."""
        return self.uncalibrated()

    def recalibrated(self, answers: Tensor, calibration: Tensor) -> Tensor:
        return answers

    def log_likelihood(self, answers: Tensor, y: Tensor) -> Tensor:
        """Of all targets together, in deviations (`scale`), so that it does not depend on the unit."""
        import torch

        mean, log_deviation = answers.double().chunk(2, -1)
        z = (mean - y.double()) / log_deviation.exp()
        size = torch.as_tensor(self.scale, dtype=mean.dtype, device=mean.device)
        each = -0.5 * math.log(2 * math.pi) - (log_deviation - size.log()) - 0.5 * z.square()
        return torch.clamp(each.sum(-1), min=LOWEST)

    def guess(self, answers: Tensor) -> Tensor:
        return answers.chunk(2, -1)[0]

    def support(self, answers: Tensor, target: Tensor) -> Tensor:
        """The log-density of the answer at `target`, less that at its own mean."""
        mean, log_deviation = answers.chunk(2, -1)
        return -0.5 * ((target - mean) / log_deviation.exp()).square().sum(-1)

    def right(self, answers: Tensor, y: Tensor) -> Tensor:
        """1 less the squared error over the variance on train, mean over the targets. Its mean over samples is R²,
        against the mean of train.
        """
        mean = answers.double().chunk(2, -1)[0]
        return 1 - ((mean - y.double()) / self._deviation(mean)).square().mean(-1)

    def score_of(self, outputs: Tensor, y: Tensor) -> float:
        return self.score(self.answer(outputs, self.uncalibrated()), y)

    def probed(self, train: Tensor, y: Tensor, test: Tensor) -> Tensor:
        """Answers of ridge regression."""
        from trivium.tasks.probing import fit

        weight = fit(train, self._scaled(y.double()), lambda z: z, bound=1.0)
        return self.answer(test @ weight, self.calibration(train @ weight, y))

    def restored(self, stored: np.ndarray) -> Tensor:
        import torch

        mean, _, deviation = np.split(np.asarray(stored, np.float64), 3, 1)
        return torch.from_numpy(np.concatenate([mean, np.log(deviation)], 1))

    def truth(self, stored: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The density of the answer at the targets over that at its own mean."""
        mean, _, deviation = np.split(np.asarray(stored, np.float64), 3, 1)
        return np.exp(-0.5 * np.square((y - mean) / deviation).sum(1))

    def _scaled(self, y: Tensor) -> Tensor:
        import torch

        mean, deviation = (torch.as_tensor(values, dtype=y.dtype, device=y.device)
                           for values in (self.mean, self.deviation))
        return (y - mean) / deviation

    def _deviation(self, like: Tensor) -> Tensor:
        import torch

        return torch.as_tensor(self.deviation, dtype=like.dtype, device=like.device)
