"""What the contexts of several sections are made of: names with markers, tables, figures, legends, menus.

Each is drawn by the macro of its name in `templates/macros.html`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from trivium.comparison.intervals import Span
from trivium.drawing import numbers
from trivium.drawing.charts import Line, swatch
from trivium.report.inputs import Inputs
from trivium.report.measures import said, span
from trivium.tasks.metric import Metric


@dataclass(frozen=True)
class Name:
    """What people call a strategy, or a group of streams, with its marker."""

    title: str
    marker: Markup | None = None


@dataclass(frozen=True)
class Cell:
    """`value` sorts the row; `shade`, 0-1, colours the cell; `head` makes it the heading of its row; `quiet` and `bar`
    follow the content.
    """

    content: str | Name = ""
    value: float | str | None = None
    shade: float | None = None
    classes: str = ""
    tip: str | None = None
    head: bool = False
    quiet: str = ""
    bar: Markup | None = None

    @property
    def css(self) -> str:
        shade = [] if self.shade is None else [f"q{round(10 * min(max(self.shade, 0.0), 1.0))}"]
        return " ".join([*self.classes.split(), *shade])


@dataclass(frozen=True)
class Table:
    """In a box of its own, that scrolls when it is wider than the page; `label` names it to those who cannot see it."""

    label: str
    columns: Sequence[str | Name]
    rows: Sequence[Sequence[Cell]]
    sort: bool = False
    classes: str = ""
    foot: Sequence[Sequence[Cell]] = ()

    @property
    def right(self) -> set[int]:
        """The columns of numbers."""
        return {index for row in self.rows[:1] for index, cell in enumerate(row) if "number" in cell.classes}


@dataclass(frozen=True)
class Figure:
    body: Table | Markup
    caption: str = ""
    title: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Switch:
    """Shows and hides a strategy in every chart: the marks of the class `toggle`."""

    name: Name
    toggle: str


@dataclass(frozen=True)
class Option:
    """A choice of a menu."""

    key: str
    text: str


def breakable(name: str) -> Markup:
    """A name that may be broken after an underscore or a plus."""
    return Markup(escape(name).replace("_", Markup("_<wbr>")).replace("+", Markup("+<wbr>")))


def coded(text: str) -> Markup:
    """What stands between backticks in a sentence, as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def name(inputs: Inputs, strategy: str) -> Name:
    look = inputs.looks.get(strategy)
    return Name(inputs.titles.get(strategy, strategy), swatch(look) if look else None)


def legend(inputs: Inputs, strategies: Sequence[str]) -> list[Switch]:
    return [Switch(name(inputs, strategy), f"s{inputs.looks[strategy].number}") for strategy in strategies]


def curve(inputs: Inputs, strategy: str, steps: Sequence[tuple[float, Span]], metric: Metric, unit: str = "") -> Line:
    """Of one strategy: (place, values of the metric there), in their order; unit: of places."""
    xs, ys = [at for at, _ in steps], [found.mean for _, found in steps]
    band = [(found.low, found.high) for _, found in steps]
    tips = [
        f"{inputs.titles[strategy]}: {said(metric, y)} ({span(metric, low, high)}) at "
        f"{numbers.scaled(x, unit) if unit else format(x, ',g')}"
        for x, y, (low, high) in zip(xs, ys, band, strict=True)
    ]
    return Line(inputs.titles[strategy], inputs.looks[strategy], xs, ys, band, tips)


def rests(inputs: Inputs, *analyses: str) -> str:
    """How many test samples per seed some analyses rest on, over strategies, seeds and streams: " on 25 to 250 test
    samples"; empty where that is not known. 0 means that something was too dear to measure, and is not shown.
    """
    seeds = [seed for found in inputs.evaluations.values() for seed in found.seeds]
    counts = {n for seed in seeds for key in analyses for n in seed.rows.get(key, {}).values() if n}
    if not counts:
        return ""
    span = numbers.whole(min(counts)) + (f" to {numbers.whole(max(counts))}" if len(counts) > 1 else "")
    return f" on {span} test samples"


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", ":")) else ".") if text else ""
