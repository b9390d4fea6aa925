"""Numbers as people read them: sensible digits, a unit, an en dash where there is none."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

NONE = "–"
SPACE = "\u00a0"  # no line break between number and unit


def known(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def percent(value: Any, digits: int = 1) -> str:
    """A share, 0-1, in percent."""
    return f"{100 * value:.{digits}f}{SPACE}%" if known(value) else NONE


def tick(value: float) -> str:
    """A share, 0-1, in percent, with a decimal only where it has one."""
    return percent(value, 0 if abs(100 * value - round(100 * value)) < 1e-6 else 1)


def plain(value: float) -> str:
    """A number along an axis as it is: no zeros behind it; from 100,000 with k, M, G."""
    return (f"{value:,.6g}" if abs(value) < 1e5 else scaled(value, "")).replace("-", "−")


def points(value: Any) -> str:
    """A difference of two shares in percentage points, with its sign."""
    return f"{100 * value:+.1f}".replace("-", "−") if known(value) else NONE


def decimal(value: Any, digits: int = 3, sign: bool = False) -> str:
    return f"{value:{'+' if sign else ''}.{digits}f}".replace("-", "−") if known(value) else NONE


def whole(value: Any) -> str:
    return f"{value:,.0f}" if known(value) else NONE


def scaled(value: Any, unit: str) -> str:
    """Three digits with k, M, G, T, P, E."""
    if not known(value):
        return NONE
    factor, prefix = prefixed(value)
    value /= factor
    digits = 0 if factor == 1 and value == int(value) else max(0, 2 - int(math.log10(max(abs(value), 1))))
    return f"{value:.{digits}f}{SPACE}{prefix}{unit}".rstrip(SPACE)


def scaled_down(value: Any, unit: str) -> str:
    """Three digits with m and µ where it is below one."""
    if not known(value):
        return NONE
    factor, prefix = next(((f, p) for f, p in ((1.0, ""), (1e-3, "m")) if abs(value) >= 0.9995 * f), (1e-6, "µ"))
    value /= factor
    digits = max(0, 2 - int(math.log10(max(abs(value), 1))))
    return f"{value:.{digits}f}{SPACE}{prefix}{unit}"


def prefixed(value: float) -> tuple[float, str]:
    """The power of 1,000 that `value` is counted in, and its prefix."""
    factor = 1.0
    for prefix in ("", "k", "M", "G", "T", "P", "E"):
        if abs(value) < 999.5 * factor:
            return factor, prefix
        factor *= 1000
    return factor, "Z"


def times(value: float) -> str:
    """How many times as much: two digits that say something, "4.0", "35", "72,000"."""
    return f"{value:.1f}" if value < 9.95 else f"{float(f'{value:.2g}'):,.0f}"


def axis(highest: float, unit: str) -> tuple[float, str]:
    """One unit for all ticks of an axis that ends at `highest`: what to divide them by, and its name for the title.

    `unit`: "FLOP", "s" or "" for counts; any other one stays as it is.
    """
    if unit == "s":
        limits = ((1.0, "s", 300), (60.0, "min", 18_000), (3600.0, "h", math.inf))
        return next((factor, name) for factor, name, limit in limits if highest < limit)
    if unit not in ("FLOP", "") or (not unit and highest < 20_000):
        return 1.0, unit
    factor, prefix = prefixed(highest)
    return factor, f"{prefix}{unit}"


def flops(value: Any) -> str:
    return scaled(value, "FLOP")


def memory(value: Any) -> str:
    return scaled(value, "B")


def seconds(value: Any) -> str:
    if not known(value):
        return NONE
    if value < 10:
        return f"{value:.1f}{SPACE}s"
    if value < 120:
        return f"{value:.0f}{SPACE}s"
    if value < 7200:
        return f"{value / 60:.0f}{SPACE}min"
    return f"{value / 3600:.1f}{SPACE}h"


def p_value(value: Any) -> str:
    if not known(value):
        return NONE
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def plural(count: int, noun: str) -> str:
    return f"{whole(count)} {noun}{'' if count == 1 else 's'}"


def mean(values: Any) -> float | None:
    """Of the values that are known; None without any."""
    kept = [value for value in values if known(value)]
    return sum(kept) / len(kept) if kept else None
