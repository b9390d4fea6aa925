"""Pictures: two perceptual hashes of 64 bits, and a small picture that says whether two are really alike.

The hashes are those of the brightness differences between neighbours (dHash) and of the low frequencies (pHash): they
hardly change with size, compression, brightness and contrast. Two pictures are as alike as their pictures of 32 x 32
greys are correlated, where one of them at least shows something: the margin of one colour that both have would make all
things on a white page alike. What is of one colour says too little to compare.
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
MARGIN = 0.1  # of the furthest grey from that of the border, up to which a grey belongs to the margin


def print_of(value: str, root: str | Path, start: float | None, end: float | None) -> np.ndarray | None:
    """int8 [SIDE * SIDE]: the small picture, its mean taken away and scaled; None where it cannot be read, or is of one
    colour but for its margin.
    """
    from trivium.modalities import image

    settings = image.Settings(size=2 * SIDE, channels=1)
    try:
        pixels = image.decode(value, root, start, end, settings)[0].astype(np.float32)
    except ValueError:
        return None
    pixels = shrunk(pixels, SIDE)
    if pixels.std() < FLAT or _inside(pixels).std() < FLAT:
        return None
    return np.clip(np.round((pixels - pixels.mean()) / pixels.std() * 32), -127, 127).astype(np.int8).ravel()


def _inside(pixels: np.ndarray) -> np.ndarray:
    """What is within the margin of `pixels` [SIDE, SIDE], without its edge, where both mix; 0 where that is all."""
    rows, columns = (np.flatnonzero(one[0])[1:-1] for one in _shown(pixels[None]))
    return pixels[rows[0]: rows[-1] + 1, columns[0]: columns[-1] + 1] if len(rows) and len(columns) else np.zeros(1)


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
    for at in range(0, len(found), 2048):
        a, b = (prints[found[at: at + 2048, k]].reshape(-1, SIDE, SIDE) for k in (0, 1))
        keep[at: at + len(a)] = _alike(a, b) >= least
    return np.concatenate([lead, found[keep]])


def _alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[P]: the correlation in the one box that holds what both show. a, b: int8 [P, SIDE, SIDE]"""
    (rows, columns), (others, further) = _shown(a), _shown(b)
    box = _box((rows | others, columns | further)).reshape(len(a), -1)
    count = np.maximum(box.sum(1, keepdims=True), 1)
    one, other = (np.where(box, each.reshape(len(a), -1), 0).astype(np.float32) for each in (a, b))
    one, other = (np.where(box, each - each.sum(1, keepdims=True) / count, 0) for each in (one, other))
    size = np.sqrt(np.square(one).sum(1) * np.square(other).sum(1))
    return (one * other).sum(1) / np.maximum(size, 1e-9)


def _shown(small: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """bool [P, SIDE] twice, of greys [P, SIDE, SIDE]: rows and columns that are not margin, whatever the colour of the
    border: a copy that is darker has a grey page, and JPEG leaves spots on it.
    """
    greys = small.astype(np.int16)
    border = np.concatenate([greys[:, 0], greys[:, -1], greys[:, 1:-1, 0], greys[:, 1:-1, -1]], 1)
    off = np.abs(greys - np.median(border, axis=1)[:, None, None])
    shown = off > MARGIN * off.max((1, 2), keepdims=True)
    return shown.any(2), shown.any(1)


def _box(shown: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """bool [P, SIDE, SIDE]: what lies between the first and the last of the rows and columns that are `shown`."""
    rows, columns = shown
    return _between(rows)[:, :, None] & _between(columns)[:, None]


def _between(there: np.ndarray) -> np.ndarray:
    """bool [P, SIDE]: from the first that is there to the last."""
    return np.logical_or.accumulate(there, 1) & np.logical_or.accumulate(there[:, ::-1], 1)[:, ::-1]


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
