"""Lengths of time as people write them in settings: `0.5`, `500 ms`, `1 s`, `2 min`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

UNITS = {"": 1.0, "ms": 1e-3, "s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0}
WRITTEN = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)) *([a-z]*)")


def seconds(value: Any) -> Any:
    """Of a number, or of a number with a unit; what is neither stays as it is, for others to refuse."""
    if not isinstance(value, str) or value == "estimated":
        return value
    found = WRITTEN.fullmatch(value.strip())
    if not found or found[2] not in UNITS:
        raise ValueError("a length of time is a number of seconds, or a number with ms, s, min or h: `500 ms`")
    return float(found[1]) * UNITS[found[2]]


Duration = Annotated[float, BeforeValidator(seconds)]  # seconds
