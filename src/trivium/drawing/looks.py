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
