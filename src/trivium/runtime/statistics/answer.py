"""Of an answer: what it says, and how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trivium.tasks import Task

PROBABILITY = "probability_"  # begins the name of a column, see `Task.answered`


def measured(task: Task, stored: np.ndarray) -> list[dict[str, float | str]]:
    """Per row its answer: a class, tags or a number; and where there are probabilities, the largest of them
    (`confidence`) and their `entropy` in nats, of tags summed over the tags. stored: float64 [B, A]
    """
    columns = task.answered(stored)
    found: list[dict[str, float | str]] = [{} for _ in stored]
    for name, column in columns.items():
        if not name.startswith(PROBABILITY) and not name.endswith(("_low", "_high")):
            for one, value in zip(found, column, strict=True):
                one[name] = float(value) if isinstance(value, (int, float, np.number)) else str(value)
    chances = [column for name, column in columns.items() if name.startswith(PROBABILITY)]
    if chances:
        p = np.array(chances, np.float64)
        entropy = _surprise(p).sum(0) + (_surprise(1 - p).sum(0) if "labels" in columns else 0.0)
        for one, sure, spread in zip(found, p.max(0), entropy, strict=True):
            one |= {"confidence": float(sure), "entropy": float(spread)}
    return found


def _surprise(p: np.ndarray) -> np.ndarray:
    return -p * np.log(np.maximum(p, 1e-300))
