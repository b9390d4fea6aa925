"""The metric that ranks: which way is up, its unit, and how people say an amount of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trivium.tasks.scores import LOWER_IS_BETTER, Array

CLOSE = 0.05  # points or nats, see below: what may lose more than this is not taken for being cheap or simple


@dataclass(frozen=True)
class Metric:
    """key: of `tasks.scores`.  words: its name in a sentence."""

    key: str
    words: str

    @property
    def higher(self) -> bool:
        return self.key not in LOWER_IS_BETTER

    def upward(self, values: Array) -> Array:
        """The values, turned so that more is better: differences of these are what A is better by."""
        return values if self.higher else -np.asarray(values)

    def number(self, amount: float, sign: bool = False, more: int = 0) -> str:
        """A difference without its unit: in percentage points, or in nats. more: digits than usual."""
        scale, digits = (100, 1) if self.higher else (1, 3)
        shown = round(scale * amount, digits + more) + 0.0  # no minus before a 0
        return f"{shown:{'+' if sign else ''}.{digits + more}f}".replace("-", "−")

    def digits(self, amount: float) -> int:
        """How many more digits than usual show that `amount` is not 0; none where it is, as for two that are equal."""
        return next((k for k in range(4) if float(self.number(abs(amount), more=k))), 0)

    @property
    def most(self) -> float:
        """The largest difference that there can be, whatever two seeds allow."""
        return 1.0 if self.higher else float("inf")

    @property
    def unit(self) -> str:
        return f"points of {self.words}" if self.higher else "nats"

    @property
    def close(self) -> str:
        """`CLOSE` in words."""
        return f"{100 * CLOSE:.0f} points" if self.higher else f"{CLOSE:g} nats"

    def level(self, value: float) -> str:
        """A value of the metric itself."""
        return f"{100 * value:.1f} % {self.words}" if self.higher else f"{self.words} of {value:.3f} nats"


METRICS = {
    "accuracy": Metric("accuracy", "accuracy"),
    "balanced_accuracy": Metric("balanced_accuracy", "balanced accuracy"),
    "macro_f1": Metric("macro_f1", "macro F1"),
    "nll": Metric("nll", "negative log-likelihood"),
}
