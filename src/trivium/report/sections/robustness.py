"""What happens to the answers when inputs get worse or come from elsewhere. (Missing streams have a section of
their own.)

Reads `robustness` and `domains` of the comparison.
"""

from __future__ import annotations

from dataclasses import dataclass

from trivium.comparison.domain import Domains, Held, Within
from trivium.comparison.intervals import Span
from trivium.comparison.robustness import Curves, Robustness
from trivium.drawing import numbers
from trivium.drawing.charts import lines
from trivium.report.inputs import Inputs
from trivium.report.measures import amount, axis, capital, said, tick, unit
from trivium.report.parts import Cell, Figure, Switch, Table, breakable, curve, legend, name, rests, sentence
from trivium.tasks.metric import Metric

KINDS = (  # key, title, axis; `{}` is the stream, or the attack and the stream
    ("misalignment", "wrong partner: {}", "share of samples whose {} is another sample's"),
    ("shift", "{} starts later", "share of the clip"),
    ("attacks", "attack: {}", "largest change, in standard deviations"),
)

AXES = {"text": "share of words that are replaced"}  # of noise, by modality
MEASURED = ("corruption", "misalignment", "shift", "attacks")  # names in `rows` of a seed


@dataclass(frozen=True)
class Inside:
    """Inputs that get worse; `rests`: on how many samples."""

    lead: str
    legend: list[Switch]
    noise: list[Figure]
    summary: Figure | None
    others: list[Figure]
    rests: str


@dataclass(frozen=True)
class Elsewhere:
    """Inputs from other domains."""

    lead: str
    tables: list[Figure]


@dataclass(frozen=True)
class Context:
    inside: Inside | None
    elsewhere: Elsewhere | None


def context(inputs: Inputs) -> Context | None:
    found, domains = inputs.comparison.robustness, inputs.comparison.domains
    context = Context(_inside(inputs, found) if found else None, _elsewhere(inputs, domains) if domains else None)
    return context if context.inside or context.elsewhere else None


def _inside(inputs: Inputs, found: Robustness) -> Inside | None:
    corrupted = found.corruption
    axes = {stream: AXES.get(inputs.modality(stream), "share of {} that is noise") for stream in corrupted}
    noise = [chart for stream, below in axes.items()
             for chart in _charts(inputs, {stream: corrupted[stream]}, "noise on {}", below)]
    others = [chart for key, title, below in KINDS for chart in _charts(inputs, getattr(found, key), title, below)]
    summary = _summary(inputs, found)
    if not noise and not others and not summary:
        return None
    words = capital(inputs.score.words)
    lead = sentence(found.sentence or f"{words} as the inputs get worse, from clean on the left")
    where = rests(inputs, *MEASURED) or " on a part of the test set"
    return Inside(lead, legend(inputs, inputs.order), noise, summary, others, where)


def _charts(inputs: Inputs, curves: Curves, title: str, below: str) -> list[Figure]:
    """One chart per stream (or attack), a line per strategy."""
    charts, score = [], inputs.score
    for key, of in curves.items():
        series = [
            curve(inputs, strategy, [(one.level, one.score) for one in of[strategy]], score)
            for strategy in reversed(inputs.order) if of.get(strategy)
        ]
        label = below.format(key)
        if series:
            says = f"Test {score.words} against {label}"
            chart = lines(series, label, "", axis(score, "test"), tick(score), says, most=score.highest)
            charts.append(Figure(chart, title=sentence(title.format(key)).removesuffix(".")))
    return charts


def _summary(inputs: Inputs, found: Robustness) -> Figure | None:
    values = found.summary
    streams = [s for s in inputs.streams if any(s in of for of in values.values())]
    if not streams:
        return None
    known = any(one.effective is not None for of in values.values() for one in of.values())
    rows = []
    for strategy in inputs.order:
        row = [Cell(name(inputs, strategy), strategy, head=True)]
        for stream in streams:
            one = values.get(strategy, {}).get(stream)
            area, effective = (one.relative, one.effective) if one else (None, None)
            extra = f"({numbers.NONE if effective is None else inputs.score.number(effective, True)})" if known else ""
            row.append(Cell(said(inputs.score, area), area, classes="number", quiet=extra))
        rows.append(row)
    words = inputs.score.words
    caption = f"Relative robustness: mean {words} from clean to nothing but noise (area under the curve)."
    if known:
        caption += (
            f" In brackets, effective robustness, in {amount(inputs.score)}, summed over all strengths of noise: above "
            f"zero, {words} falls less than that of "
            f"“{inputs.titles.get(found.reference or '', '')}”, whatever it is without noise."
        )
    return Figure(Table("Robustness in numbers", ["strategy", *streams], rows, sort=True), caption)


def _elsewhere(inputs: Inputs, found: Domains) -> Elsewhere | None:
    away = found.held_out
    tables = [made for made in (_held_out(inputs, away) if away else None, _domains(inputs, found.by)) if made]
    return Elsewhere(away.sentence if away else "", tables) if tables else None


def _held_out(inputs: Inputs, found: Held) -> Figure | None:
    """The metric that ranks on the domain that no strategy learned from, and by how much it is worse than on the test
    set.
    """
    rows, metric = [], inputs.metric
    words = capital(metric.words)
    for strategy in [known for known in inputs.order if known in found.strategies]:
        away, drop = found.strategies[strategy].value, found.strategies[strategy].drop
        home = away.mean + (drop.mean if metric.higher else -drop.mean)
        rows.append(
            [
                Cell(name(inputs, strategy), strategy, head=True),
                Cell(said(metric, home), home, classes="number"),
                _interval(metric, away, said(metric, away.mean)),
                _interval(metric, drop, metric.number(drop.mean)),
            ]
        )
    if not rows:
        return None
    caption = (
        f"{words} on {found.name} ({numbers.plural(found.n, 'sample')}), a domain that nothing was trained or tuned "
        "on, with its interval; the test set is of the other domains."
    )
    columns = ["strategy", "test set", breakable(found.name), f"lost, {unit(metric)}"]
    return Figure(Table(f"{words} on the held-out domain", columns, rows, sort=True), caption, "The held-out domain")


def _interval(metric: Metric, found: Span, shown: str) -> Cell:
    reach = f"({metric.number(found.low)} to {metric.number(found.high)})"
    return Cell(shown, found.mean, classes="number", quiet=reach)


def _domains(inputs: Inputs, by: dict[str, Within]) -> Figure | None:
    """The score per domain of the test set; the stronger the colour, the higher."""
    means = {domain: {s: one.mean for s, one in of.score.items()} for domain, of in by.items()}
    shown = [value for of in means.values() for value in of.values()]
    if not shown:
        return None
    low, high = min(shown), max(shown)
    rows = []
    for strategy in inputs.order:
        row = [Cell(name(inputs, strategy), strategy, head=True)]
        for of in means.values():
            value = of.get(strategy)
            shade = None if value is None else (value - low) / (high - low or 1)
            row.append(Cell(said(inputs.score, value), value, shade, "number"))
        rows.append(row)
    sizes = ", ".join(f"{domain} {numbers.whole(of.n)}" for domain, of in by.items())
    caption = (
        f"Test {inputs.score.words} per domain, mean over seeds; the stronger the colour, the higher. Samples in the "
        f"test set of a seed: {sizes}."
    )
    columns = ["strategy", *(breakable(domain) for domain in by)]
    table = Table(f"{capital(inputs.score.words)} per domain", columns, rows, sort=True, classes="heat")
    return Figure(table, caption, "Domains of the test set")
