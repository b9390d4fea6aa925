"""`reports/domains.html`: the page of `trivium domains`, which needs nothing else. It looks like the report."""

from __future__ import annotations

from pathlib import Path

from trivium.comparison.each_domain import EachDomain, One, Sides
from trivium.comparison.intervals import Span
from trivium.comparison.transfers import CONTINUED, REFERENCE, SCRATCH, TITLES, Transfer
from trivium.drawing import numbers
from trivium.machine import files
from trivium.report import html
from trivium.report.measures import heading, said, span, unit
from trivium.report.parts import Cell, Figure, Table
from trivium.tasks.metric import Metric

OUT = Path("reports/domains.html")


def write(root: Path, found: EachDomain) -> Path:
    """Write the page; returns where it is, from `root`."""
    files.write(root / OUT, render(found))
    return OUT


def render(found: EachDomain) -> str:
    """The page as text."""
    overview = {"table": _overview(found), "left": _left(found), "sure": numbers.percent(found.confidence, 0),
                "seeds": numbers.plural(found.seeds, "seed"), "by_chance": _by_chance(found)}
    pieces = [html.Piece("overview", "Each domain held out", "domains_overview.html", overview)]
    pieces += [html.Piece(f"domain{k}", f"{one.name} held out", "domains_one.html",
                          {"verdict": one.verdict, "sentence": one.sentence, "table": _strategies(one, found.metric),
                           "transfer": _transfer(one.transfer, found.metric) if one.transfer else []})
               for k, one in enumerate(found.domains, 1)]
    head = {"title": found.title, "lead": found.sentence, "rest": found.rest}
    return html.page(f"{found.title}, domains", "", "domains.html", head, pieces, "To the domains")


def _by_chance(found: EachDomain) -> str:
    """How many lines would say so if no domain were harder: half of what the intervals miss."""
    count = len(found.domains)
    return (f"If no domain were harder than the rest, about {count * (1 - found.confidence) / 2:.2g} of {count} would "
            "still clearly seem so by chance.")


def _overview(found: EachDomain) -> Table:
    """A line per domain: what the strategy gives that the other domains recommend."""
    rows = [[Cell(one.name, one.name, head=True), Cell(numbers.whole(one.n), one.n, classes="number"),
             Cell(one.chosen.title + ("" if one.recommended else " (the best; none is recommended)")),
             *_sides(one.chosen, found.metric)] for one in found.domains]
    return Table("Each domain held out", ["domain", "rows", "recommended inside", *_columns(found.metric)], rows,
                 sort=True)


def _strategies(one: One, metric: Metric) -> Table:
    rows = [[Cell(sides.title + (" (recommended)" if name == one.recommended else ""), sides.title, head=True),
             *_sides(sides, metric)] for name, sides in one.strategies.items()]
    return Table(f"Strategies with {one.name} held out", ["strategy", *_columns(metric)], rows, sort=True)


def _transfer(found: Transfer, metric: Metric) -> list[Figure]:
    """A line for each number of labels: what each way reaches, and how far the first one is ahead."""
    ways = [way for way in TITLES if way in found.levels[-1].ways]
    heads = [[Cell(f"{level.labels:,}", level.labels, head=True),
              Cell(numbers.whole(level.rows), level.rows, classes="number")] for level in found.levels]
    reached = [[*head, *(_value(metric, level.ways.get(way)) for way in ways)]
               for head, level in zip(heads, found.levels, strict=True)]
    ahead = [[*head, *(_difference(metric, level.ahead.get(way)) for way in ways[1:])]
             for head, level in zip(heads, found.levels, strict=True) if level.ahead]
    caption = (f"“{found.title}”, trained inside, goes on with a few labelled rows of the domain. Each way may spend "
               f"the budget of the comparison. Tested on {numbers.whole(found.test)} other rows of it, the same on "
               "each line. One label in five chooses weights. Tokenizers and the like are those of the other domains "
               "throughout.")
    columns = ["labels of a class", "rows"]
    figures = [Figure(Table(f"{heading(metric)} on the domain with a few labels of it",
                            [*columns, *(TITLES[way] for way in ways)], reached), caption,
                      "With a few labels of the domain")]
    if ahead:
        of = {SCRATCH: "ahead of scratch", REFERENCE: "ahead of the simple reference"}
        figures.append(Figure(Table(f"How far “{found.title}”, which goes on, is ahead",
                                    [*columns, *(f"{of[way]}, {unit(metric)}" for way in ways[1:])], ahead),
                              "Pair by pair, on the same rows.", f"How far “{found.title}” is ahead"))
    return figures


def _value(metric: Metric, value: Span | None) -> Cell:
    if value is None:
        return Cell(numbers.NONE, classes="number")
    reach = span(metric, value.low, value.high)
    return Cell(said(metric, value.mean), value.mean, classes="number strong", quiet=reach)


def _difference(metric: Metric, value: Span | None) -> Cell:
    if value is None:
        return Cell(numbers.NONE, classes="number")
    return Cell(metric.number(value.mean, True), value.mean, classes="number", quiet=_reach(value, metric))


def _columns(metric: Metric) -> list[str]:
    return [f"{heading(metric)} inside", "on the domain", f"lost, {unit(metric)}"]


def _sides(sides: Sides, metric: Metric) -> list[Cell]:
    return [_value(metric, sides.inside), _value(metric, sides.outside), _difference(metric, sides.drop)]


def _reach(value: Span, metric: Metric) -> str:
    return f"{metric.number(value.low, True)} to {metric.number(value.high, True)}"


def _left(found: EachDomain) -> Table | None:
    if not found.left:
        return None
    rows = [[Cell(one.name, head=True), Cell(numbers.whole(one.n), classes="number"), Cell(one.reason)]
            for one in found.left]
    return Table("Domains that were not held out", ["domain", "rows", "why not"], rows)


def summary(found: EachDomain) -> str:
    """For the terminal."""
    metric = found.metric
    width = max(len(one.name) for one in found.domains)
    lines = [f"{metric.words}, mean of {numbers.plural(found.seeds, 'seed')}, of what is recommended inside, or "
             "else the best",
             f"{'held out':{max(width, 8)}}  {'rows':>7} {'inside':>8} {'outside':>8} {'lost':>8}"]
    for one in found.domains:
        sides = one.chosen
        lines.append(f"{one.name:{max(width, 8)}}  {one.n:>7,} {metric.value(sides.inside.mean):>8} "
                     f"{metric.value(sides.outside.mean):>8} {metric.number(sides.drop.mean, True):>8}  {sides.title}")
    for one in found.domains:
        for level in one.transfer.levels if one.transfer else ():
            does = "goes on with them" if level.labels else "as it is"
            own = f"“{one.transfer.title}” {does}" if one.transfer else does
            ways = ", ".join(f"{own if way == CONTINUED else TITLES[way]} {metric.value(value.mean)}"
                             for way, value in level.ways.items())
            lines.append(f"{one.name}, {level.labels} labels of each class: {ways}")
    lines += [f"{one.name} was not held out: {one.reason}" for one in found.left]
    return "\n".join([*lines, "", found.sentence, found.rest])
