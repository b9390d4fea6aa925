"""A linear probe: what can be read off one encoder's frozen features.

Legend: `B` samples, `D` width, `C` classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

DECAY = 1e-2  # L2 penalty on the weights of standardised features
ITERATIONS = 60


def probe(train: Tensor, y: Tensor, test: Tensor, truth: Tensor, classes: int) -> float:
    """Test accuracy of logistic regression fitted on `train` [B, D], `y` [B]; `test`, `truth`: other samples."""
    mean, deviation = train.double().mean(0), train.double().std(0, correction=0).clamp(min=1e-6)
    x, unseen = ((part - mean) / deviation for part in (train, test))
    if x.shape[1] > len(x):  # the best weights are sums of the train rows: no more directions than these have count
        basis = torch.linalg.qr(x.T).Q
        x, unseen = x @ basis, unseen @ basis
    x, unseen = (nn.functional.pad(part, (0, 1), value=1.0) for part in (x, unseen))
    weight = fit(x, nn.functional.one_hot(y, classes).double())
    return ((unseen @ weight).argmax(1) == truth).double().mean().item()


def fit(x: Tensor, goal: Tensor) -> Tensor:
    """Weights [D, C] that minimise the mean cross-entropy of softmax(x @ weight) and the penalty, float64.

    x [B, D], its last column the constant, which is free of penalty; goal [B, C]. Newton's steps with the fixed upper
    bound x'x / 2B of the Hessian (Boehning 1992), accelerated (Nesterov 1983, restarted when it overshoots): no line
    search, and the same bits every time.
    """
    decay = torch.full((x.shape[1], 1), DECAY, dtype=x.dtype, device=x.device)
    decay[-1] = 0.0
    bound = torch.cholesky_inverse(torch.linalg.cholesky(x.T @ x / (2 * len(x)) + torch.diag(decay[:, 0] + 1e-9)))
    weight = ahead = torch.zeros(x.shape[1], goal.shape[1], dtype=x.dtype, device=x.device)
    momentum = 1.0
    for _ in range(ITERATIONS):
        gradient = x.T @ ((x @ ahead).softmax(1) - goal) / len(x) + decay * ahead
        step = ahead - bound @ gradient - weight
        if (gradient * step).sum() > 0:
            momentum = 1.0
        following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        weight = weight + step
        ahead = weight + (momentum - 1) / following * step
        momentum = following
    return weight
