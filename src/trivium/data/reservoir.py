"""A few rows that stand for all that were seen: every row is among them with the same probability.

Source: Vitter 1985, "Random sampling with a reservoir", algorithm R. One pass, memory for the rows that are kept.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def reservoir(rows: Iterable[int], size: int, rng: np.random.Generator) -> np.ndarray:
    """int64, ascending: `size` of `rows`, or all where they are fewer; each with probability size / len(rows)."""
    kept: list[int] = []
    for seen, row in enumerate(rows):
        if seen < size:
            kept.append(row)
        elif (place := int(rng.integers(seen + 1))) < size:
            kept[place] = row
    return np.sort(np.array(kept, np.int64))
