"""What everything that answers to raw rows has in common, whatever computes the answers.

Where no stream is left that the model reads, there is no answer, but an error; where some are left, a warning.

Legend: `B` samples, `S` streams, `A` numbers of a stored answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trivium.runtime.inputs import Inputs, Row
from trivium.runtime.statistics import Statistics, described

if TYPE_CHECKING:
    from trivium.tasks import Task

Reasons = list[str | None]  # per row; None where all is well
BATCH = 64


class Answering:
    """task: what is predicted;  streams: those that are known, in order, with their modality;  read: those of them that
    make a difference.
    """

    task: Task
    inputs: Inputs
    streams: dict[str, str]
    read: tuple[str, ...]

    @property
    def cells(self) -> dict[str, list[str]]:
        """The columns of each stream of tables."""
        return self.inputs.cells

    def computed(self, inputs: dict[str, np.ndarray], present: np.ndarray) -> np.ndarray:
        """Stored answers (see `Task.stored`), float64 [B, A]. inputs, present: see `Inputs.arrays`."""
        raise TypeError("what answers defines `computed`")

    def anonymised(self, rows: Sequence[Row]) -> Sequence[Row]:
        """See `Inputs.anonymised`."""
        return self.inputs.anonymised(rows)

    def described(self, rows: Sequence[Row], root: str | Path = ".") -> list[dict[str, Statistics]]:
        """Per row, statistics of each stream that makes a difference, see `trivium.runtime.statistics`."""
        return described(self.inputs.anonymised(rows), self.inputs, self.read, Path(root))

    def table(self, rows: Sequence[Row], root: str | Path = ".") -> dict[str, list[Any]]:
        """Columns of what `Task.answered` gives, then `warning` and `error`; None where there is nothing."""
        return self.told(*self.answers(rows, root))

    def told(self, stored: np.ndarray, warnings: Reasons, errors: Reasons) -> dict[str, list[Any]]:
        """What `answers` gave, as the columns of `table`."""
        good = np.array([error is None for error in errors], bool)
        found: dict[str, list[Any]] = {}
        for name, values in self.task.answered(stored[good]).items():
            there = iter(values)
            found[name] = [next(there) if fine else None for fine in good]
        return found | {"warning": warnings, "error": errors}

    def answers(self, rows: Sequence[Row], root: str | Path = ".") -> tuple[np.ndarray, Reasons, Reasons]:
        """Stored answers (see `Task.stored`), float64 [B, A], NaN where there is none; warnings: which streams were
        left out, and why; errors: why there is no answer.

        rows: a value per stream, and optionally `start` and `end`, seconds, of the recording, or STREAM_start and
            STREAM_end where each has its own
        root: what relative paths are relative to
        """
        parts, warnings, errors = [np.zeros((0, self.task.width))], Reasons(), Reasons()
        reads = [s in self.read for s in self.streams]
        nothing = f"sample has no {' or '.join(self.read)}, and the model reads nothing else"
        for start in range(0, len(rows), BATCH):
            inputs, present, broken = self.inputs.arrays(rows[start:start + BATCH], Path(root), self.read)
            parts.append(self.computed(inputs, present))
            lost = [not any(here) for here in present[:, reads]]
            parts[-1][lost] = np.nan
            told = ["; ".join(why) or (nothing if gone else None) for why, gone in zip(broken, lost, strict=True)]
            warnings += [None if gone else why for why, gone in zip(told, lost, strict=True)]
            errors += [why if gone else None for why, gone in zip(told, lost, strict=True)]
        return np.concatenate(parts), warnings, errors


def columns(task: Task) -> dict[str, type]:
    """The columns of `Answering.table`: `object` for texts, `float` for numbers."""
    one = task.answered(np.zeros((1, task.width)))
    kinds: dict[str, type] = {name: object if isinstance(values[0], str) else float for name, values in one.items()}
    return kinds | {"warning": object, "error": object}
