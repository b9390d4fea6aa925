"""Of a series: how long it is, how much of it is missing, and where each channel lies and how far it spreads."""

from __future__ import annotations

from typing import Any

import numpy as np

MOST = 8  # channels that are measured each
DIGITS = 6  # of a length of time: later ones depend on where the times begin


def measured(value: Any, root: Any, start: float | None, end: float | None) -> dict[str, float | str]:
    """duration in seconds; points; step, from a point to the next, in seconds; gaps, 0-1; and of each channel `C` the
    mean and the deviation, `C mean` and `C deviation`, where it has a value.

    value, root: see `media.opened`;  start, end: seconds. Raises: ValueError.
    """
    from trivium.modalities import recordings

    found = recordings.read(str(value), root)
    first, last = recordings.cut(found, start, end)
    a, b = np.searchsorted(found.seconds, [first, last])
    part = found.values[:, a:b]
    told: dict[str, float | str] = {
        "duration": float(f"{last - first:.{DIGITS}g}"), "points": float(part.shape[1]),
        "step": float(f"{found.step:.{DIGITS}g}"), "gaps": float(np.isnan(part).mean()) if part.size else 1.0}
    for name, own in zip(found.channels[:MOST], part[:MOST], strict=True):
        if (there := own[~np.isnan(own)]).size:
            told |= {f"{name} mean": float(there.mean()), f"{name} deviation": float(there.std())}
    return told
