"""One colour and one marker per strategy, the same in every picture."""

from __future__ import annotations

from dataclasses import dataclass

HUES = 7  # colours in style.css; the first is the accent
SHAPES = 8  # markers in charts.py


@dataclass(frozen=True)
class Look:
    """How a strategy is drawn everywhere: `number` for switching it off, `hue` and `shape` so that two ways tell it."""

    number: int
    hue: int
    shape: int

    @property
    def classes(self) -> str:
        return f"s{self.number} c{self.hue}"


def short(name: str, length: int) -> str:
    """What tells names apart often stands at their end, in brackets: that stays."""
    if len(name) <= length:
        return name
    end = name[name.rindex(" ("):] if name.endswith(")") and " (" in name else ""
    end = end if len(end) < length - 8 else ""
    return name[: length - 1 - len(end)].rstrip() + "…" + end
