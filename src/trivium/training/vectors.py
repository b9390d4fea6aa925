"""What a frozen encoder makes of samples, and what that costs: for strategies that fit something on its vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trivium.data.store import joined
from trivium.training import budget, components

if TYPE_CHECKING:
    from torch import Tensor

    from trivium.data.store import Store
    from trivium.encoders.base import Encoder

BATCH = 512  # samples that pass an encoder at a time


def of(store: Store, stream: str, encoder: Encoder, rows: np.ndarray, seed: int) -> Tensor:
    """[N, ...] of `rows` (int64 [N]), on the CPU: those that are kept, or what the encoder makes now."""
    if kept := components.kept(store.recipe, stream, seed):
        return kept.take(rows)
    return joined([encoder(store.batch(rows[k: k + BATCH], seed, [stream]).inputs[stream]).cpu()
                   for k in range(0, len(rows), BATCH)])


def cost(store: Store, stream: str, encoder: Encoder, rows: np.ndarray, seed: int) -> float:
    """FLOPs of the rows' pass through the encoder; none where nothing in it is a weight."""
    if kept := components.kept(store.recipe, stream, seed):
        return float(kept.flops[rows].sum())
    if not list(encoder.parameters()):
        return 0.0
    spec = store.specs[stream]
    found = len(rows) * budget.passes(encoder.cpu(), spec)(spec.shape[0])
    encoder.to(store.device)
    return found
