"""Numbers that count from the beginning of 1970: which unit they are in shows in how large they are.

A moment of the years 2001 to 2100 is 1e9 to 4e9 seconds, 1e12 to 4e12 milliseconds, and so on: these ranges are far
apart.
"""

from __future__ import annotations

import numpy as np

FIRST, LAST = 978_307_200, 4_102_444_800  # seconds: the beginnings of 2001 and of 2101 (UTC)
UNITS = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}  # in a second


def unit(values: np.ndarray) -> str:
    """That of `UNITS` in which all are moments of 2001 to 2100; "" where there is none. values: float64, NaN allowed"""
    there = values[np.isfinite(values)]
    if not len(there):
        return ""
    low, high = float(there.min()), float(there.max())
    return next((name for name, many in UNITS.items() if FIRST * many <= low and high < LAST * many), "")
