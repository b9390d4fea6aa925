"""Accuracy when only some modalities are there, for every subset."""

from __future__ import annotations

from trivium.drawing import numbers
from trivium.drawing.markup import Html, breakable, join
from trivium.report.inputs import Inputs
from trivium.report.parts import Cell, lead, name, note, table


def means(inputs: Inputs, strategy: str, key: str = "accuracy") -> dict[str, float]:
    """Per subset of modalities ("text+image"), the mean over seeds."""
    seeds = inputs.evaluations.get(strategy, {}).get("seeds") or []
    subsets = sorted({subset for seed in seeds for subset in seed.get("subsets") or {}})
    found = {
        subset: numbers.mean((seed.get("subsets") or {}).get(subset, {}).get(key) for seed in seeds)
        for subset in subsets
    }
    return {subset: value for subset, value in found.items() if value is not None}


def body(inputs: Inputs) -> Html | None:
    values = {strategy: means(inputs, strategy) for strategy in inputs.order}
    values = {strategy: found for strategy, found in values.items() if found}
    place = {modality: index for index, modality in enumerate(inputs.modalities)}
    subsets = sorted(
        {subset for found in values.values() for subset in found},
        key=lambda subset: (subset.count("+"), [place.get(m, 99) for m in subset.split("+")], subset),
    )
    if len(subsets) < 2:
        return None
    ceilings = inputs.world.get("bayes") or {}
    shown = [value for found in values.values() for value in found.values()]
    low, high = min(shown), max(shown)
    full = subsets[-1]
    rows = [
        [Cell(name(inputs, strategy), strategy, head=True)]
        + [
            Cell(
                numbers.percent(found.get(subset)),
                found.get(subset),
                classes="number",
                shade=(found[subset] - low) / (high - low or 1) if subset in found else None,
            )
            for subset in subsets
        ]
        for strategy, found in values.items()
    ]
    known = {subset: ceilings.get("all" if subset == full and "all" in ceilings else subset) for subset in subsets}
    foot = [[Cell("best possible", head=True)] + [Cell(numbers.percent(known[s]), classes="number") for s in subsets]]
    columns = [
        "strategy",
        *(breakable(subset if subset != full else f"all {len(inputs.modalities)}") for subset in subsets),
    ]
    return join(
        [
            lead(_lead(inputs, values.get(inputs.recommended) or next(iter(values.values())), full)),
            table(
                columns,
                rows,
                "Accuracy per subset of modalities",
                sort=True,
                classes="heat",
                foot=foot if any(value is not None for value in known.values()) else (),
            ),
            note(
                "Test accuracy, mean over seeds, when only the modalities in the heading are given to the same "
                "model; the stronger the colour, the higher. A fused model learns what to do without a modality from "
                "training samples that lack it and from nothing else; where none do, low figures are no surprise."
            ),
        ]
    )


def _lead(inputs: Inputs, found: dict[str, float], full: str) -> str:
    modalities = full.split("+")
    losses = {}
    for modality in modalities:
        rest = "+".join(other for other in modalities if other != modality)
        if rest in found and full in found:
            losses[modality] = found[full] - found[rest]
    if not losses:
        return "What is left of the accuracy when modalities are missing."
    worst = max(losses, key=lambda modality: (losses[modality], modality))
    least = min(losses, key=lambda modality: (losses[modality], modality))
    text = (
        f"Without {worst}, {inputs.recommended} falls from {numbers.percent(found[full])} to "
        f"{numbers.percent(found[full] - losses[worst])}"
    )
    return text + (
        f"; without {least} it still reaches {numbers.percent(found[full] - losses[least])}." if worst != least else "."
    )
