"""One or several numbers per sample. An answer is a normal distribution of each: its mean and the logarithm of its
deviation, in the unit of the target.

Heads learn targets that are scaled to mean 0 and deviation 1 on train. What calibration fits is the deviation of the
residuals on validation.

Legend: `B` samples, `K` targets, `C` outputs (K), `P` models or changes; answers are [B, 2 K].
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from trivium.tasks.base import LOWEST, Task

if TYPE_CHECKING:
    from torch import Tensor

Loss = Literal["mse", "mae", "huber"]
LEAST = 1e-3  # deviation of residuals, of scaled targets: a model that is never surely right
QUARTERS = ("lowest quarter", "second quarter", "third quarter", "highest quarter")


class Regression(Task):
    """targets: name -> unit ("" without); a target is float32 [B, K].  loss: what training minimises.

    mean, deviation, quarters: of the targets on train, [K], [K] and [3] (the first target's quartiles); see `fitted`.
    """

    name = "regression"

    def __init__(self, targets: Mapping[str, str], loss: Loss = "mse", mean: Sequence[float] = (),
                 deviation: Sequence[float] = (), quarters: Sequence[float] = ()) -> None:
        self.targets, self.objective, self.outputs = dict(targets), loss, len(targets)
        self.mean, self.deviation = tuple(mean) or (0.0,) * self.outputs, tuple(deviation) or (1.0,) * self.outputs
        self.quarters = tuple(quarters)

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> Self:
        return cls(**about)

    def plain(self) -> dict[str, Any]:
        fit = {"mean": list(self.mean), "deviation": list(self.deviation), "quarters": list(self.quarters)}
        return {"name": self.name, "targets": self.targets, "loss": self.objective} | (fit if self.quarters else {})

    def fitted(self, y: np.ndarray) -> Self:
        deviation = y.std(0)
        return type(self)(self.targets, self.objective, y.mean(0).tolist(),
                          np.where(deviation > 0, deviation, 1.0).tolist(),
                          np.quantile(y[:, 0], [0.25, 0.5, 0.75]).tolist())

    def words(self, target: Any) -> str:
        """`12.5 EUR`, or `price 12.5 EUR, area 80 m²`."""
        values = [float(value) for value in np.atleast_1d(np.asarray(target))]
        said = [f"{value:.4g} {unit}".rstrip() for value, unit in zip(values, self.targets.values(), strict=True)]
        return said[0] if len(said) == 1 else ", ".join(f"{name} {one}" for name, one in zip(self.targets, said,
                                                                                           strict=True))

    def example(self, samples: int) -> Tensor:
        import torch

        return torch.zeros(samples, self.outputs)

    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Half the square, the absolute value or Huber's loss of the scaled difference, mean over the targets."""
        from torch.nn import functional

        goal = self._scaled(y)
        each = {"mse": lambda: functional.mse_loss(outputs, goal, reduction="none") / 2,
                "mae": lambda: functional.l1_loss(outputs, goal, reduction="none"),
                "huber": lambda: functional.huber_loss(outputs, goal, reduction="none")}[self.objective]()
        return each.mean(1)

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

    def right(self, answers: Tensor, y: Tensor) -> Tensor:
        """1 less the squared error over the variance on train, mean over the targets. Its mean over samples is R²,
        against the mean of train.
        """
        mean = answers.double().chunk(2, -1)[0]
        return 1 - ((mean - y.double()) / self._deviation(mean)).square().mean(-1)

    def parts(self, y: Tensor) -> dict[str, Tensor]:
        """By quarters of the first target on train."""
        import torch

        edges = torch.as_tensor(self.quarters, dtype=y.dtype, device=y.device)
        place = torch.bucketize(y[:, 0].contiguous(), edges)
        return {name: place == k for k, name in enumerate(QUARTERS) if bool((place == k).any())}

    def log_likelihood(self, answers: Tensor, y: Tensor) -> Tensor:
        """Of all targets together, in the units of scaled targets, so that it does not depend on the unit."""
        import torch

        mean, log_deviation = answers.double().chunk(2, -1)
        log_deviation = log_deviation - self._deviation(mean).log()
        z = (mean - y.double()) / self._deviation(mean)
        each = -0.5 * math.log(2 * math.pi) - log_deviation - 0.5 * (z / log_deviation.exp()).square()
        return torch.clamp(each.sum(-1), min=LOWEST)

    def _scaled(self, y: Tensor) -> Tensor:
        import torch

        mean, deviation = (torch.as_tensor(values, dtype=y.dtype, device=y.device)
                           for values in (self.mean, self.deviation))
        return (y - mean) / deviation

    def _deviation(self, like: Tensor) -> Tensor:
        import torch

        return torch.as_tensor(self.deviation, dtype=like.dtype, device=like.device)
