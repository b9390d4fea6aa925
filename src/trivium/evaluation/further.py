"""What a model says of test rows that may be of classes which came after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from trivium import models
from trivium.data.store import Store
from trivium.evaluation import encoded
from trivium.tasks.base import Outcome


@torch.no_grad()
def outcome(folder: Path, store: Store, rows: np.ndarray, seed: int, size: int) -> Outcome:
    """Of the model in `folder/seed_K` on `rows` (int64 [B]) of `store`; size: rows at a time.

    What the model cannot say has the probability 0: it has no output for it.
    """
    model: Any = models.load(folder / f"seed_{seed}")
    model.kept.clear()  # of the rows that it was trained with
    batch, answers = encoded.encode_rows(model, store, rows, seed, size), []
    for k in range(0, len(rows), size):
        answers.append(model.task.stored(encoded.answer(model, batch[k: k + size])))
    stored, y = np.concatenate(answers), store.labels(rows)
    if (lacking := store.task.width - stored.shape[1]) > 0:
        return store.task.outcome(np.pad(stored, ((0, 0), (0, lacking))), y)
    return model.task.outcome(stored, y)
