"""Where recordings are cut: into windows, and fewer than three of them into stretches of windows before that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.importing import moments

OVERLAPPING = 4  # windows that a stretch holds, at least, where they overlap: one is lost at each border
CLOSE = 1e-9  # seconds; rounding


@dataclass(frozen=True)
class Windows:
    """length, step: seconds, of a window and from one to the next."""

    length: float
    step: float

    @property
    def overlap(self) -> bool:
        return self.step < self.length

    def of(self, seconds: np.ndarray) -> Iterator[tuple[float, int, int]]:
        """When each begins, its first point and the one behind its last; those without a point are passed over.
        seconds: float64 [N], rising
        """
        usual = float(np.median(np.diff(seconds))) if len(seconds) > 1 else self.length
        last, count = float(seconds[-1]) + usual, 0
        while (start := float(seconds[0]) + count * self.step) + self.length <= last + usual / 2:
            a, b = np.searchsorted(seconds, [start - CLOSE, start + self.length - CLOSE])
            count += 1
            if b > a:
                yield start, int(a), int(b)

    def stretches(self, seconds: np.ndarray, most: int) -> Iterator[tuple[int, int]]:
        """The first point of each, and the one behind its last: whole windows, one stretch after the other."""
        usual = float(np.median(np.diff(seconds))) if len(seconds) > 1 else self.length
        windows = max(1, int((seconds[-1] - seconds[0] + usual - self.length) / self.step + 1.5))
        each = max(OVERLAPPING if self.overlap else 1, -(-windows // most))
        long = (each - 1) * self.step + (self.length if self.overlap else self.step)
        begins = np.arange(seconds[0], seconds[-1] + CLOSE, long)
        for a, b in pairwise([*np.searchsorted(seconds, begins - CLOSE), len(seconds)]):
            if b > a:
                yield int(a), int(b)


def continuous(label: pa.Array) -> bool:
    """Whether a label is a number that is not always whole."""
    found = moments.numbers(label.drop_null())
    return bool(pa.types.is_floating(found.type) and len(found) and (np.mod(found.to_numpy(), 1) != 0).any())


def told(label: pa.Array, mean: bool) -> object:
    """What a window has for a label: the one that most of its points have, or the `mean`; None without any."""
    there = label.drop_null()
    if not len(there):
        return None
    if mean:
        return round(float(pc.mean(moments.numbers(there)).as_py()), 9)
    return max(there.value_counts(), key=lambda one: one["counts"].as_py())["values"].as_py()
