"""How fast exported models answer, how large they are, and what 8 bits change."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trivium.comparison.latency import PATH, ROWS, Graph, Graphs
from trivium.comparison.verdict import listed
from trivium.drawing import numbers
from trivium.drawing.charts import Mark, Point, scatter
from trivium.machine.measured import Latency, Timed
from trivium.report.inputs import Inputs
from trivium.report.measures import axis, heading, said, span, tick
from trivium.report.parts import Cell, Figure, Table, name
from trivium.report.prices import answered
from trivium.report.sections.cost import front


@dataclass(frozen=True)
class Context:
    """`refused`: a sentence per strategy that could not be exported, whole or in 8 bits."""

    lead: str
    picture: Figure | None
    table: Table
    refused: list[str]


def context(inputs: Inputs) -> Context | None:
    """None where nothing was timed on this machine."""
    timed, graphs = answered(inputs), (Graphs.found(inputs.root / PATH) or Graphs()).strategies
    known = [s for s in inputs.order if s in timed and s in graphs]
    if not known:
        return None
    points = [point for s in known if (point := _point(inputs, s, timed[s]))]
    refused = [f"“{inputs.titles[s]}” is not among them: {graphs[s].refused}"
               for s in inputs.order if s in graphs and graphs[s].refused]
    refused += [f"“{inputs.titles[s]}” has no copy of 8 bits: {graphs[s].small_refused}"
                for s in inputs.order if s in graphs and graphs[s].small_refused]
    return Context(_lead(inputs, points), _picture(inputs, points) if len(points) > 1 else None,
                   _table(inputs, known, timed, graphs), refused)


def _point(inputs: Inputs, strategy: str, timed: Latency) -> Point | None:
    one = timed.of(1)
    if one is None or one.p95_ms is None:
        return None
    found = inputs.comparison.strategies[strategy].metrics[inputs.metric.key]
    value = f"{said(inputs.metric, found.mean)} ({span(inputs.metric, found.low, found.high)})"
    tip = f"{inputs.titles[strategy]}: {inputs.metric.words} {value}, one row in {ms(one.p95_ms)} ms or less (p95)"
    return Point(inputs.titles[strategy], inputs.looks[strategy], one.p95_ms, found.mean, found.low, found.high, tip)


def _lead(inputs: Inputs, points: list[Point]) -> str:
    """Who is on the front, fastest first."""
    if len(points) < 2:
        return "What the exported model takes to answer, without torch."
    members = front(points, inputs.metric.higher)
    each = [f"“{p.name}” ({said(inputs.metric, p.y)}, one row in {ms(p.x)} ms)"
            for p in sorted(points, key=lambda p: p.x) if p.name in members]
    return f"On the frontier of {inputs.metric.words} and speed{' is only' if len(each) == 1 else ':'} {listed(each)}."


def _picture(inputs: Inputs, points: list[Point]) -> Figure:
    label = f"{inputs.metric.words} against the time of one answer"
    limit, xs = inputs.params.get("compare", {}).get("latency_ms"), [p.x for p in points]
    marks = [Mark(limit, f"limit {limit:g} ms", "x")] if limit and min(xs) <= limit <= max(xs) else []
    better = "Up" if inputs.metric.higher else "Down"
    return Figure(scatter(points, "one row (95 of 100 within)", "ms", axis(inputs.metric),
                          tick(inputs.metric), label, front(points, inputs.metric.higher), marks,
                          most=inputs.metric.highest),
                  caption=f"{better} is better, left is faster, on one thread. Ringed: nothing is better and as fast "
                          "(20 % apart counts as equal).")


def _table(inputs: Inputs, known: list[str], timed: dict[str, Latency], graphs: dict[str, Graph]) -> Table:
    threads = max(one.threads for s in known for one in timed[s].times)
    columns = ["model", heading(inputs.metric), "size", *(f"{numbers.plural(rows, 'row')}, ms" for rows in ROWS)]
    if threads > 1:
        columns.append(f"{ROWS[-1]} rows on {threads} threads, ms")
    rows = []
    for s in known:
        graph, one = graphs[s], timed[s]
        value = inputs.comparison.strategies[s].metrics[inputs.metric.key].mean
        many = [_times(one.of(ROWS[-1], threads))] if threads > 1 else []
        rows.append([Cell(name(inputs, s), inputs.titles[s], head=True),
                     Cell(said(inputs.metric, value), value, classes="number"),
                     Cell(numbers.memory(graph.bytes), graph.bytes, classes="number"),
                     *(_times(one.of(n)) for n in ROWS), *many,
                     Cell(numbers.seconds(one.start_seconds), one.start_seconds, classes="number"),
                     Cell(numbers.memory(one.peak_memory_bytes), one.peak_memory_bytes, classes="number")])
        if graph.small and one.small:
            small, titled = graph.small, name(inputs, s)
            change = f"{-small.loss:+.2g} {small.unit}".replace("-", "−") if small.loss else "the same"
            rows.append([Cell(replace(titled, title=f"{titled.title}, 8 bits"), f"{inputs.titles[s]}, 8", head=True),
                         Cell(change, value, classes="number"),
                         Cell(numbers.memory(small.bytes), small.bytes, classes="number"),
                         *(_times(one.of(n, small=True)) for n in ROWS),
                         *([Cell(numbers.NONE, classes="number")] * (len(many) + 2))])
    return Table("How fast exported models answer", [*columns, "start", "memory"], rows, sort=True)


def _times(timed: Timed | None) -> Cell:
    """The median, and the 95th and 99th percentile as far as they are known."""
    if timed is None:
        return Cell(numbers.NONE, classes="number")
    rest = [ms(value) for value in (timed.p95_ms, timed.p99_ms) if value is not None]
    return Cell(ms(timed.p50_ms), timed.p50_ms, classes="number", quiet=f"({', '.join(rest)})" if rest else "")


def ms(value: float) -> str:
    """Milliseconds in three digits."""
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"
