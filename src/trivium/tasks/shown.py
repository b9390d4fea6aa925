"""How targets, answers and tables of a task are shown to people: what the report asks besides numbers and words.

A task is of one of three sorts: `Classes`, `Tags` or `Numbers`. What has no meaning for a sort is None or empty.

Legend: `B` samples, `A` numbers of an answer, `K` tags or numbers, `T` the shape of one target, `M` claims.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from trivium.tasks.metric import Metric, bare, decimals, plainly, share

if TYPE_CHECKING:
    from trivium.tasks.base import Array

HEADS = {"f1": "F1"}
COLUMNS = ("precision", "recall", "f1", "average_precision", "mae", "rmse", "r2", "bias", "coverage", "threshold")
QUARTERS = ("lowest quarter", "second quarter", "third quarter", "highest quarter")
MOST_MISSED = 4  # tags that are named
MOST = 5  # of the most probable classes or tags on a terminal


class Shown(ABC):
    """What every task answers; the sorts below say it for theirs.

    target: what the truth of a sample is called.  category: one of `categories`, and several.  part: one of `parts`,
    and several.  missed: what `gap_words` tell
    """

    target: ClassVar[str] = "target"
    category: ClassVar[tuple[str, str]] = ("class", "classes")
    part: ClassVar[tuple[str, str]] = ("class", "classes")
    missed: ClassVar[str] = "how far off"

    if TYPE_CHECKING:
        @property
        def metrics(self) -> dict[str, Metric]: ...
        @property
        def categories(self) -> tuple[str, ...]: ...

    @property
    def quantities(self) -> dict[str, str]:
        """The numbers of a target, name -> unit ("" without); empty where a target is none."""
        return {}

    @property
    def order(self) -> tuple[str, ...]:
        """Rows of `Task.table` and names of `Task.parts`, in the order in which people look at them."""
        return self.categories

    @classmethod
    def always(cls, metric: Metric, constant: str) -> str:
        """The answer that knows no inputs, in a table; constant: see `Task.constant_words`."""
        return f"always “{constant}”"

    def columns(self, row: str, keys: Iterable[str]) -> dict[str, Metric]:
        """How the numbers `keys` of a row of `Task.table` are read, in the order in which people look at them."""
        return {key: self.metrics.get(key) or share(key, HEADS.get(key, key.replace("_", " ")))
                for key in _sorted(keys)}

    @abstractmethod
    def gap(self, y: np.ndarray, prediction: np.ndarray) -> Array:
        """How far off predictions [B, *T] of targets [B, *T] are, [B]: 0 where they are right."""

    @abstractmethod
    def gap_words(self, y: Any, prediction: Any) -> str:
        """The same of one, as people say it."""

    @abstractmethod
    def mean_gap(self, gap: float) -> str:
        """A mean of gaps between answers, as people say it."""

    def claims(self, stored: np.ndarray, y: np.ndarray) -> tuple[Array, np.ndarray] | None:
        """Probabilities that stored answers [B, A] state, [M], and whether it was so, bool [M]."""
        return None

    def intervals(self, stored: np.ndarray) -> tuple[Array, Array, float] | None:
        """The ends of the intervals of numbers, [B, K] each, and the share of targets that they shall hold."""
        return None

    # --- what `trivium predict` and a served model give

    written: ClassVar[str] = ".6f"  # how a number of `answered` is written in a CSV
    gives: str  # what they answer with, in words

    @property
    def width(self) -> int:
        """Numbers of a stored answer."""
        return len(self.categories)

    @abstractmethod
    def answered(self, stored: np.ndarray) -> dict[str, list[Any]]:
        """Stored answers [B, A] as columns of a table: texts, or numbers. B may be 0."""

    @abstractmethod
    def lines(self, stored: np.ndarray) -> list[str]:
        """One stored answer [A] on a terminal."""


class Classes(Shown):
    """One class of several; a target is its position."""

    target = "label"
    gives = "a label and a probability per class"

    if TYPE_CHECKING:
        def prediction(self, stored: np.ndarray) -> np.ndarray: ...
        def truth(self, stored: np.ndarray, y: np.ndarray) -> np.ndarray: ...

    def gap(self, y: np.ndarray, prediction: np.ndarray) -> Array:
        return (prediction != y).astype(np.float64)

    def gap_words(self, y: Any, prediction: Any) -> str:
        return "right" if prediction == y else "wrong"

    def mean_gap(self, gap: float) -> str:
        """Of 0 and 1, the share that is another class."""
        return f"{100 * gap:.1f} % changed"

    def claims(self, stored: np.ndarray, y: np.ndarray) -> tuple[Array, np.ndarray] | None:
        """That the most probable class is the label."""
        prediction = self.prediction(stored)
        return self.truth(stored, prediction), prediction == y

    def answered(self, stored: np.ndarray) -> dict[str, list[Any]]:
        """label, and probability_CLASS of each."""
        return {"label": [self.categories[k] for k in self.prediction(stored)]} | _probabilities(
            self.categories, stored)

    def lines(self, stored: np.ndarray) -> list[str]:
        """The label and the most probable others, each with its probability."""
        given = int(self.prediction(stored[None])[0])
        others = [k for k in np.argsort(-stored, kind="stable").tolist() if k != given]
        return [f"{self.categories[k]}  {stored[k]:.3f}" for k in [given, *others][:MOST]]


class Tags(Shown):
    """Several of many tags, or none; a target is 0 or 1, [K]. Stored answers are their probabilities."""

    target, category, part, missed = "tags", ("tag", "tags"), ("tag", "tags"), "what is wrong"
    gives = "labels, the tags that reach their threshold, and a probability per tag"
    separator: str

    if TYPE_CHECKING:
        def prediction(self, stored: np.ndarray) -> np.ndarray: ...
        def words(self, target: Any) -> str: ...

    def gap(self, y: np.ndarray, prediction: np.ndarray) -> Array:
        """How many tags are wrong."""
        return (np.asarray(y, bool) != np.asarray(prediction, bool)).sum(1).astype(np.float64)

    def gap_words(self, y: Any, prediction: Any) -> str:
        """`lacks red; too many: round, big`."""
        goal, found = np.asarray(y, bool), np.asarray(prediction, bool)
        said = [f"{word} {self._named(np.flatnonzero(these))}"
                for word, these in (("lacks", goal & ~found), ("too many:", found & ~goal)) if these.any()]
        return "; ".join(said) or "all right"

    def mean_gap(self, gap: float) -> str:
        return f"{gap:.2g} {self.part[gap != 1]}"

    def _named(self, places: Sequence[int] | np.ndarray) -> str:
        rest = len(places) - MOST_MISSED
        return ", ".join(self.categories[k] for k in places[:MOST_MISSED]) + (f" and {rest} more" if rest > 0 else "")

    def claims(self, stored: np.ndarray, y: np.ndarray) -> tuple[Array, np.ndarray] | None:
        """That a sample has a tag, of every tag."""
        count = len(self.categories)
        return np.asarray(stored, np.float64)[:, :count].ravel(), np.asarray(y, bool).ravel()

    def answered(self, stored: np.ndarray) -> dict[str, list[Any]]:
        """labels, with the separator of the data between them, and probability_TAG of each."""
        labels = [self.separator.join(self.categories[k] for k in np.flatnonzero(row))
                  for row in self.prediction(stored)]
        return {"labels": labels} | _probabilities(self.categories, stored)

    def lines(self, stored: np.ndarray) -> list[str]:
        """The tags that are given, and the probabilities of the most probable ones."""
        likely = np.argsort(-stored, kind="stable")[:MOST]
        return [self.words(self.prediction(stored[None])[0]),
                *(f"{self.categories[k]}  {stored[k]:.3f}" for k in likely)]


class Numbers(Shown):
    """One or several numbers; a target is float [K]. Stored answers begin with the predictions [B, K] and half the
    widths of their intervals [B, K].

    targets: name -> unit.  scale: the deviation of each [K].  interval: the share of targets that intervals shall hold
    """

    target, part, missed, written = "value", ("quarter", "quarters"), "off by", ".7g"
    targets: Mapping[str, str]
    interval: float

    if TYPE_CHECKING:
        @property
        def scale(self) -> Sequence[float]: ...
        def words(self, target: Any) -> str: ...

    @property
    def quantities(self) -> dict[str, str]:
        return dict(self.targets)

    @property
    def order(self) -> tuple[str, ...]:
        return *self.targets, *QUARTERS

    @classmethod
    def always(cls, metric: Metric, constant: str) -> str:
        return f"always {constant}"

    def null_words(self, metric: Metric, constant: str, value: float) -> str:
        return f"always answering {constant} ({metric.level(value)})"

    def columns(self, row: str, keys: Iterable[str]) -> dict[str, Metric]:
        """In the unit of the target, or of the first one where the row is a part of the samples."""
        place = list(self.targets).index(row) if row in self.targets else 0
        unit, digits = list(self.targets.values())[place], decimals(self.scale[place])
        error = {"mae": ("mean absolute error", "MAE"), "rmse": ("root mean squared error", "RMSE"),
                 "bias": ("bias", "")}
        return {key: bare(key, error[key][0], unit, False, -math.inf, math.inf, digits, head=error[key][1])
                if key in error else
                bare(key, "R²") if key == "r2" else share(key, key.replace("_", " ")) for key in _sorted(keys)}

    def gap(self, y: np.ndarray, prediction: np.ndarray) -> Array:
        """The size of the error; of several numbers, in deviations, mean over them."""
        off = np.abs(np.asarray(prediction, np.float64) - y)
        return off[:, 0] if len(self.targets) == 1 else (off / np.asarray(self.scale)).mean(1)

    def gap_words(self, y: Any, prediction: Any) -> str:
        return self.mean_gap(float(self.gap(np.asarray(y)[None], np.asarray(prediction)[None])[0]))

    def mean_gap(self, gap: float) -> str:
        return self.words([gap]) if len(self.targets) == 1 else f"{gap:.2g} standard deviations"

    def intervals(self, stored: np.ndarray) -> tuple[Array, Array, float]:
        count = len(self.targets)
        middle, half = np.asarray(stored[:, :count], np.float64), np.asarray(stored[:, count : 2 * count], np.float64)
        return middle - half, middle + half, self.interval

    @property
    def gives(self) -> str:  # type: ignore[override]
        """With units."""
        named = ", ".join(f"{name} in {unit}" if unit else name for name, unit in self.targets.items())
        one = "its interval" if len(self.targets) == 1 else "their intervals"
        return f"{named}, and the ends (_low, _high) of {one}, which shall hold {100 * self.interval:g} % of new values"

    @property
    def width(self) -> int:
        return 3 * len(self.targets)

    def answered(self, stored: np.ndarray) -> dict[str, list[Any]]:
        """TARGET, TARGET_low and TARGET_high of each, in its unit."""
        low, high, _ = self.intervals(stored)
        found: dict[str, list[Any]] = {}
        for k, name in enumerate(self.targets):
            for end, values in (("", stored), ("_low", low), ("_high", high)):
                found[f"{name}{end}"] = values[:, k].tolist()
        return found

    def lines(self, stored: np.ndarray) -> list[str]:
        """Each number with its unit and its interval."""
        low, high, interval = self.intervals(stored[None])
        said = []
        for k, (name, unit) in enumerate(self.targets.items()):
            value, least, most = (plainly(one, decimals(self.scale[k])) for one in (stored[k], low[0, k], high[0, k]))
            said.append(f"{name}  {f'{value} {unit}'.strip()}  ({100 * interval:g} % interval {least} to {most})")
        return said


def _probabilities(categories: Sequence[str], stored: np.ndarray) -> dict[str, list[Any]]:
    return {f"probability_{name}": stored[:, k].tolist() for k, name in enumerate(categories)}


def _sorted(keys: Iterable[str]) -> list[str]:
    return sorted(keys, key=lambda key: COLUMNS.index(key) if key in COLUMNS else len(COLUMNS))
