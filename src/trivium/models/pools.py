"""What becomes of the answers of several models, other than their product: a weighted mean, or a linear model on them.

Each is a module called with answers [P, B, A], whether each counts, bool [P, B], and the task; it gives [B, A].

Legend: `P` models, `B` samples, `A` numbers of an answer, `C` outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from trivium.tasks import Task


class Mean(nn.Module):
    """The mean of what those that count say (of probabilities, not of their logarithms), by their weights [P], 0 or
    more; then calibrated. A sample of which no model with a weight sees anything gets what knows nothing says.
    """

    def __init__(self, weights: Tensor, calibration: Tensor) -> None:
        super().__init__()
        self.register_buffer("weights", weights.float())
        self.register_buffer("calibration", calibration.float())

    @classmethod
    def fitted(cls, weights: Tensor, answers: Tensor, seen: Tensor, y: Tensor, task: Task) -> Mean:
        """Calibrated on samples with the targets `y` of which any model sees something."""
        counts = seen * weights.to(answers.device).unsqueeze(-1)
        some = counts.any(0)
        if not some.any():
            return cls(weights, task.uncalibrated()).to(answers.device)
        calibration = task.recalibration(task.mixed(answers, counts)[some], y[some])
        return cls(weights, calibration).to(answers.device)

    def forward(self, answers: Tensor, seen: Tensor, task: Task) -> Tensor:
        counts = seen * self.weights.unsqueeze(-1)
        some = counts.any(0)
        mixed = task.mixed(answers, torch.where(some, counts, 1.0))  # of all, where none counts: gradients stay finite
        nothing = task.pooled(answers[:1], torch.zeros_like(seen[:1])).to(mixed)
        return torch.where(some.unsqueeze(-1), task.recalibrated(mixed, self.calibration), nothing)


class Stack(nn.Module):
    """Stacking: outputs are intercept [C] + the sum over the models that count of weight [P, C, A] times what each says
    + bias [P, C]; then they are calibrated. nothing: outputs [C] where no model counts.
    """

    def __init__(self, weight: Tensor, bias: Tensor, intercept: Tensor, nothing: Tensor, calibration: Tensor) -> None:
        super().__init__()
        for name, value in (("weight", weight), ("bias", bias), ("intercept", intercept), ("nothing", nothing),
                            ("calibration", calibration)):
            self.register_buffer(name, value.float())

    def forward(self, answers: Tensor, seen: Tensor, task: Task) -> Tensor:
        scores = torch.einsum("pba,pca->bpc", answers, self.weight) + self.bias
        return task.combined(scores, seen.T, "concatenation", self.intercept, self.nothing, self.calibration)


def about(pool: nn.Module) -> dict[str, Any]:
    """A JSON value; `empty` of it takes this one's `state_dict`."""
    if isinstance(pool, Stack):
        return {"name": "stack", "shape": list(pool.weight.shape), "calibration": list(pool.calibration.shape)}
    return {"name": "mean", "shape": list(pool.weights.shape), "calibration": list(pool.calibration.shape)}


def empty(about: Mapping[str, Any]) -> nn.Module:
    """To load weights into."""
    if about["name"] == "mean":
        return Mean(torch.ones(about["shape"]), torch.ones(about["calibration"]))
    models, outputs, numbers = about["shape"]
    return Stack(torch.zeros(models, outputs, numbers), torch.zeros(models, outputs), torch.zeros(outputs),
                 torch.zeros(outputs), torch.ones(about["calibration"]))
