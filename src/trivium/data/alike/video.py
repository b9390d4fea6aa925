"""Clips: small grey pictures of a few moments, spread over the whole. Two clips are as alike as these are correlated,
all together; and what changes in them has to be alike, too: recordings of one still camera show one room.

They hardly change with size, compression, brightness and contrast. What is of one colour throughout says too little to
compare. Mirrored or turned copies are not found.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trivium.data.alike import image, near

MOMENTS, SIDE = 8, 16  # of a clip; pixels of each picture
DARK = 24  # of 255; a margin that is never brighter is left out: another size may lack it
MOVED = 0.05  # share of what is seen that changes, from which on it is compared
CHANGES = 0.7  # correlation of what changes, at least
SECONDS = 1.15  # times as long that one may be
BITS, APART = 256, 90  # of the sum; different ones, above which two are not compared


def print_of(value: str, root: str | Path, start: float | None, end: float | None) -> np.ndarray | None:
    """float16 [1 + MOMENTS * SIDE * SIDE]: seconds, as their logarithm to the base 2, then the pictures with mean 0
    and deviation 1; None where nothing is to be seen, or it cannot be read.
    """
    from trivium.modalities import video

    settings = video.Settings(size=8 * SIDE, channels=1, frames=MOMENTS, frames_per_second=None)
    try:
        pixels = video.decode(value, root, start, end, settings)[0].astype(np.float32)
        seconds = video.length(value, root, start, end)
    except ValueError:
        return None
    rows, columns = (np.flatnonzero((pixels > DARK).any((0, axis))) for axis in (2, 1))
    if not len(rows):
        return None
    seen = pixels[:, rows[0]: rows[-1] + 1, columns[0]: columns[-1] + 1]
    small = np.stack([image.shrunk(one, SIDE) for one in seen])
    spread = small.std()
    if spread < image.FLAT:
        return None
    return np.concatenate([[np.log2(seconds)], ((small - small.mean()) / spread).ravel()]).astype(np.float16)


def pairs(prints: np.ndarray, least: float) -> np.ndarray:
    """int64 [P, 2]: rows of `prints` (float16 [N, 1 + MOMENTS * SIDE * SIDE]) whose correlation is `least` or more."""
    lead = near.same(prints.view(np.uint16))
    once = np.setdiff1d(np.arange(len(prints)), lead[:, 1])
    found = once[near.candidates(_sums(prints[once]), APART)].reshape(-1, 2)
    keep = np.zeros(len(found), bool)
    for at in range(0, len(found), 2048):
        a, b = (prints[found[at: at + 2048, k]].astype(np.float32) for k in (0, 1))
        lengths = np.abs(a[:, 0] - b[:, 0]) <= np.log2(SECONDS)
        seen, other = (one[:, 1:].reshape(len(a), MOMENTS, -1) for one in (a, b))
        keep[at: at + len(a)] = lengths & _alike(seen, other, least)
    return np.concatenate([lead, found[keep]])


def _alike(a: np.ndarray, b: np.ndarray, least: float) -> np.ndarray:
    """bool [P]; a, b: [P, MOMENTS, pixels]."""
    moving = [one - one.mean(1, keepdims=True) for one in (a, b)]
    still = np.sqrt([np.square(one).mean((1, 2)) for one in moving]).max(0) < MOVED
    return (_correlation(a, b) >= least) & (still | (_correlation(*moving) >= CHANGES))


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    size = np.sqrt(np.square(a).sum((1, 2)) * np.square(b).sum((1, 2)))
    return (a * b).sum((1, 2)) / np.maximum(size, 1e-9)


def _sums(prints: np.ndarray) -> np.ndarray:
    """uint8 [N, BITS / 8]: without what all clips show."""
    seen = prints[:, 1:].astype(np.float32)
    return near.signs(seen - seen.mean(0) if len(seen) > 1 else seen, BITS)
