"""One temperature per model, fitted on validation, so that its probabilities mean what they say."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

COLDEST, HOTTEST = 0.05, 20.0  # a separable validation set would ask for 0, pure noise for infinity


def temperature(log_probabilities: ArrayLike, y: ArrayLike) -> float:
    """The T in 0.05-20 that minimises the NLL of softmax(logits / T) on labels `[B]` (Guo et al. 2017, section 4.2).

    log_probabilities: `[B, C]`; logits do as well, since a constant per row changes nothing.

    The NLL is convex in 1/T, so that bisection on its slope finds the one minimum, always the same.

    Raises:
        ValueError: shapes do not agree, or there is no sample.
    """
    logits = np.asarray(log_probabilities, np.float64)
    labels = np.asarray(y, np.int64)
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or not len(labels):
        raise ValueError(f"log-probabilities must be [B, C] and labels [B], with B > 0; "
                         f"got {logits.shape} and {labels.shape}.")
    logits = np.maximum(logits - logits.max(1, keepdims=True), -100.0)  # -inf too
    own = logits[np.arange(len(labels)), labels].mean()

    def slope(sharpness: float) -> float:  # d NLL / d(1/T)
        p = np.exp(logits * sharpness)
        return float(((p * logits).sum(1) / p.sum(1)).mean() - own)

    low, high = 1 / HOTTEST, 1 / COLDEST
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return 2 / (low + high)
