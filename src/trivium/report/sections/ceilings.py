"""How far each strategy is from the best possible, and which stream it left unlearned.

The ceilings are known for generated data (`world.bayes`). What each encoder learned is read from
`comparison.json`'s `laziness` (see trivium.comparison.laziness.summary).
"""

from __future__ import annotations

from dataclasses import dataclass

from trivium.drawing import numbers
from trivium.drawing.charts import bar
from trivium.report.inputs import Inputs
from trivium.report.measures import said
from trivium.report.parts import Cell, Table, name, rests


@dataclass(frozen=True)
class Reached:
    """How far from the ceiling of generated data."""

    lead: str
    table: Table


@dataclass(frozen=True)
class Learned:
    """What each encoder learned; `sentence` and `rests` may be empty;  `target`: what a probe reads;  `words`: of the
    numbers.
    """

    sentence: str
    table: Table
    rests: str
    target: str
    words: str


@dataclass(frozen=True)
class Context:
    reached: Reached | None
    learned: Learned | None


def context(inputs: Inputs) -> Context | None:
    found = Context(_reached(inputs), _learned(inputs))
    return found if found.reached or found.learned else None


def _reached(inputs: Inputs) -> Reached | None:
    entries = inputs.comparison.strategies
    means = {s: entries[s].metrics["accuracy"].mean for s in inputs.order if "accuracy" in entries[s].metrics}
    if inputs.world is None or not means:
        return None
    bayes = inputs.world.bayes
    best = bayes["all"]
    alone = {stream: value for stream, value in bayes.items() if stream != "all"}
    parts = ", ".join(f"{stream} {numbers.percent(value)}" for stream, value in alone.items())
    rows = []
    for strategy, mean in means.items():
        beaten = [stream for stream, value in alone.items() if mean >= value]
        rows.append(
            [
                Cell(name(inputs, strategy), strategy, head=True),
                Cell(numbers.percent(mean), mean, classes="number",
                     bar=bar(mean / best, inputs.looks[strategy].classes)),
                Cell(numbers.points(mean - best), mean - best, classes="number"),
                Cell(", ".join(beaten) or "none", len(beaten)),
            ]
        )
    columns = ["strategy", "reached", "points from the ceiling", "above the ceiling of one stream alone"]
    return Reached(
        f"In the world “{inputs.world.name}” nobody can be right more often than {numbers.percent(best)} with all "
        "streams"
        + (f"; with one stream alone: {parts}." if parts else "."),
        Table("Distance from the best possible", columns, rows, sort=True),
    )


def _learned(inputs: Inputs) -> Learned | None:
    """The score of a probe per strategy and stream; the shade is the share of what training alone gained."""
    laziness = inputs.comparison.laziness
    found = {s: laziness.strategies[s] for s in inputs.order if laziness.strategies.get(s)} if laziness else {}
    if laziness is None or not found:
        return None
    probes = {m: [values[m] for values in found.values() if m in values] for m in inputs.streams}
    kinds = {
        "alone": {m: numbers.mean(probe.alone for probe in of) for m, of in probes.items()},
        "before": {m: numbers.mean(probe.before for probe in of) for m, of in probes.items()},
    }
    rows = []
    for strategy, values in found.items():
        row = [Cell(name(inputs, strategy), strategy, head=True)]
        for stream in inputs.streams:
            probe, gained = values.get(stream), None
            if probe and probe.before is not None and probe.alone is not None and probe.alone - probe.before > 0.01:
                gained = (probe.after - probe.before) / (probe.alone - probe.before)
            after = probe.after if probe else None
            row.append(Cell(said(inputs.score, after), after, shade=gained, classes="number"))
        rows.append(row)
    foot = [
        [Cell(label, head=True)] + [Cell(said(inputs.score, kinds[kind][m]), classes="number") for m in inputs.streams]
        for kind, label in (("alone", "trained alone"), ("before", "before any training"))
        if any(value is not None for value in kinds[kind].values())
    ]
    columns = ["strategy", *inputs.streams]
    table = Table("What each encoder learned", columns, rows, sort=True, classes="heat", foot=foot)
    return Learned(laziness.sentence, table, rests(inputs, "probes") or " on test samples",
                   inputs.task.target if inputs.task else "target", inputs.score.words)
