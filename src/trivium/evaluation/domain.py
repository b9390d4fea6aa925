"""How a model does elsewhere: on the domain that no seed learned from, and on each domain within its test set."""

from __future__ import annotations

import numpy as np

from trivium.data.store import Store
from trivium.evaluation.metrics import HeldOut, Within
from trivium.tasks.base import Outcome, Task

MOST = 12  # domains of a test set that are told apart: the largest of the data


def held_out(store: Store, rows: np.ndarray, task: Task, answers: Outcome, bins: int) -> HeldOut:
    """Of the held-out samples `rows`, which are of one domain."""
    found = task.scores(answers, weight=store.weights(rows), bins=bins)
    return HeldOut(name=store.domains[rows[0]], n=len(rows), metrics=found)


def within(store: Store, test: np.ndarray, right: np.ndarray) -> dict[str, Within] | None:
    """By domain of the test set; None unless it has samples of two known domains or more.

    test: rows [B];  right: [B], see `Task.right`
    """
    names, counts = np.unique([name for name in store.domains if name is not None], return_counts=True)
    largest = names[np.argsort(-counts, kind="stable")][:MOST].tolist()
    own = np.array([store.domains[row] for row in test], dtype=object)
    found = {name: Within(n=int((own == name).sum()), score=float(right[own == name].mean()))
             for name in sorted(largest) if (own == name).any()}
    return found if len(found) > 1 else None
