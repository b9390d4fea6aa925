"""How far each strategy is from the best possible, and which modality it left unlearned.

The ceilings are known for generated data (`meta.json`'s `world.bayes`). Laziness is read from `comparison.json`:
    "laziness": {"sentence": "...", "strategies": {strategy: {modality: {"alone", "before", "after"}}}}  (accuracies, 0-1:
    of that modality trained alone, and of a linear probe on its encoder before and after joint training)
"""

from __future__ import annotations

from typing import Any

from trivium.report import numbers
from trivium.report.charts import bar
from trivium.report.inputs import Inputs
from trivium.report.markup import Html, join
from trivium.report.parts import Cell, figure, lead, name, sentence, table


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
    alone = {modality: value for modality, value in bayes.items() if modality != "all"}
    parts = ", ".join(f"{modality} {numbers.percent(value)}" for modality, value in alone.items())
    world = f"In the world “{inputs.world['name']}”" if inputs.world.get("name") else "On this data"
    rows = []
    for strategy, mean in means.items():
        beaten = [modality for modality, value in alone.items() if mean >= value]
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
                f"{world} nobody can be right more often than {numbers.percent(best)} with all modalities"
                + (f", nor than this with one alone: {parts}." if parts else ".")
            ),
            table(
                ["strategy", "reached", "points from the ceiling", "above the ceiling of one modality alone"],
                rows,
                "Distance from the best possible",
                sort=True,
            ),
        ]
    )


def _laziness(inputs: Inputs) -> Html | None:
    found: dict[str, Any] = inputs.comparison.get("laziness") or {}
    rows = []
    for strategy in inputs.order:
        for modality, probe in sorted((found.get("strategies") or {}).get(strategy, {}).items()):
            alone, after = probe.get("alone"), probe.get("after")
            gap = after - alone if numbers.known(alone) and numbers.known(after) else None
            rows.append(
                [Cell(name(inputs, strategy), strategy, head=True), Cell(modality, modality)]
                + [
                    Cell(numbers.percent(probe.get(key)), probe.get(key), classes="number")
                    for key in ("alone", "before", "after")
                ]
                + [Cell(numbers.points(gap), gap, classes="number")]
            )
    if not rows:
        return None
    columns = ["strategy", "modality", "trained alone", "probe before", "probe after", "points left unlearned"]
    said = sentence(str(found.get("sentence") or "")) or None
    return figure(
        join([lead(said) if said else None, table(columns, rows, "What each encoder learned", sort=True)]),
        "A linear probe reads the label off one encoder, before and after joint training. Far below the same "
        "modality trained alone, the strategy left it unlearned.",
        "Which modality was left unlearned",
    )
