"""The data card: what the data is, how much of it there is, a few samples of it, and what validation set aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from trivium.comparison.verdict import listed
from trivium.data import chronology, tables
from trivium.data.readings import columns, warnings
from trivium.data.timeline import cut_of
from trivium.drawing import numbers
from trivium.drawing.charts import bar
from trivium.report import targets
from trivium.report.inputs import Inputs
from trivium.report.look import quarantine, streams, twins
from trivium.report.look.quarantine import Validation
from trivium.report.look.seen import Seen
from trivium.report.markdown import render
from trivium.report.measures import capital
from trivium.report.parts import Cell, Figure, Table, sentence
from trivium.report.sample import Medium, media

EXAMPLES = 3
MOST = 24  # reasons and rows in a table


@dataclass(frozen=True)
class Example:
    sample: str
    label: str
    media: list[Medium]


@dataclass(frozen=True)
class Counted:
    """How much there is; `targets`: how many have which; `few`: the streams and the splits, in as far as they are
    known;  `target`: what the truth of an example is called.
    """

    lead: str
    targets: list[Figure]
    few: list[Figure]
    examples: list[Example]
    target: str


@dataclass(frozen=True)
class Context:
    """`card`: what the source says of itself, as markup; empty where it says nothing."""

    counted: Counted | None
    card: Markup
    validation: Validation | None


def context(inputs: Inputs) -> Context | None:
    meta = inputs.meta
    card = meta.card if meta and meta.source != "manifest" else ""  # of a manifest, the lead says all of it
    context = Context(_counted(inputs), render(card) if card else Markup(""), quarantine.of(inputs))
    return context if context.counted or context.card or context.validation else None


def _counted(inputs: Inputs) -> Counted | None:
    counts = targets.count(inputs)
    if counts is None:
        return None
    few = [_presence(inputs, counts), _splits(inputs), *_columns(inputs), *_looked(inputs)]
    return Counted(_lead(inputs, counts), targets.pictures(counts), [one for one in few if one],
                   _examples(inputs, counts), capital(counts.task.target))


def _lead(inputs: Inputs, counts: targets.Counts) -> str:
    streams = list(counts.present)
    named = f"{', '.join(streams[:-1])} and {streams[-1]}" if len(streams) > 1 else "".join(streams)
    return f"{numbers.whole(len(counts.y))} samples with {named}, {targets.words(counts)}" + (
        f": {inputs.meta.title}." if inputs.meta and inputs.meta.title else "."
    )


def _presence(inputs: Inputs, counts: targets.Counts) -> Figure | None:
    if not counts.present:
        return None
    whole = len(counts.y)
    rows = [
        [
            Cell(stream, head=True),
            Cell(numbers.percent(count / whole), classes="number"),
            Cell(bar=bar(count / whole)),
        ]
        for stream, count in counts.present.items()
    ]
    caption = " ".join(sentence(words) for words in warnings(inputs.root))
    return Figure(Table("Share of samples that have each stream", ["stream", "present", ""], rows), caption, "Streams")


def _looked(inputs: Inputs) -> list[Figure]:
    """What `trivium look` says of the same outs: how large values are, which streams are there together, and leaks."""
    if not (inputs.root / "reports/leaks.json").exists():
        return []
    seen = Seen(inputs.root)
    return [one for one in (streams.sizes(seen), streams.patterns(seen), twins.leaks(seen)) if one]


def _columns(inputs: Inputs) -> list[Figure]:
    """What the columns of each stream of tables were taken for."""
    figures = []
    for stream, about in columns(inputs.root).items():
        rows = [
            [
                Cell(one["column"], head=True),
                Cell(one["type"]),
                Cell(numbers.whole(one["values"]), classes="number"),
                Cell(numbers.percent(one["missing"]), classes="number"),
            ]
            for one in about["columns"][:MOST]
        ]
        left = len(about["columns"]) - len(rows)
        caption = "By the rows that the first seed learns from." + (f" {left} more are not shown." if left else "")
        title = f"Columns of {stream}"
        figures.append(Figure(Table(title, ["column", "taken for", "values", "missing"], rows), caption, title))
    return figures


def _splits(inputs: Inputs) -> Figure | None:
    """Mean number of samples per split over seeds, with what was odd about the splits."""
    found = inputs.json("data/splits/splits.json")
    seeds = [seed["counts"] for seed in found.get("seeds") or []]
    means = {split: numbers.mean(seed.get(split) for seed in seeds) for split in tables.SPLITS}
    shown = {split: mean for split, mean in means.items() if mean}
    if not shown:
        return None
    rows = [
        [Cell(split, head=True), Cell(numbers.whole(mean), classes="number"), Cell(bar=bar(mean / sum(shown.values())))]
        for split, mean in shown.items()
    ]
    time = [_by_time(chronology.Time.model_validate(found["time"]))] if "time" in found else []
    caption = " ".join(["Mean over seeds.", *(time or _cut(inputs)), *_without(inputs, found.get("unlabelled") or 0),
                        *map(sentence, found.get("warnings") or [])])
    return Figure(Table("Samples per split", ["split", "samples", ""], rows), caption, "Splits")


def _cut(inputs: Inputs) -> list[str]:
    """That what is split are stretches of recordings, and what figures are then worth."""
    cut = cut_of(inputs.root) or (inputs.meta.cut if inputs.meta else None)
    return [sentence(cut.said)] if cut else []


def _by_time(found: chronology.Time) -> str:
    """When the splits are, and how far apart."""
    spans = [f"{split} is from {found.first[split]} to {found.last[split]}" for split in tables.SPLITS[:3]]
    later = f"{found.later:,.4g} days" if found.dates else f"{found.later:,.15g}"
    return (f"The splits follow time, the same for every seed: {listed(spans)}. Test is {later} later than train, by "
            "their medians.")


def _without(inputs: Inputs, count: int) -> list[str]:
    """What is said of rows that came without a label, and who reads them."""
    if not count:
        return []
    used = {one.start: one.recipe.objectives for one in inputs.comparison.strategies.values()} if (
        inputs.comparison) else {}
    readers = [f"`{name}`" for name, objectives in used.items() if set(objectives) - {"supervised"}]
    who = f"of the recipes here, {listed(readers)} read{'s' * (len(readers) == 1)} them" if readers else (
        "no recipe here reads them")
    return [f"{numbers.plural(count, 'row')} came without a label: {who}."]


def _examples(inputs: Inputs, counts: targets.Counts) -> list[Example]:
    """The first sample of targets that are far apart."""
    strata = counts.task.strata(counts.y)
    kinds = np.unique(strata)
    names = [counts.samples[int(np.argmax(strata == one))].as_py()
             for one in kinds[:: max(1, len(kinds) // EXAMPLES)][:EXAMPLES]]
    rows = inputs.rows(names)
    return [Example(name, rows[name]["truth"], media(inputs, rows[name])) for name in names if name in rows]
