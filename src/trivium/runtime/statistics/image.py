"""Of a picture: its size, its light and its colours."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

MOST = 2**18  # pixels that are looked at, evenly spaced


def measured(file: Any, start: float | None, end: float | None) -> dict[str, float | str]:
    """width, height in pixels; brightness and contrast (mean and deviation of grey), 0-1; entropy of the grey levels in
    bits, 0-8; colourfulness, 0 for grey and about 100 for the brightest colours.

    file: a path, or an open file. Raises: whatever Pillow does.
    """
    from PIL import Image

    with Image.open(file) as picture:
        width, height = picture.size
        step = math.ceil(math.sqrt(width * height / MOST))
        grey = np.asarray(picture.convert("L"))[::step, ::step]
        coloured = len(picture.getbands()) > 2 or picture.mode in ("P", "PA")
        rgb = np.asarray(picture.convert("RGB"))[::step, ::step] if coloured else None
    share = np.bincount(grey.ravel(), minlength=256) / grey.size
    levels = np.arange(256) / 255
    mean = float(share @ levels)
    used = share[share > 0]
    return {"width": float(width), "height": float(height), "brightness": mean,
            "contrast": float(np.sqrt(share @ (levels - mean) ** 2)), "entropy": max(0.0, -float(used @ np.log2(used))),
            "colourfulness": 0.0 if rgb is None else colourfulness(rgb)}


def colourfulness(rgb: np.ndarray) -> float:
    """Of pixels [H, W, 3], 0-255 (Hasler and Süsstrunk 2003, Measuring colourfulness in natural images, section 7)."""
    red, green, blue = np.moveaxis(rgb.astype(np.float64), -1, 0)
    opposed = red - green, (red + green) / 2 - blue
    return float(np.hypot(*(one.std() for one in opposed)) + 0.3 * np.hypot(*(one.mean() for one in opposed)))
