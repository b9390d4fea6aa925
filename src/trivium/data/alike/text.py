"""Texts: the pieces of five signs that they have in common, found by MinHash.

Letters are compared without case and marks. Two texts are as alike as the share of their pieces that both have
(Jaccard). A text of fewer than `SHORT` signs is alike only where it is the same: "row 17" and "row 18" are two rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from trivium.data.alike import near

PIECE = 5  # signs
SHORT = 40  # signs, of the letters and digits alone
LONGEST = 5000  # signs that are read
HASHES, TOGETHER = 48, 3  # MinHashes, and how many of them are one band
REACH = 8  # texts after each in a band that it is compared with
AT_ONCE = 2000  # texts
SLACK = 0.2  # how far the share of equal MinHashes may be below that of pieces: three standard deviations
PRIME = np.uint64(0x100000001B3)
BARE = re.compile(r"[\W_]+")


def bare(text: str) -> str:
    """Letters and digits alone, with single spaces between words."""
    return BARE.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()[:LONGEST]


def pairs(texts: Sequence[str], least: float) -> np.ndarray:
    """int64 [P, 2]: rows of the bare `texts` that share `least` or more of their pieces."""
    numbers = np.fromiter(map(hash, texts), np.int64, len(texts))  # only whether they are equal counts
    lead = near.same(numbers)
    once = np.setdiff1d(np.arange(len(texts)), lead[:, 1])
    long = once[[len(texts[k]) >= SHORT for k in once]]
    if len(long) < 2:
        return lead
    found = long[_candidates([texts[k] for k in long], least - SLACK)].reshape(-1, 2)
    pieces = {k: _pieces(texts[k]) for k in np.unique(found).tolist()}
    keep = [_alike(pieces[a], pieces[b]) >= least for a, b in found.tolist()]
    return np.concatenate([lead, found[np.array(keep, bool)]])


def _alike(a: np.ndarray, b: np.ndarray) -> float:
    both = len(np.intersect1d(a, b, assume_unique=True))
    return both / (len(a) + len(b) - both)


def _pieces(text: str) -> np.ndarray:
    """uint64, ascending: a number of each different piece."""
    return np.unique(_numbers(np.frombuffer(text.encode("utf-32-le"), np.uint32)))


def _numbers(signs: np.ndarray) -> np.ndarray:
    """uint64: a number of each run of PIECE signs, the last ones too short for that left out."""
    found = np.zeros(max(len(signs) - PIECE + 1, 0), np.uint64)
    for k in range(PIECE):
        found = (found ^ signs[k: k + len(found)].astype(np.uint64)) * PRIME
    return found ^ (found >> np.uint64(29))


def _candidates(texts: Sequence[str], share: float) -> np.ndarray:
    """int64 [P, 2]: texts that have all MinHashes of some band in common, and are next to each other in its
    order, and at least this share of all MinHashes.
    """
    least = np.concatenate([_least(texts[at: at + AT_ONCE]) for at in range(0, len(texts), AT_ONCE)])
    found = [np.zeros((0, 2), np.int64)]
    for band in range(0, HASHES, TOGETHER):
        turned = np.roll(least, -band, axis=1)
        order = np.lexsort(turned[:, :2 * TOGETHER].T[::-1])
        own = turned[order, :TOGETHER]
        for step in range(1, min(REACH, len(texts) - 1) + 1):
            same = np.flatnonzero((own[step:] == own[:-step]).all(1))
            if not len(same):
                break
            a, b = order[same], order[same + step]
            near = (least[a] == least[b]).mean(1) >= share
            found.append(np.stack([np.minimum(a, b)[near], np.maximum(a, b)[near]], 1))
    return np.unique(np.concatenate(found), axis=0)


def _least(texts: Sequence[str]) -> np.ndarray:
    """uint32 [B, HASHES]: of each text the least of its pieces' hashes, by each of HASHES hashes."""
    signs = [np.frombuffer(text.encode("utf-32-le"), np.uint32) for text in texts]
    pieces = [_numbers(one) for one in signs]
    starts = np.cumsum([0, *map(len, pieces[:-1])])
    every = (np.concatenate(pieces) >> np.uint64(16)).astype(np.uint32)
    factors = np.random.default_rng(0).integers(1 << 31, size=HASHES, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return np.stack([np.minimum.reduceat(every * factor, starts) for factor in factors], 1)
