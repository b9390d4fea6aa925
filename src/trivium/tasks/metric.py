"""A metric as people read it: which way is up, its range and unit, and how an amount of it is said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLOSE = 0.05  # of a share, or nats: what may lose more than this is not taken for being cheap or simple


@dataclass(frozen=True)
class Metric:
    """key: its name in files.  words: its name in a sentence.  short: unit of a difference: points, nats, EUR, or none

    higher: more is better.  lowest, highest: of its values.  most: the largest difference that there can be.
    scale, decimals: of the numbers that people read (shares in percent).  sign: behind a value, such as " %" or " nats"
    close: a difference that is as good as none, for what is cheaper or simpler.  head: of a narrow column; else words
    """

    key: str
    words: str
    short: str
    higher: bool = True
    lowest: float = 0.0
    highest: float = 1.0
    scale: float = 100.0
    decimals: int = 1
    sign: str = " %"
    close: float = CLOSE
    head: str = ""

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> Metric:
        """From what `plain` gave."""
        ends = {"lowest": -float("inf"), "highest": float("inf")}
        given: dict[str, Any] = {key: ends[key] if value is None else value for key, value in about.items()}
        return cls(**given)

    def plain(self) -> dict[str, Any]:
        """A JSON value: what is not finite is null."""
        return {key: None if isinstance(value, float) and not math.isfinite(value) else value
                for key, value in asdict(self).items()}

    @property
    def unit(self) -> str:
        """As in "3.1 points of accuracy", "0.12 nats", "0.034 of R²"."""
        return self.short if self.short == "nats" else f"{self.short} of {self.words}".strip()

    @property
    def most(self) -> float:
        return self.highest - self.lowest

    def upward(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values, turned so that more is better: differences of these are what A is better by."""
        return values if self.higher else -np.asarray(values)

    def number(self, amount: float, sign: bool = False, more: int = 0) -> str:
        """A difference without its unit. more: digits than usual."""
        digits = max(0, self.decimals + more)
        shown = round(self.scale * amount, digits) + 0.0  # no minus before a 0
        return f"{shown:{'+' if sign else ''},.{digits}f}".replace("-", "−")

    def digits(self, amount: float) -> int:
        """How many more digits than usual show that `amount` is not 0; none where it is, as for two that are equal."""
        return next((k for k in range(4) if float(self.number(abs(amount), more=k))), 0)

    @property
    def close_words(self) -> str:
        """`close` in words: "5 points", "0.05 nats"."""
        return f"{self.scale * self.close:.3g} {self.short or f'of {self.words}'}"

    def value(self, value: float) -> str:
        """A value of the metric with its unit: `81.3 %`, `0.412 nats`."""
        return f"{self.number(value)}{self.sign}"

    def level(self, value: float) -> str:
        """The same with the metric's name."""
        return f"{self.value(value)} {self.words}" if self.sign == " %" else f"{self.words} of {self.value(value)}"


def decimals(size: float) -> int:
    """That numbers with the deviation `size` are read with."""
    return min(12, max(0, 2 - math.floor(math.log10(size)))) if size > 0 else 3


def plainly(value: float, digits: int) -> str:
    """`284,400` or `12.5`: at most so many decimals, and no zeros at their end."""
    said = f"{round(value, digits) + 0.0:,.{digits}f}"
    return said.rstrip("0").rstrip(".") if "." in said else said


def share(key: str, words: str, higher: bool = True, head: str = "") -> Metric:
    """Of a share, 0-1."""
    return Metric(key, words, "points", higher, head=head)


def nats(key: str, words: str, lowest: float = 0.0) -> Metric:
    """lowest: minus infinity for densities."""
    return Metric(key, words, "nats", False, lowest, float("inf"), 1.0, 3, " nats", head="NLL")


def bare(key: str, words: str, unit: str = "", higher: bool = True, lowest: float = 0.0, highest: float = 1.0,
          decimals: int = 3, close: float = CLOSE, head: str = "") -> Metric:
    """Of a number that people read as it is, such as R² or an error in EUR."""
    return Metric(key, words, unit, higher, lowest, highest, 1.0, decimals,
                  f" {unit}" if unit else "", close, head)
