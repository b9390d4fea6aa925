"""`reports/update.html`: one page on one update, in the look of the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trivium.comparison.intervals import Span
from trivium.comparison.updates import Update
from trivium.drawing import numbers
from trivium.machine import files
from trivium.report import html
from trivium.report.measures import heading, said, span
from trivium.report.parts import Cell, Table
from trivium.report.sections.verdict import LONG, Fact
from trivium.tasks.metric import Metric

OUT = "reports/update.html"


@dataclass(frozen=True)
class Context:
    """chip: what sort of answer it is.  ways, gaps: tables."""

    title: str
    chip: str
    update: bool
    answer: str
    long: bool
    reason: str
    notes: list[str]
    facts: list[Fact]
    ways: Table
    gaps: Table


def write(root: Path, found: Update) -> None:
    files.write(root / OUT, render(found))


def render(found: Update) -> str:
    """The page as text."""
    about = vars(context(found))
    pieces = [html.Piece("ways", "What does each way give?", "update_ways.html", about),
              html.Piece("sure", "How sure is that?", "update_sure.html", about)]
    return html.page(f"Update {found.name}", found.digest, "update.html", about, pieces)


def context(found: Update) -> Context:
    metric, update = Metric.of(found.metric), found.chosen != "leave"
    facts = [Fact("model", f"{found.title} ({found.parent}), {numbers.plural(found.seeds, 'seed')}"),
             Fact("new rows, per seed", f"{numbers.whole(found.rows.train)} train, {numbers.whole(found.rows.val)} "
                  f"validation, {numbers.whole(found.rows.test)} test; {numbers.whole(found.rows.quarantined)} in "
                  "quarantine"),
             Fact("old rows, per seed", f"{numbers.whole(found.rows.old_train)} train, "
                  f"{numbers.whole(found.rows.old_test)} test"),
             Fact("manifest", f"{found.manifest}, digest {found.digest[:12]}")]
    if found.further:
        facts.append(Fact("new classes", ", ".join(found.further)))
    if found.model:
        version = f", version {found.version} in MLflow" if found.version else ""
        facts.append(Fact("its model", found.model + version + (f", from version {found.before}" if found.before
                                                                else "")))
    return Context(
        title=found.manifest, chip="update" if update else "no update", update=update, answer=found.sentence,
        long=len(found.sentence) > LONG, reason=found.reason, notes=found.notes, facts=facts,
        ways=Table("Each way on old and new test rows", ["", "old rows", "new rows", "both", "forgetting", "FLOPs",
                                                         "saved"], [_row(found, name, metric) for name in found.ways]),
        gaps=Table(f"Differences of {heading(metric)} on both", ["better", "than", "by", "wins", "p (Holm)", ""],
                   [[Cell(found.ways[gap.a].title, head=True), Cell(found.ways[gap.b].title),
                     _cell(metric, gap.difference, sign=True),
                     Cell(numbers.percent(gap.outperform, 0), classes="number"),
                     Cell(numbers.p_value(gap.p_holm), classes="number"),
                     Cell("surely" if gap.beats else "")]
                    for gap in found.gaps]))


def _row(found: Update, name: str, metric: Metric) -> list[Cell]:
    way = found.ways[name]
    return [Cell(way.title + (" (recommended)" if name == found.chosen else ""), head=True),
            *(_cell(metric, one) for one in (way.old, way.new, way.both)), _cell(metric, way.forgetting, sign=True),
            Cell(numbers.flops(way.flops), classes="number"), Cell(numbers.percent(way.saved, 0), classes="number")]


def _cell(metric: Metric, value: Span, sign: bool = False) -> Cell:
    if sign:
        return Cell(metric.number(value.mean, sign=True), classes="number",
                    quiet=f"{metric.number(value.low, sign=True)} to {metric.number(value.high, sign=True)}")
    return Cell(said(metric, value.mean), classes="number", quiet=span(metric, value.low, value.high))


def summary(found: Update) -> str:
    """For the terminal."""
    metric = Metric.of(found.metric)
    width = max(len(way.title) for way in found.ways.values())
    lines = [f"{found.manifest}: {found.rows.train:.0f} new train rows, {found.rows.quarantined} in quarantine; "
             f"{metric.words} on test rows, mean of {found.seeds} seeds",
             f"{'':{width}}  {'old':>9} {'new':>9} {'both':>9} {'forgotten':>9} {'saved':>6}"]
    for way in found.ways.values():
        values = [metric.value(one.mean) for one in (way.old, way.new, way.both)]
        lines.append(f"{way.title:{width}}  {' '.join(f'{value:>9}' for value in values)} "
                     f"{metric.number(way.forgetting.mean, sign=True):>9} {way.saved:>6.0%}")
    lines += ["", f"{found.sentence} {found.reason}", *found.notes]
    if found.model:
        version = f", version {found.version} of trivium in MLflow" if found.version else ""
        lines.append(f"The model is in {found.model}{version}: `trivium predict updates/{found.name} new-rows.csv`.")
    return "\n".join(lines)

