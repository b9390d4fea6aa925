"""Pieces that several sections use: names with markers, figures, legends, tables that sort and tables that glow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trivium.drawing import numbers
from trivium.drawing.charts import Line, swatch
from trivium.drawing.markup import Html, breakable, h
from trivium.report.inputs import Inputs

METRICS = {  # key: (name, format, whether higher is better)
    "accuracy": ("accuracy", numbers.percent, True),
    "balanced_accuracy": ("balanced accuracy", numbers.percent, True),
    "macro_precision": ("macro precision", numbers.percent, True),
    "macro_recall": ("macro recall", numbers.percent, True),
    "macro_f1": ("macro F1", numbers.percent, True),
    "nll": ("negative log-likelihood", numbers.decimal, False),
    "brier": ("Brier score", numbers.decimal, False),
    "ece": ("calibration error (ECE)", numbers.percent, False),
}


@dataclass(frozen=True)
class Cell:
    """`value` sorts the row; `shade`, 0-1, colours the cell; `head` makes it the heading of its row."""

    content: Any
    value: float | str | None = None
    shade: float | None = None
    classes: str = ""
    title: str | None = None
    head: bool = False


def name(inputs: Inputs, strategy: str) -> Html:
    """A strategy's title with its marker."""
    look, title = inputs.looks.get(strategy), inputs.titles.get(strategy, strategy)
    return h("span", swatch(look) if look else None, h("span", breakable(title)), class_="strategy")


def lead(*content: Any) -> Html:
    """The sentence that a section says first."""
    return h("p", content, class_="lead")


def note(*content: Any) -> Html:
    return h("p", content, class_="note")


def curve(inputs: Inputs, strategy: str, steps: Sequence[dict[str, Any]], key: str, unit: str = "") -> Line:
    """Accuracy (`{"mean", "low", "high"}`, 0-1) of one strategy over `key`, in the order of `steps`."""
    ys = [step["accuracy"]["mean"] for step in steps]
    band = [
        (step["accuracy"].get("low", y), step["accuracy"].get("high", y)) for step, y in zip(steps, ys, strict=True)
    ]
    tips = [
        f"{inputs.titles[strategy]}: {numbers.percent(y)} ({numbers.percent(low)} to {numbers.percent(high)}) at "
        f"{numbers.scaled(step[key], unit) if unit else format(step[key], ',g')}"
        for step, y, (low, high) in zip(steps, ys, band, strict=True)
    ]
    return Line(inputs.titles[strategy], inputs.looks[strategy], [step[key] for step in steps], ys, band, tips)


def rests(inputs: Inputs, *analyses: str) -> str:
    """How many test samples per seed some analyses rest on, over strategies, seeds and streams: " on 25 to 250 test
    samples"; empty where that is not known. 0 means that something was too dear to measure, and is not shown.
    """
    seeds = [seed for found in inputs.evaluations.values() for seed in found["seeds"]]
    counts = {n for seed in seeds for key in analyses for n in (seed.get("rows") or {}).get(key, {}).values() if n}
    if not counts:
        return ""
    span = numbers.whole(min(counts)) + (f" to {numbers.whole(max(counts))}" if len(counts) > 1 else "")
    return f" on {span} test samples"


def figure(content: Any, caption: Any = None, title: Any = None) -> Html:
    return h("figure", h("h3", title) if title else None, content, h("figcaption", caption) if caption else None)


def grid(*figures: Any) -> Html:
    return h("div", figures, class_="grid")


def legend(inputs: Inputs, strategies: Sequence[str]) -> Html:
    """One switch per strategy; without JavaScript it is a plain legend."""
    buttons = [
        h(
            "button",
            name(inputs, strategy),
            type="button",
            class_="switch",
            aria_pressed="true",
            data_toggle=f"s{inputs.looks[strategy].number}",
        )
        for strategy in strategies
    ]
    return h("div", buttons, class_="legend", role="group", aria_label="Show or hide a strategy in every chart")


def chooser(group: str, label: str, options: Sequence[tuple[str, str]]) -> Html | None:
    """A menu that shows one of the elements marked `data-view="<group>:<key>"`; needs JavaScript, hidden without."""
    if len(options) < 2:
        return None
    choices = [h("option", text, value=key) for key, text in options]
    return h("label", f"{label} ", h("select", choices, data_views=group), class_="chooser")


def view(group: str, key: str, first: str, content: Any, tag: str = "div", **attributes: Any) -> Html:
    """One of the alternatives of a `chooser`; all but `first` are hidden at the start."""
    return h(tag, content, data_view=f"{group}:{key}", hidden=key != first, **attributes)


def table(
    columns: Sequence[Any],
    rows: Sequence[Sequence[Cell]],
    label: str,
    sort: bool = False,
    classes: str = "",
    foot: Sequence[Sequence[Cell]] = (),
) -> Html:
    """A table in a box of its own that scrolls when it is wider than the page."""
    right = {index for row in rows[:1] for index, cell in enumerate(row) if "number" in cell.classes}
    heads = [
        h(
            "th",
            h("button", column, type="button") if sort else column,
            scope="col",
            class_="number" if index in right else None,
        )
        for index, column in enumerate(columns)
    ]
    return h(
        "div",
        h(
            "table",
            h("thead", h("tr", heads)),
            h("tbody", [h("tr", [_cell(cell) for cell in row]) for row in rows]),
            h("tfoot", [h("tr", [_cell(cell) for cell in row]) for row in foot]) if foot else None,
            class_=f"{'sortable ' if sort else ''}{classes}".strip() or None,
        ),
        class_="scroll",
        role="region",
        aria_label=label,
        tabindex="0",
    )


def _cell(cell: Cell) -> Html:
    value = cell.value
    classes = cell.classes
    if cell.shade is not None:
        classes = f"{classes} q{round(10 * min(max(cell.shade, 0.0), 1.0))}".strip()
    return h(
        "th" if cell.head else "td",
        cell.content,
        scope="row" if cell.head else None,
        class_=classes or None,
        data_v=repr(value) if isinstance(value, float) else value,
        title=cell.title,
    )


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", ":")) else ".") if text else ""
