"""A linear probe: what can be read off one encoder's frozen features.

Legend: `B` samples, `D` width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trivium.tasks import Task


def probe(task: Task, train: Tensor, y: Tensor, test: Tensor, truth: Tensor) -> float:
    """The score on `test` and `truth` of a linear model fitted on `train` [B, D], `y` [B, *T], see `Task.probed`."""
    mean, deviation = train.double().mean(0), train.double().std(0, correction=0).clamp(min=1e-6)
    x, unseen = ((part - mean) / deviation for part in (train, test))
    if x.shape[1] > len(x):  # the best weights are sums of the train rows: no more directions than these have count
        basis = torch.linalg.qr(x.T).Q
        x, unseen = x @ basis, unseen @ basis
    x, unseen = (nn.functional.pad(part, (0, 1), value=1.0) for part in (x, unseen))
    return task.score(task.probed(x, y, unseen), truth)
