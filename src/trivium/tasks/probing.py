"""A small linear model on frozen features, for what can be read off an encoder (`evaluation.probes`).

Legend: `B` samples, `D` columns, `C` outputs.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

DECAY = 1e-2  # L2 penalty on the weights of standardised features
ITERATIONS = 60


def fit(x: Tensor, goal: Tensor, activation: Callable[[Tensor], Tensor], bound: float) -> Tensor:
    """Weights [D, C] that minimise the mean loss of x @ weight, whose gradient is activation(x @ weight) - goal, and
    the penalty; float64. activation: softmax, sigmoid, or none;  bound: of the activation's slope, 1/2, 1/4 or 1

    x [B, D], its last column the constant, which is free of penalty; goal [B, C]. Newton's steps with a fixed upper
    bound of the Hessian (Boehning 1992), accelerated (Nesterov 1983, restarted when it overshoots): no line search, and
    the same bits every time.
    """
    decay = torch.full((x.shape[1], 1), DECAY, dtype=x.dtype, device=x.device)
    decay[-1] = 0.0
    hessian = x.T @ x * bound / len(x)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(hessian + torch.diag(decay[:, 0] + 1e-9)))
    weight = ahead = torch.zeros(x.shape[1], goal.shape[1], dtype=x.dtype, device=x.device)
    momentum = 1.0
    for _ in range(ITERATIONS):
        gradient = x.T @ (activation(x @ ahead) - goal) / len(x) + decay * ahead
        step = ahead - inverse @ gradient - weight
        if (gradient * step).sum() > 0:
            momentum = 1.0
        following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        weight = weight + step
        ahead = weight + (momentum - 1) / following * step
        momentum = following
    return weight
