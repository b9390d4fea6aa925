"""The table: every strategy with its metrics, its cost and its rank; and what each of them does."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from trivium.comparison.recipes import published
from trivium.comparison.verdict import OVER
from trivium.drawing import numbers
from trivium.drawing.charts import interval
from trivium.drawing.scale import around
from trivium.evaluation.metrics import Started
from trivium.report.inputs import Inputs
from trivium.report.measures import cell, heading, said, span
from trivium.report.parts import Cell, Name, Option, name
from trivium.report.prices import flops, parameters, seconds
from trivium.report.sections.verdict import always, took
from trivium.tasks.metric import Metric

ONE = 0.95  # share of the answers that are one class: nearly always


@dataclass(frozen=True)
class Tag:
    """`kind`: "" for the recommended one, "quiet" or "warn"."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Measured:
    """One metric of one strategy: mean and interval in words, and drawn (None where there is none); `value` sorts."""

    metric: str
    value: float | None
    mean: str
    span: str = ""
    picture: Markup | None = None


@dataclass(frozen=True)
class Row:
    rank: int | None
    strategy: str
    name: Name
    tags: list[Tag]
    measured: list[Measured]
    cells: list[Cell]


@dataclass(frozen=True)
class Constant:
    """The answer that knows nothing."""

    words: str
    measured: list[Measured]
    cells: list[Cell]


@dataclass(frozen=True)
class Description:
    """What a strategy does."""

    term: Name
    text: str


@dataclass(frozen=True)
class Context:
    """`metrics`: those that the third column can show;  `columns`: those after it;  `skipped`: a sentence for each
    strategy that was not trained;  `recommended`: its title, or empty.
    """

    lead: str
    metrics: list[Option]
    columns: list[str]
    rows: list[Row]
    constant: Constant | None
    skipped: list[str]
    null: str
    recommended: str
    about: list[Description]


def context(inputs: Inputs) -> Context | None:
    entries = inputs.comparison.get("strategies", {})
    metrics = [one for one in inputs.metrics.values() if any(_mean(entries[s], one.key) is not None
                                                             for s in inputs.order)]
    if not metrics:
        return None
    spent = seconds(inputs)
    own = [one for one in inputs.beside if one in metrics]
    costs = [
        (title, key)
        for title, key, values in (
            ("compute", "flops", [flops(entries[s]) for s in inputs.order]),
            ("time", "seconds", list(spent.values())),
            ("parameters", "parameters", [parameters(entries[s]) for s in inputs.order]),
            ("failed", "failed", [entries[s].get("failed_share") for s in inputs.order]),
        )
        if any(value is not None for value in values)
    ]
    measured = [_measured(inputs, one) for one in metrics]
    rows = []
    for strategy in inputs.order:
        entry = entries[strategy]
        cells = [Cell(cell(one, _mean(entry, one.key)), _mean(entry, one.key), classes="number") for one in own]
        cells += [_cost(key, entry, spent.get(strategy)) for _, key in costs]
        shown = [each[strategy] for each in measured]
        rows.append(
            Row(entry.get("rank"), strategy, name(inputs, strategy), _tags(inputs, strategy), shown, cells)
        )
    return Context(
        _lead(inputs),
        [Option(one.key, one.words) for one in metrics],
        [heading(one) for one in own] + [title for title, _ in costs],
        rows,
        _constant(inputs, metrics, own),
        [str(one["sentence"]) for one in (inputs.comparison.get("skipped") or {}).values()],
        null(inputs),
        inputs.titles.get(inputs.recommended, ""),
        [Description(name(inputs, s), text) for s in inputs.order if (text := _what(inputs, s))],
    )


def _what(inputs: Inputs, strategy: str) -> str:
    """The first sentence of the strategy's file, what it starts from, what it took, and what was published."""
    entry = inputs.comparison["strategies"][strategy]
    try:
        text = importlib.import_module(f"trivium.strategies.{entry.get('strategy', strategy)}").__doc__ or ""
    except (ImportError, ValueError):
        return ""
    recipe = entry.get("recipe") or {}
    encoders = recipe.get("encoders") or {}
    read = ", ".join(f"{stream} by {encoders[stream]}" for stream in inputs.streams if stream in encoders)
    said = [" ".join(text.strip().split("\n\n")[0].split())]
    said += [f"Recipe: {entry.get('start')} ({read})."] if read else []
    said += [f"It took {chosen}."] if (chosen := took(entry)) else []
    return " ".join([*said, *published({strategy: Started.model_validate(recipe)} if recipe else {}).values()])


def _lead(inputs: Inputs) -> str:
    share = inputs.comparison.get("settings", {}).get("confidence", 0.95)
    dear = [s for s in inputs.order if (inputs.comparison["strategies"][s].get("over_budget") or 0) > OVER]
    dearer = " (what costs more is marked)" if dear else ""
    return (
        f"All strategies had the same data, the same paired seeds and the same compute budget{dearer}. They are ranked "
        f"by {inputs.metric.words}. Intervals hold the true value in {numbers.percent(share, 0)} of repetitions."
    )


def null(inputs: Inputs) -> str:
    """What a strategy must surely beat to have learned anything."""
    found = inputs.comparison.get("constant") or {}
    value = found.get(inputs.metric.key)
    if inputs.task is None or not numbers.known(value):
        return "an answer that knows nothing of the inputs"
    return inputs.task.null_words(inputs.metric, str(found["label"]), value)


def _tags(inputs: Inputs, strategy: str) -> list[Tag]:
    """What a reader must know before looking at the numbers."""
    entry = inputs.comparison["strategies"][strategy]
    verdict, found = inputs.verdict, []
    if strategy == inputs.recommended:
        found.append(Tag("winner" if strategy == verdict.get("winner") else "recommended"))
    elif said := _against(inputs, strategy):
        found.append(Tag(said, "quiet"))
    if entry.get("learned") is False:
        found.append(Tag("not surely learned", "warn"))
    if (entry.get("one_class") or 0) >= ONE:
        share = numbers.percent(entry["one_class"], 0)
        found.append(Tag(f"one class for {share} of the samples", "warn"))
    if (entry.get("over_budget") or 0) > OVER:
        found.append(Tag(f"{numbers.times(entry['over_budget'])} × the budget", "warn"))
    return found


def _against(inputs: Inputs, strategy: str) -> str:
    """How a strategy stands to the recommended one, as the table of pairs says; empty where nothing is recommended."""
    both = {strategy, inputs.recommended}
    pair = next((pair for pair in inputs.comparison.get("pairs") or [] if {pair["a"], pair["b"]} == both), None)
    if pair is None:
        return ""
    ahead = pair["a"] == strategy
    return {"better": "better" if ahead else "worse",
            "ahead": "ahead, not surely" if ahead else "behind, not surely"}.get(pair["verdict"], "not told apart")


def _constant(inputs: Inputs, metrics: list[Metric], own: list[Metric]) -> Constant | None:
    found = inputs.comparison.get("constant") or {}
    if not found:
        return None
    shown = [Measured(one.key, found.get(one.key), said(one, found.get(one.key))) for one in metrics]
    return Constant(always(inputs), shown, [Cell(cell(one, found.get(one.key)), classes="number") for one in own])


def _mean(entry: dict[str, Any], key: str) -> float | None:
    return (entry.get(key) or {}).get("mean")


def _measured(inputs: Inputs, metric: Metric) -> dict[str, Measured]:
    """Per strategy, all drawn on one scale."""
    entries, key = inputs.comparison["strategies"], metric.key
    dots = {
        s: [seed[key] for _, seed in sorted((entries[s].get("seeds") or {}).items()) if numbers.known(seed.get(key))]
        for s in inputs.order
    }
    known = {s: entries[s][key] for s in inputs.order if numbers.known(_mean(entries[s], key))}
    values = [
        v for s, e in known.items() for v in (e["mean"], e.get("low"), e.get("high"), *dots[s]) if numbers.known(v)
    ]
    scale = around(values, 8, 172)
    found = {s: Measured(key, None, "") for s in inputs.order}
    for strategy, entry in known.items():
        mean = entry["mean"]
        low, high = (entry[end] if numbers.known(entry.get(end)) else mean for end in ("low", "high"))
        reach = span(metric, low, high)
        tip = (f"{inputs.titles[strategy]}: {metric.words} {said(metric, mean)}, interval {reach}, "
               f"{len(dots[strategy])} seeds")
        picture = interval(mean, low, high, dots[strategy], scale, inputs.looks[strategy], tip)
        found[strategy] = Measured(key, mean, said(metric, mean), reach, picture)
    return found


def _cost(key: str, entry: dict[str, Any], spent: float | None) -> Cell:
    if key == "flops":
        return Cell(numbers.flops(flops(entry)), flops(entry), classes="number")
    if key == "seconds":
        return Cell(numbers.seconds(spent), spent, classes="number")
    if key == "parameters":
        trained = parameters(entry, "trained")
        title = f"{numbers.whole(trained)} of them are trained" if trained is not None else None
        return Cell(numbers.scaled(parameters(entry), ""), parameters(entry), classes="number", tip=title)
    failed = entry.get("failed_share")
    return Cell(numbers.percent(failed, 0), failed, classes="number")
