"""How far each strategy is from the best possible, and which stream it left unlearned.

The ceilings are known for generated data (`world.bayes`). What each encoder learned is read from
`comparison.json`'s `laziness` (see trivium.comparison.laziness.summary).
"""

from __future__ import annotations

from trivium.drawing import numbers
from trivium.drawing.charts import bar
from trivium.drawing.markup import Html, h, join
from trivium.report.inputs import Inputs
from trivium.report.parts import Cell, figure, lead, name, rests, table


def body(inputs: Inputs) -> Html | None:
    return join([_reached(inputs), _laziness(inputs)]) or None


def _reached(inputs: Inputs) -> Html | None:
    bayes = {key: value for key, value in (inputs.world.get("bayes") or {}).items() if numbers.known(value)}
    entries = inputs.comparison.get("strategies", {})
    means = {
        s: entries[s]["accuracy"]["mean"]
        for s in inputs.order
        if (entries[s].get("accuracy") or {}).get("mean") is not None
    }
    if "all" not in bayes or not means:
        return None
    best = bayes["all"]
    alone = {stream: value for stream, value in bayes.items() if stream != "all"}
    parts = ", ".join(f"{stream} {numbers.percent(value)}" for stream, value in alone.items())
    world = f"In the world “{inputs.world['name']}”" if inputs.world.get("name") else "On this data"
    rows = []
    for strategy, mean in means.items():
        beaten = [stream for stream, value in alone.items() if mean >= value]
        rows.append(
            [
                Cell(name(inputs, strategy), strategy, head=True),
                Cell([numbers.percent(mean), bar(mean / best, inputs.looks[strategy].classes)], mean, classes="number"),
                Cell(numbers.points(mean - best), mean - best, classes="number"),
                Cell(", ".join(beaten) or "none", len(beaten)),
            ]
        )
    return join(
        [
            lead(
                f"{world} nobody can be right more often than {numbers.percent(best)} with all streams"
                + (f", nor than this with one alone: {parts}." if parts else ".")
            ),
            table(
                ["strategy", "reached", "points from the ceiling", "above the ceiling of one stream alone"],
                rows,
                "Distance from the best possible",
                sort=True,
            ),
        ]
    )


def _laziness(inputs: Inputs) -> Html | None:
    """Accuracy of a probe per strategy and stream; the shade is the share of what training alone gained."""
    laziness = inputs.comparison.get("laziness") or {}
    found = {s: values for s in inputs.order if (values := (laziness.get("strategies") or {}).get(s))}
    if not found:
        return None
    kinds = {
        kind: {m: numbers.mean(values.get(m, {}).get(kind) for values in found.values()) for m in inputs.streams}
        for kind in ("before", "alone")
    }
    rows = []
    for strategy, values in found.items():
        row = [Cell(name(inputs, strategy), strategy, head=True)]
        for stream in inputs.streams:
            after, before, alone = (values.get(stream, {}).get(kind) for kind in ("after", "before", "alone"))
            gained = None
            if numbers.known(after) and numbers.known(before) and numbers.known(alone) and alone - before > 0.01:
                gained = (after - before) / (alone - before)
            row.append(Cell(numbers.percent(after), after, shade=gained, classes="number"))
        rows.append(row)
    foot = [
        [Cell(label, head=True)] + [Cell(numbers.percent(kinds[kind][m]), classes="number") for m in inputs.streams]
        for kind, label in (("alone", "trained alone"), ("before", "before any training"))
        if any(value is not None for value in kinds[kind].values())
    ]
    columns = ["strategy", *inputs.streams]
    content = table(columns, rows, "What each encoder learned", sort=True, classes="heat", foot=foot)
    caption = (
        f"How well a linear probe, tested{rests(inputs, 'probes') or ' on test samples'}, reads the label off one "
        "encoder once the model is trained. A weak colour: the encoder learned much less than the same one trained "
        "alone."
    )
    said = str(laziness.get("sentence") or "")
    return figure(join([h("p", said) if said else None, content]), caption, "Which stream was left unlearned")
