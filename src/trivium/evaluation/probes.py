"""Which encoder did a strategy leave unlearned? Linear probes on frozen features say.

A probe is a multinomial logistic regression from one encoder's vectors to the label. It is compared with the same
encoder at its random start and with that modality trained alone (Huang et al. 2022; Du et al. 2023).

Legend: `B` samples, `D` width, `C` classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

DECAY = 1e-2  # L2 penalty on the weights of standardised features
ITERATIONS = 60
HALF = 0.5  # an encoder that gained less than this share of what training alone gains is unlearned
WORTH = 0.03  # accuracy that training alone must gain, or there is nothing to learn


def probe(train: Tensor, y: Tensor, test: Tensor, truth: Tensor, classes: int) -> float:
    """Test accuracy of logistic regression fitted on `train` [B, D], `y` [B]; `test`, `truth`: other samples."""
    from scipy.optimize import minimize

    mean, deviation = train.double().mean(0), train.double().std(0, correction=0).clamp(min=1e-6)
    x, unseen = (nn.functional.pad((part - mean) / deviation, (0, 1), value=1.0) for part in (train, test))
    goal = nn.functional.one_hot(y, classes).double()

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weight = torch.from_numpy(flat).view(-1, classes)
        log_p = (x @ weight).log_softmax(1)
        decay = DECAY * weight
        decay[-1] = 0.0  # not of the constant
        value = (decay * weight).sum() / 2 - (log_p * goal).sum(1).mean()
        return value.item(), (x.T @ (log_p.exp() - goal) / len(x) + decay).flatten().numpy()

    start = np.zeros(x.shape[1] * classes)
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS}).x
    return ((unseen @ torch.from_numpy(best).view(-1, classes)).argmax(1) == truth).double().mean().item()


def unlearned(probes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Modalities whose encoder gained less than `HALF` of what training alone gained, where that is worth `WORTH`.

    probes: {m: {"before", "after", "alone"}}, accuracies: of the encoder at its random start, inside the strategy's
    model, and trained alone (None where nobody trained m alone).
    """
    found = []
    for m, score in probes.items():
        before, after, alone = score["before"], score["after"], score["alone"]
        if None not in (before, after, alone) and alone - before >= WORTH and after - before < HALF * (alone - before):
            found.append(m)
    return found
