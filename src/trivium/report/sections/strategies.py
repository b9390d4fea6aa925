"""The table: every strategy with its metrics, its cost and its rank; and what each of them does."""

from __future__ import annotations

import importlib
from typing import Any

from trivium.drawing import numbers
from trivium.drawing.charts import interval
from trivium.drawing.markup import Html, h, join
from trivium.drawing.scale import around
from trivium.report.inputs import Inputs
from trivium.report.parts import METRICS, Cell, chooser, lead, name, note, table, view
from trivium.report.sections.cost import seconds
from trivium.report.sections.verdict import flops, parameters

COLUMNS = ("macro_f1", "nll", "ece")  # metrics with a column of their own


def body(inputs: Inputs) -> Html | None:
    entries = inputs.comparison.get("strategies", {})
    metrics = [key for key in METRICS if any((entries[s].get(key) or {}).get("mean") is not None for s in inputs.order)]
    if not metrics:
        return None
    spent = seconds(inputs)
    own = [key for key in COLUMNS if key in metrics]
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
    heads: list[Any] = [
        "rank",
        "strategy",
        [view("metric", key, metrics[0], METRICS[key][0], "span") for key in metrics],
    ]
    heads += [{"macro_f1": "macro F1", "nll": "NLL", "ece": "ECE"}[key] for key in own] + [title for title, _ in costs]
    drawn = {key: _intervals(inputs, key) for key in metrics}
    rows = []
    for strategy in inputs.order:
        entry = entries[strategy]
        rank = entry.get("rank")
        row = [
            Cell(rank or numbers.NONE, rank or 999, classes="rank"),
            Cell([name(inputs, strategy), _tag(inputs, strategy)], strategy, head=True),
            Cell(
                [
                    view("metric", key, metrics[0], drawn[key].get(strategy), data_v=repr(_mean(entry, key)))
                    for key in metrics
                ],
                _mean(entry, metrics[0]),
                classes="wide",
            ),
        ]
        row += [Cell(METRICS[key][1](_mean(entry, key)), _mean(entry, key), classes="number") for key in own]
        row += [_cost(key, entry, spent.get(strategy)) for _, key in costs]
        rows.append(row)
    return join(
        [
            lead(_lead(inputs)),
            chooser("metric", "Show", [(key, METRICS[key][0]) for key in metrics]),
            table(heads, rows, "All strategies", sort=True, classes="strategies"),
            note(
                "The large marker is the mean over seeds, the line its interval, every thin stroke one seed. Compute "
                "and time are of training one seed, its pretraining included; failed is the share of seeds that did "
                "no better than always giving the most common label.",
                h("span", " Press a column's heading to sort by it.", class_="scripted"),
            ),
            _about(inputs),
        ]
    )


def _about(inputs: Inputs) -> Html | None:
    """What each strategy does."""
    about = [(strategy, text) for strategy in inputs.order if (text := _what(inputs, strategy))]
    if not about:
        return None
    words = [[h("dt", name(inputs, strategy)), h("dd", text)] for strategy, text in about]
    return h("details", h("summary", "What each strategy does"), h("dl", words, class_="terms"))


def _what(inputs: Inputs, strategy: str) -> str:
    """The first sentence of the strategy's file."""
    kind = str((inputs.params.get("strategy") or {}).get(strategy, {}).get("kind", strategy))
    try:
        text = importlib.import_module(f"trivium.strategies.{kind}").__doc__ or ""
    except (ImportError, ValueError):
        return ""
    return " ".join(text.strip().split("\n\n")[0].split())


def _lead(inputs: Inputs) -> str:
    settings = inputs.comparison.get("settings", {})
    share = settings.get("confidence", 0.95)
    return (
        "All strategies had the same data, the same paired seeds and the same compute budget. Intervals hold the "
        f"true value in {numbers.percent(share, 0)} of repetitions."
    )


def _tag(inputs: Inputs, strategy: str) -> Html | None:
    if strategy == inputs.recommended:
        return h("span", "winner" if strategy == inputs.verdict.get("winner") else "recommended", class_="tag")
    if strategy in (inputs.verdict.get("behind") or []):
        return h("span", "behind, not surely", class_="tag quiet")
    if strategy in (inputs.verdict.get("tied") or []):
        return h("span", "no difference", class_="tag quiet")
    return None


def _mean(entry: dict[str, Any], key: str) -> float | None:
    return (entry.get(key) or {}).get("mean")


def _intervals(inputs: Inputs, key: str) -> dict[str, Html]:
    """Per strategy: number, interval in words, and the drawing; all on one scale."""
    entries = inputs.comparison["strategies"]
    title, text, _ = METRICS[key]
    dots = {
        s: [seed[key] for _, seed in sorted((entries[s].get("seeds") or {}).items()) if numbers.known(seed.get(key))]
        for s in inputs.order
    }
    known = {s: entries[s][key] for s in inputs.order if numbers.known(_mean(entries[s], key))}
    values = [
        v for s, e in known.items() for v in (e["mean"], e.get("low"), e.get("high"), *dots[s]) if numbers.known(v)
    ]
    scale = around(values, 8, 172)
    drawn = {}
    for strategy, entry in known.items():
        mean = entry["mean"]
        low, high = (entry[end] if numbers.known(entry.get(end)) else mean for end in ("low", "high"))
        span = f"{text(low)} to {text(high)}".replace(f"{numbers.SPACE}% to", " to")
        tip = f"{strategy}: {title} {text(mean)}, interval {span}, {len(dots[strategy])} seeds"
        drawing = interval(mean, low, high, dots[strategy], scale, inputs.looks[strategy], tip)
        drawn[strategy] = h("span", h("b", text(mean)), h("span", span, class_="span"), drawing, class_="measure")
    return drawn


def _cost(key: str, entry: dict[str, Any], spent: float | None) -> Cell:
    if key == "flops":
        return Cell(numbers.flops(flops(entry)), flops(entry), classes="number")
    if key == "seconds":
        return Cell(numbers.seconds(spent), spent, classes="number")
    if key == "parameters":
        trained = parameters(entry, "trained")
        title = f"{numbers.whole(trained)} of them are trained" if trained is not None else None
        return Cell(numbers.scaled(parameters(entry), ""), parameters(entry), classes="number", title=title)
    failed = entry.get("failed_share")
    return Cell(numbers.percent(failed, 0), failed, classes="number")
