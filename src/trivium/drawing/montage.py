"""Pictures of one size, side by side in rows: a video as a contact sheet."""

from __future__ import annotations

import math

import numpy as np


def montage(pictures: np.ndarray) -> np.ndarray:
    """[N, H, W, ...] -> [rows H, columns W, ...], about as wide as high, first row first; the rest of the last is 0."""
    count, high, wide = pictures.shape[:3]
    across = math.ceil(math.sqrt(count * high / wide))
    down = -(-count // across)
    more = np.zeros((down * across - count, *pictures.shape[1:]), pictures.dtype)
    rows = np.concatenate([pictures, more]).reshape(down, across, *pictures.shape[1:])
    return rows.swapaxes(1, 2).reshape(down * high, across * wide, *pictures.shape[3:])
