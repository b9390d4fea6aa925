"""One temperature per model, fitted on validation, so that its probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

COLDEST, HOTTEST = 0.05, 20.0  # a separable validation set would ask for 0, pure noise for infinity
ROWS = 4096  # at a time in float64: many samples of many classes would not fit


def temperature(logits: Any, y: Any) -> float:
    """The T in 0.05-20 that minimises the NLL of softmax(logits / T) on labels `[B]` (Guo et al. 2017, section 4.2).

    logits: `[B, C]`; log-probabilities do as well, since a constant per row changes nothing.

    The NLL is convex in 1/T, so that Newton's steps, kept inside a shrinking bracket, find the one minimum.

    Raises:
        ValueError: shapes do not agree, or there is no sample.
    """
    return 1 / sharpest(partial(_measure, *_parts(logits, y)))


def calibrated_nll(logits: Any, y: Any) -> float:
    """Mean NLL in nats of softmax(logits / T) on labels `[B]` at the T of `temperature`: what a model with these
    logits is worth once it is calibrated (Berta et al. 2025, arXiv 2501.19195). Raises: as `temperature`.
    """
    measure = partial(_measure, *_parts(logits, y))
    return measure(sharpest(measure))[0]


def _parts(logits: Any, y: Any) -> tuple[list[tuple[Tensor, Tensor]], int]:
    """Logits below each row's largest and the own class's one, `ROWS` rows at a time; and how many rows."""
    scores, labels = torch.as_tensor(logits).detach(), torch.as_tensor(y)
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not len(labels):
        raise ValueError(f"logits must be [B, C] and labels [B], with B > 0; "
                         f"got {tuple(scores.shape)} and {tuple(labels.shape)}.")
    return list(zip(scores.split(ROWS), labels.split(ROWS), strict=True)), len(labels)


def _measure(parts: list[tuple[Tensor, Tensor]], count: int, sharpness: float) -> tuple[float, float, float]:
    """Mean NLL at 1/T = `sharpness`, its slope and its curvature there."""
    sums: Tensor | float = 0.0
    for scores, labels in parts:
        z = scores.double()
        z = (z - z.amax(1, keepdim=True)).clamp(min=-100.0)  # -inf too
        p = (z * sharpness).exp()
        total = p.sum(1, keepdim=True)
        p = p / total
        own = z.gather(1, labels[:, None]).squeeze(1)
        mean = (p * z).sum(1)
        sums = sums + torch.stack([(total.squeeze(1).log() - own * sharpness).sum(), (mean - own).sum(),
                                   ((p * z * z).sum(1) - mean.square()).sum()])
    assert isinstance(sums, Tensor)
    nll, slope, curvature = (sums / count).tolist()
    return nll, slope, curvature


def sharpest(measure: Callable[[float], tuple[float, float, float]]) -> float:
    """The 1/T of the lowest NLL. measure: of 1/T, the NLL, which is convex in it, its slope and its curvature."""
    low, high, at = 1 / HOTTEST, 1 / COLDEST, 1.0
    for edge, rises in ((low, 1), (high, -1)):
        if measure(edge)[1] * rises >= 0:
            return edge
    for _ in range(60):
        _, slope, curvature = measure(at)
        low, high = (at, high) if slope < 0 else (low, at)
        step = at - slope / curvature if curvature > 0 else low
        after = step if low < step < high else (low + high) / 2
        if abs(after - at) <= 1e-12 * at:
            return after
        at = after
    return at
