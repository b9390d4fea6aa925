"""From values to pixels, and where the ticks of an axis stand."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Maps `low`..`high` to `start`..`end` pixels, linear or logarithmic."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        at = math.log(max(value, self.low * 1e-9)) if self.log else value
        share = (at - low) / (high - low) if high > low else 0.5
        return self.start + min(max(share, -0.02), 1.02) * (self.end - self.start)

    def ticks(self, about: int = 5) -> list[float]:
        """Round numbers inside the range: steps of 1, 2 or 5 times a power of ten; decades when logarithmic."""
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            steps = (1,) if len(decades) > 4 else (1, 3) if len(decades) > 2 else (1, 2, 5)
            found = [step * 10.0**decade for decade in decades for step in steps]
            return [tick for tick in found if self.low <= tick <= self.high]
        step = _step((self.high - self.low) / about)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(index * step, 12) for index in range(first, last + 1)]


def around(values: Iterable[float], start: float, end: float, zero: bool = False, room: float = 0.06,
           most: float = math.inf) -> Scale:
    """A linear scale with a little room around `values`, or from zero up to them, and none above `most`."""
    values = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = 0.0 if zero else min(values), max(values)
    margin = room * (high - low) or room * abs(high) or 1.0
    return Scale(low if zero else low - margin, max(high, min(high + margin, most)), start, end)


def _step(raw: float) -> float:
    if raw <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
