"""Of a video: how long it is, its size, its light, and how much moves in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

FRAMES = 16  # that are looked at, spread evenly
SIDE = 64  # pixels that each is shrunk to
DIGITS = 6  # of a length of time: later ones depend on where it begins


def measured(file: Any, start: float | None, end: float | None) -> dict[str, float | str]:
    """seconds; width, height in pixels; brightness and contrast (mean and deviation of grey), 0-1; motion: the mean
    difference of neighbouring frames that are looked at, 0-1.

    file: a path, or an open file;  start, end: seconds. Raises: ValueError.
    """
    from trivium.modalities.videos import reader

    with reader.Film(Path(file) if isinstance(file, str) else file) as film:
        first, whole = start or 0.0, film.scanned()
        last = whole if end is None or not end < whole else end
        times = first + (np.arange(FRAMES) + 0.5) * (last - first) / FRAMES
        shown = [frame for frame in film.shown(times) if frame is not None]
        grey = np.stack([reader.picture(frame, SIDE, SIDE, "gray") for frame in shown]).astype(np.float32) / 255
        width, height = reader.size(shown[0], film.stream.sample_aspect_ratio)
    motion = float(np.abs(np.diff(grey, axis=0)).mean()) if len(grey) > 1 else 0.0
    return {"seconds": float(f"{last - first:.{DIGITS}g}"), "width": float(width), "height": float(height),
            "brightness": float(grey.mean()), "contrast": float(grey.std()), "motion": motion}
