"""What a task makes of a model's answers, without torch.

`Task.stored` says it for tensors, with few words of them; an array that knows these is all it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from trivium.tasks import Task


class Answers:
    """A numpy array with the words of a tensor that `Task.stored` uses."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values

    def double(self) -> Answers:
        return Answers(self._values.astype(np.float64))

    def cpu(self) -> Answers:
        return self

    def numpy(self) -> np.ndarray:
        return self._values

    def softmax(self, axis: int) -> Answers:
        grown = np.exp(self._values - self._values.max(axis, keepdims=True))
        return Answers(grown / grown.sum(axis, keepdims=True))

    def sigmoid(self) -> Answers:
        small = np.exp(-np.abs(self._values))
        return Answers(np.where(self._values >= 0, 1, small) / (1 + small))

    def chunk(self, count: int, axis: int) -> list[Answers]:
        return [Answers(part) for part in np.split(self._values, count, axis)]


def stored(task: Task, answers: np.ndarray) -> np.ndarray:
    """Answers [B, A] of a model as `Task.stored` gives them: float64, in units that people know."""
    said: Any = Answers(answers)
    return task.stored(said)
