"""The table: every strategy with its metrics, its cost and its rank; and what each of them does."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from markupsafe import Markup

from trivium.comparison.out import Strategy
from trivium.comparison.recipes import published
from trivium.comparison.verdict import OVER
from trivium.drawing import numbers
from trivium.drawing.charts import interval
from trivium.drawing.scale import around
from trivium.report.inputs import Inputs
from trivium.report.measures import cell, heading, said, span
from trivium.report.parts import Cell, Name, Option, name
from trivium.report.prices import seconds
from trivium.report.sections.verdict import always, took
from trivium.tasks.metric import Metric
from trivium.training.records import Private

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
    entries, metrics = inputs.comparison.strategies, list(inputs.metrics.values())
    if not entries:
        return None
    spent = seconds(inputs)
    own = inputs.beside
    costs = ["compute", *(["time"] if spent else []), "parameters", "failed"]
    measured = [_measured(inputs, one) for one in metrics]
    rows = []
    for strategy in inputs.order:
        entry = entries[strategy]
        cells = [Cell(cell(one, mean), mean, classes="number")
                 for one in own for mean in [entry.metrics[one.key].mean]]
        cells += [_cost(key, entry, spent.get(strategy)) for key in costs]
        shown = [each[strategy] for each in measured]
        rows.append(
            Row(entry.rank, strategy, name(inputs, strategy), _tags(inputs, strategy), shown, cells)
        )
    return Context(
        _lead(inputs),
        [Option(one.key, one.words) for one in metrics],
        [heading(one) for one in own] + costs,
        rows,
        _constant(inputs, metrics, own),
        [one.sentence for one in inputs.comparison.skipped.values()],
        null(inputs),
        inputs.titles.get(inputs.recommended, ""),
        [Description(name(inputs, s), text) for s in inputs.order if (text := _what(inputs, s))],
    )


def _what(inputs: Inputs, strategy: str) -> str:
    """The first sentence of the strategy's file, what it starts from, what it took, and what was published."""
    entry = inputs.comparison.strategies[strategy]
    try:
        text = importlib.import_module(f"trivium.strategies.{entry.strategy}").__doc__ or ""
    except (ImportError, ValueError):
        return ""
    encoders = entry.recipe.encoders
    read = ", ".join(f"{stream} by {encoders[stream]}" for stream in inputs.streams if stream in encoders)
    said = [" ".join(text.strip().split("\n\n")[0].split())]
    said += [f"Recipe: {entry.start} ({read})."] if read else []
    said += [f"It took {chosen}."] if (chosen := took(entry)) else []
    if hidden := _private(inputs, strategy):
        said.append(f"Training was private: each seed spent an epsilon of {hidden.epsilon:.3g} at a delta of "
                    f"{hidden.delta:.0e}, counted by Opacus, of each single train row. Not counted are "
                    f"{'; '.join(hidden.besides)}.")
    return " ".join([*said, *published({strategy: entry.recipe}).values()])


def _private(inputs: Inputs, strategy: str) -> Private | None:
    """What was spent of the train rows' privacy, at the seed that spent most; None where training was not private."""
    found = [seed.private for seed in inputs.trained(strategy) if seed.private]
    return max(found, key=lambda one: one.epsilon, default=None)


def _lead(inputs: Inputs) -> str:
    share = inputs.comparison.settings.confidence
    dear = any(entry.over_budget > OVER for entry in inputs.comparison.strategies.values())
    trials = inputs.comparison.trials
    fixed = any(one.tuning and not one.tuning.trials for one in inputs.training.values())
    each = " (where there is anything to tune)" if fixed else ""
    tuned = f", {numbers.plural(trials, 'trial')} of tuning each{each}" if trials else ""
    dearer = " (what costs more is marked)" if dear else ""
    return (
        f"All strategies had the same data, the same paired seeds{tuned} and the same compute budget{dearer}. They are "
        f"ranked by {inputs.metric.words}. Intervals hold the true value in {numbers.percent(share, 0)} of repetitions."
    )


def null(inputs: Inputs) -> str:
    """What a strategy must surely beat to have learned anything."""
    found = inputs.comparison.constant
    if inputs.task is None:
        return "an answer that knows nothing of the inputs"
    return inputs.task.null_words(inputs.metric, found.label, found.metrics[inputs.metric.key])


def _tags(inputs: Inputs, strategy: str) -> list[Tag]:
    """What a reader must know before looking at the numbers."""
    entry, found = inputs.comparison.strategies[strategy], list[Tag]()
    if strategy == inputs.recommended:
        found.append(Tag("winner" if strategy == inputs.verdict.winner else "recommended"))
    elif said := _against(inputs, strategy):
        found.append(Tag(said, "quiet"))
    if not entry.learned:
        found.append(Tag("not surely learned", "warn"))
    if (entry.one_class or 0) >= ONE:
        share = numbers.percent(entry.one_class, 0)
        found.append(Tag(f"one class for {share} of the samples", "warn"))
    if hidden := _private(inputs, strategy):
        found.append(Tag(f"ε {hidden.epsilon:.3g}, δ {hidden.delta:.0e}", "quiet"))
    if entry.over_budget > OVER:
        found.append(Tag(f"{numbers.times(entry.over_budget)} × the budget", "warn"))
    return found


def _against(inputs: Inputs, strategy: str) -> str:
    """How a strategy stands to the recommended one, as the table of pairs says; empty where nothing is recommended."""
    both = {strategy, inputs.recommended}
    pair = next((pair for pair in inputs.comparison.pairs if {pair.a, pair.b} == both), None)
    if pair is None:
        return ""
    ahead = pair.a == strategy
    return {"better": "better" if ahead else "worse",
            "ahead": "ahead, not surely" if ahead else "behind, not surely"}.get(pair.verdict, "not told apart")


def _constant(inputs: Inputs, metrics: list[Metric], own: list[Metric]) -> Constant:
    found = inputs.comparison.constant.metrics
    shown = [Measured(one.key, found[one.key], said(one, found[one.key])) for one in metrics]
    return Constant(always(inputs), shown, [Cell(cell(one, found[one.key]), classes="number") for one in own])


def _measured(inputs: Inputs, metric: Metric) -> dict[str, Measured]:
    """Per strategy, all drawn on one scale."""
    entries, key = inputs.comparison.strategies, metric.key
    dots = {s: [seed[key] for _, seed in sorted(entries[s].seeds.items())] for s in inputs.order}
    spans = {s: entries[s].metrics[key] for s in inputs.order}
    scale = around([v for s, e in spans.items() for v in (e.mean, e.low, e.high, *dots[s])], 8, 172)
    found = dict[str, Measured]()
    for strategy, one in spans.items():
        mean, low, high = one.mean, one.low, one.high
        reach = span(metric, low, high)
        tip = (f"{inputs.titles[strategy]}: {metric.words} {said(metric, mean)}, interval {reach}, "
               f"{len(dots[strategy])} seeds")
        picture = interval(mean, low, high, dots[strategy], scale, inputs.looks[strategy], tip)
        found[strategy] = Measured(key, mean, said(metric, mean), reach, picture)
    return found


def _cost(key: str, entry: Strategy, spent: float | None) -> Cell:
    if key == "compute":
        return Cell(numbers.flops(entry.flops), entry.flops, classes="number")
    if key == "time":
        return Cell(numbers.seconds(spent), spent, classes="number")
    if key == "parameters":
        title = f"{numbers.whole(entry.parameters.trained)} of them are trained"
        return Cell(numbers.scaled(entry.parameters.total, ""), entry.parameters.total, classes="number", tip=title)
    return Cell(numbers.percent(entry.failed_share, 0), entry.failed_share, classes="number")
