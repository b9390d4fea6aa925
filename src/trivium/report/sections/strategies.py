"""The table: every strategy with its metrics, its cost and its rank; and what each of them does."""

from __future__ import annotations

import importlib
from typing import Any

from trivium.comparison.null import PERMUTED
from trivium.comparison.recipes import published
from trivium.comparison.verdict import OVER
from trivium.drawing import numbers
from trivium.drawing.charts import interval
from trivium.drawing.markup import Html, h, join
from trivium.drawing.scale import around
from trivium.report.inputs import Inputs
from trivium.report.parts import METRICS, Cell, chooser, lead, name, note, table, view
from trivium.report.prices import flops, parameters, seconds
from trivium.report.sections.verdict import took

COLUMNS = {"accuracy": "accuracy", "macro_f1": "macro F1", "nll": "NLL"}  # each its own, less what ranks
ONE = 0.95  # share of the answers that are one class: nearly always


def body(inputs: Inputs) -> Html | None:
    entries = inputs.comparison.get("strategies", {})
    first = sorted(METRICS, key=lambda key: key != inputs.metric.key)
    metrics = [key for key in first if any((entries[s].get(key) or {}).get("mean") is not None for s in inputs.order)]
    if not metrics:
        return None
    spent = seconds(inputs)
    own = [key for key in COLUMNS if key in metrics[1:]]
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
    heads += [COLUMNS[key] for key in own] + [title for title, _ in costs]
    drawn = {key: _intervals(inputs, key) for key in metrics}
    rows = []
    for strategy in inputs.order:
        entry = entries[strategy]
        rank = entry.get("rank")
        row = [
            Cell(rank or numbers.NONE, rank or 999, classes="rank"),
            Cell([name(inputs, strategy), _tags(inputs, strategy)], strategy, head=True),
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
            table(heads, rows, "All strategies", sort=True, classes="strategies", foot=_constant(inputs, metrics, own)),
            _skipped(inputs),
            note(
                "The large marker is the mean over seeds, the line its interval, every thin stroke one seed. Compute "
                "and time are of training one seed, its recipe included; failed is the share of seeds that are not "
                f"surely better than {null(inputs)}. The last line knows nothing of the inputs."
                + (f" Other tags compare with “{inputs.titles[inputs.recommended]}”." if inputs.recommended else ""),
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
    return " ".join([*said, *published({strategy: recipe} if "published" in recipe else {}).values()])


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
    if inputs.metric.key in PERMUTED:
        return "their own answers on shuffled labels"
    label = (inputs.comparison.get("constant") or {}).get("label")
    if inputs.metric.key == "nll":
        return "always giving the class shares of train"
    return f"always answering “{label}”" if label else "always giving the most common label"


def _tags(inputs: Inputs, strategy: str) -> list[Html]:
    """What a reader must know before looking at the numbers."""
    entry = inputs.comparison["strategies"][strategy]
    verdict, found = inputs.verdict, []
    if strategy == inputs.recommended:
        found.append(h("span", "winner" if strategy == verdict.get("winner") else "recommended", class_="tag"))
    elif said := _against(inputs, strategy):
        found.append(h("span", said, class_="tag quiet"))
    if entry.get("learned") is False:
        found.append(h("span", "not surely learned", class_="tag warn"))
    if (entry.get("one_class") or 0) >= ONE:
        share = numbers.percent(entry["one_class"], 0)
        found.append(h("span", f"one class for {share} of the samples", class_="tag warn"))
    if (entry.get("over_budget") or 0) > OVER:
        found.append(h("span", f"{numbers.times(entry['over_budget'])} × the budget", class_="tag warn"))
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


def _constant(inputs: Inputs, metrics: list[str], own: list[str]) -> list[list[Cell]]:
    """The line of the answer that knows nothing."""
    found = inputs.comparison.get("constant") or {}
    if not found:
        return []
    shown = [view("metric", key, metrics[0], METRICS[key][1](found.get(key)), "span") for key in metrics]
    words = "the class shares of train" if inputs.metric.key == "nll" else f"always “{found['label']}”"
    return [[Cell(""), Cell(words, head=True), Cell(shown, classes="wide"),
             *(Cell(METRICS[key][1](found.get(key)), classes="number") for key in own)]]


def _skipped(inputs: Inputs) -> Html | None:
    found = inputs.comparison.get("skipped") or {}
    return h("ul", [h("li", str(one["sentence"])) for one in found.values()], class_="skipped") if found else None


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
        tip = f"{inputs.titles[strategy]}: {title} {text(mean)}, interval {span}, {len(dots[strategy])} seeds"
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
