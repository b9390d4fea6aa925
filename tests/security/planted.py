"""Pickles that leave a mark when they are loaded, in each form in which somebody may hand one over."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np


class Planted:
    """What writes the file `mark` when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def pickled(mark: Path) -> bytes:
    return pickle.dumps(Planted(mark))


def by_torch(mark: Path) -> bytes:
    import torch

    file = io.BytesIO()
    torch.save({"task": Planted(mark), "step": 1}, file)
    return file.getvalue()


def by_numpy(mark: Path) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([Planted(mark)], object), allow_pickle=True)
    return file.getvalue()


def works(content: bytes, mark: Path, load: Any) -> None:
    """That the plant is one: whoever loads it in a careless way finds its mark, which is removed again."""
    load(content)
    assert mark.exists()
    mark.unlink()
