"""Candidates for near-duplicates: rows whose bits are equal in some band, and next to each other in its order.

With b bits of difference between two rows, one of the bands is likely to have none of them. A band that very many rows
share, as white paper does, is not compared all with all: each row meets the next `REACH` in the order of all its bits.
"""

from __future__ import annotations

import numpy as np

BAND = 16  # bits
REACH = 24  # rows after each that it is compared with


def candidates(bits: np.ndarray, most: int) -> np.ndarray:
    """int64 [P, 2], each pair once and sorted: rows with at most `most` different bits. bits: uint8 [N, bytes]."""
    bands = np.ascontiguousarray(bits).view(np.uint16)  # [N, bands]
    found = [np.zeros((0, 2), np.int64)]
    for band in range(bands.shape[1]):
        turned = np.roll(bands, -band, axis=1)
        order = np.lexsort(turned.T[::-1])
        own = bands[order, band]
        for step in range(1, min(REACH, len(bits) - 1) + 1):
            same = np.flatnonzero(own[step:] == own[:-step])
            if not len(same):
                break
            a, b = order[same], order[same + step]
            near = _different(bits[a], bits[b]) <= most
            found.append(np.stack([np.minimum(a[near], b[near]), np.maximum(a[near], b[near])], 1))
    return np.unique(np.concatenate(found), axis=0)


def signs(vectors: np.ndarray, count: int) -> np.ndarray:
    """uint8 [N, count / 8]: on which side of `count` random planes each vector [N, D] lies. The planes are always the
    same; the share of bits in which two differ is their angle, of pi.
    """
    planes = np.random.default_rng(0).normal(size=(vectors.shape[1], count))
    found = np.empty((len(vectors), count // 8), np.uint8)
    for start in range(0, len(vectors), 4096):  # one row at a time gives the same bits as all at once
        here = vectors[start: start + 4096].astype(np.float64)
        found[start: start + len(here)] = np.packbits(here @ planes > 0, axis=1)
    return found


def same(keys: np.ndarray) -> np.ndarray:
    """int64 [P, 2]: the first row with each key [N, ...], and each other one with it."""
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    lead = first[inverse.reshape(-1)]
    rows = np.flatnonzero(lead != np.arange(len(keys)))
    return np.stack([lead[rows], rows], 1)


def _different(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.bitwise_count(a ^ b).sum(1)
