"""What becomes of the answers of several models, other than their product: a weighted mean, or a linear model on them.

Each is a module called with answers [P, B, A], whether each counts, bool [P, B], and the task; it gives [B, A].

Legend: `P` models, `B` samples, `A` numbers of an answer, `C` outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from trivium.tasks import Task, weighing


class Mean(nn.Module):
    """See `weighing.mean`; weights: [P], 0 or more."""

    def __init__(self, weights: Tensor, calibration: Tensor) -> None:
        super().__init__()
        self.register_buffer("weights", weights.float())
        self.register_buffer("calibration", calibration.float())

    @classmethod
    def fitted(cls, weights: Tensor, answers: Tensor, seen: Tensor, y: Tensor, task: Task) -> Mean:
        """Calibrated on samples with the targets `y` of which any model sees something."""
        calibration = weighing.calibration(weights, answers, seen, y, task)
        return cls(weights, calibration).to(answers.device)

    def forward(self, answers: Tensor, seen: Tensor, task: Task) -> Tensor:
        return weighing.mean(self.weights, self.calibration, answers, seen, task)


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
