"""Pictures: two perceptual hashes of 64 bits, and a small picture that says whether two are really alike.

The hashes are those of the brightness differences between neighbours (dHash) and of the low frequencies (pHash): they
hardly change with size, compression, brightness and contrast. Two pictures are as alike as their pictures of 32 x 32
greys are correlated. What is of one colour says too little to compare.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from trivium.data.alike import near

SIDE = 32  # pixels of the small picture
FLAT = 2.0  # standard deviation of its greys, 0-255, below which there is nothing to see
APART = 30  # different bits of 128, above which two pictures are not compared
STEPS = 8  # of the hashes


def print_of(value: str, root: str | Path, start: float | None, end: float | None) -> np.ndarray | None:
    """int8 [SIDE * SIDE]: the small picture, its mean taken away and scaled; None where it is of one colour or cannot
    be read.
    """
    from trivium.modalities import image

    settings = image.Settings(size=2 * SIDE, channels=1)
    try:
        pixels = image.decode(value, root, start, end, settings)[0].astype(np.float32)
    except ValueError:
        return None
    # Without its white margin, which another size or format may lack.
    rows, columns = (np.flatnonzero((pixels < 250).any(axis)) for axis in (1, 0))
    if not len(rows):
        return None
    pixels = shrunk(pixels[rows[0]: rows[-1] + 1, columns[0]: columns[-1] + 1], SIDE)
    spread = pixels.std()
    if spread < FLAT:
        return None
    return np.clip(np.round((pixels - pixels.mean()) / spread * 32), -127, 127).astype(np.int8).ravel()


def shrunk(pixels: np.ndarray, side: int) -> np.ndarray:
    """[side, side]: means of areas of `pixels` [H, W]."""
    height, width = (_areas(n, side) for n in pixels.shape)
    return height @ pixels @ width.T


def _areas(count: int, parts: int) -> np.ndarray:
    """[parts, count]: how much each of `count` pixels is in each of equal parts; rows have the sum 1."""
    edges = np.linspace(0, count, parts + 1)
    low, high = edges[:-1, None], edges[1:, None]
    place = np.arange(count)[None]
    shares = np.clip(np.minimum(high, place + 1) - np.maximum(low, place), 0, None)
    return (shares / shares.sum(1, keepdims=True)).astype(np.float32)


def pairs(prints: np.ndarray, least: float) -> np.ndarray:
    """int64 [P, 2]: rows of `prints` (int8 [N, SIDE * SIDE]) whose correlation is `least` or more."""
    lead = near.same(prints)
    once = np.setdiff1d(np.arange(len(prints)), lead[:, 1])
    own = prints[once]
    found = once[near.candidates(_hashes(own), APART)].reshape(-1, 2)
    keep = np.zeros(len(found), bool)
    for at in range(0, len(found), 8192):
        a, b = (prints[found[at: at + 8192, k]].astype(np.float32) for k in (0, 1))
        keep[at: at + len(a)] = (a * b).sum(1) >= least * np.sqrt((a * a).sum(1) * (b * b).sum(1))
    return np.concatenate([lead, found[keep]])


def _hashes(prints: np.ndarray) -> np.ndarray:
    """uint8 [N, 16]: dHash, then pHash."""
    from scipy.fft import dct

    small = prints.reshape(-1, SIDE, SIDE).astype(np.float32)
    step = SIDE // STEPS
    coarse = small.reshape(-1, STEPS, step, SIDE).mean(2)
    edges = np.linspace(0, SIDE, STEPS + 2).round().astype(int)
    columns = np.stack([coarse[:, :, a:b].mean(2) for a, b in pairwise(edges)], 2)
    across = columns[:, :, 1:] > columns[:, :, :-1]
    low = dct(dct(small, axis=1, norm="ortho"), axis=2, norm="ortho")[:, :STEPS, :STEPS].reshape(len(small), -1)
    low[:, 0] = low[:, 1:].mean(1)
    return np.concatenate([np.packbits(across.reshape(len(small), -1), axis=1),
                           np.packbits(low > np.median(low, axis=1, keepdims=True), axis=1)], 1)
