"""Which samples an analysis rests on, and what chance does to each: from the names of samples alone.

So a part of the chosen samples is a fair sample of the whole, more rows in the data change little of who is chosen, and
whoever stays meets the same noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import torch


def some(samples: Sequence[str], rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """At most `count` of `rows` (int64 [B]), by the hashes of seed and name, the smallest first.

    samples: names of all rows.
    """
    keys = np.array([_hash(str(seed), samples[row]) for row in rows.tolist()], np.uint64)
    return rows[np.argsort(keys, kind="stable")[:count]]


def generator(sample: str, stream: str) -> torch.Generator:
    """What makes the noise on `stream` of `sample`, from the start: the same at every seed and in every analysis."""
    return torch.Generator().manual_seed(_hash(sample, stream) >> 1)


def draw(sample: str, stream: str) -> np.random.Generator:
    """As `generator`, for what is not a tensor."""
    return np.random.default_rng(_hash(sample, stream))


def _hash(*words: str) -> int:
    """64 bits of BLAKE2b."""
    return int.from_bytes(blake2b("\0".join(words).encode("utf-8", "replace"), digest_size=8).digest(), "big")
