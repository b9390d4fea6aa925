"""What each stream gives to the answer, and what the encoders found in all of them together.

Reads, when they are there:
    `contribution` of every seed (see trivium.evaluation.contribution): Shapley values
    `comparison.json`: `information` (see trivium.comparison.information.summary): bits, pairs, sentence, training
"""

from __future__ import annotations

from dataclasses import dataclass

from trivium.comparison.information import Information
from trivium.comparison.words import Shared
from trivium.drawing import numbers
from trivium.drawing.charts import bar
from trivium.evaluation.metrics import Contribution
from trivium.report.inputs import Inputs
from trivium.report.measures import amount, capital
from trivium.report.parts import Cell, Figure, Table, breakable, name, rests, sentence
from trivium.report.results import ordered
from trivium.tasks.metric import Metric

MOST = 24  # classes, tags or other parts of the samples in the table


@dataclass(frozen=True)
class Context:
    lead: str
    pictures: list[Figure]


def context(inputs: Inputs) -> Context | None:
    information = inputs.comparison.information
    made = [_shapley(inputs), _per_part(inputs)]
    if information:
        made += [_bits(inputs, information), _encoders(information), _pairs(information.pairs)]
    pictures = [picture for picture in made if picture]
    if not pictures:
        return None
    said = [sentence(one) for one in (information.sentence, information.training) if one] if information else []
    return Context(" ".join(said), pictures)


def shapley(inputs: Inputs, strategy: str) -> dict[str, list[float]]:
    """Contribution to the score per stream, one value per seed whose model reads the stream."""
    found = [seed.score for seed in contributed(inputs, strategy)]
    values = {stream: [seed[stream] for seed in found if stream in seed] for stream in inputs.streams}
    return {stream: known for stream, known in values.items() if known}


def contributed(inputs: Inputs, strategy: str) -> list[Contribution]:
    """Of every seed, score and parts less the streams that its model does not read."""
    return [seed.contribution.model_copy(update={
        "score": _kept(seed.contribution.score, seen),
        "parts": {part: _kept(of, seen) for part, of in seed.contribution.parts.items()}})
        for seed, seen in zip(inputs.seeds(strategy), inputs.read.get(strategy, []), strict=True)]


def _kept(values: dict[str, float], seen: set[str]) -> dict[str, float]:
    return {stream: value for stream, value in values.items() if stream in seen}


def _shapley(inputs: Inputs) -> Figure | None:
    values = {strategy: found for strategy in inputs.order if (found := shapley(inputs, strategy))}
    if not values:
        return None
    highest = max(numbers.mean(known) or 0 for found in values.values() for known in found.values()) or 1
    rows = [
        [Cell(name(inputs, s), s, head=True),
         *(_amount(inputs.score, found.get(m) or [], highest) for m in inputs.streams)]
        for s, found in values.items()
    ]
    caption = (
        f"{capital(amount(inputs.score))} that a stream brings{rests(inputs, 'contribution')}, averaged over every "
        "order in which the streams could join (Shapley value) and over the seeds whose model reads it; an absent "
        "stream is that of another sample. A dash: no model of the strategy reads the stream."
    )
    return Figure(Table("Contributions", ["strategy", *inputs.streams], rows, sort=True), caption, "Contribution")


def _amount(score: Metric, seeds: list[float], highest: float) -> Cell:
    mean = numbers.mean(seeds)
    if mean is None:
        return Cell(numbers.NONE)
    tip = f"seeds: {score.number(min(seeds), True)} to {score.number(max(seeds), True)}"
    return Cell(score.number(mean, True), mean, classes="number", tip=tip, bar=bar(mean / highest))


def _per_part(inputs: Inputs) -> Figure | None:
    if inputs.task is None:
        return None
    found, score = [seed.parts for seed in contributed(inputs, inputs.shown)], inputs.score
    one, several = inputs.task.part
    parts = ordered(inputs, [part for seed in found for part in seed])
    values = {part: {m: numbers.mean(seed.get(part, {}).get(m) for seed in found) for m in inputs.streams}
              for part in parts}
    shown = [part for part in parts if any(v is not None for v in values[part].values())][:MOST]
    if not shown:
        return None
    highest = max(v for part in shown for v in values[part].values() if v is not None) or 1
    rows = [
        [Cell(part, part if inputs.task.categories else parts.index(part), head=True)]
        + [Cell(numbers.NONE if v is None else score.number(v, True), v, classes="number",
                shade=v / highest if v is not None else None) for v in values[part].values()]
        for part in shown
    ]
    content = Table(f"Contribution per {one}", [one, *inputs.streams], rows, sort=True, classes="heat")
    caption = f"{capital(amount(score))} per {one}, for “{inputs.titles[inputs.shown]}”."
    if len(parts) > len(shown):
        caption += f" The first {len(shown)} of {len(parts)} {several}."
    return Figure(content, caption, f"Contribution per {one}")


def _bits(inputs: Inputs, information: Information) -> Figure | None:
    bits = {subset: value.mean for subset, value in information.bits.items()}
    if not bits:
        return None
    truth = inputs.world.bits if inputs.world else {}
    highest = max([information.entropy, *bits.values(), *truth.values()]) or 1
    rows = []
    for subset in sorted(bits, key=lambda subset: (subset.count("+"), subset)):
        everything = subset.count("+") + 1 == len(inputs.streams) > 1
        known = truth.get("all" if everything else subset)
        row = [
            Cell(breakable(subset), subset, head=True),
            Cell(numbers.decimal(bits[subset], 2), bits[subset], classes="number", bar=bar(bits[subset] / highest)),
        ]
        rows.append(row + ([Cell(numbers.decimal(known, 2), known, classes="number")] if truth else []))
    where, itself = rests(inputs, "information"), f"the label itself has {numbers.decimal(information.entropy, 2)} bits"
    caption = (  # a few samples have other shares of the classes, so fewer bits, than there are
        "What the streams tell about the label, in bits, as far as the encoders at hand could find out."
        + (f" Measured{where} per seed, in which {itself}." if where else f" {capital(itself)}.")
    )
    columns = ["streams", "bits found", *(["bits there are"] if truth else [])]
    return Figure(Table("Information about the label", columns, rows, sort=True), caption, "Information")


def _encoders(information: Information) -> Figure | None:
    """Where several encoders read a stream: what is found in a stream depends on who reads it."""
    found = {stream: of for stream, of in information.encoders.items() if len(of) > 1}
    if not found:
        return None
    highest = max(bits or 0 for of in found.values() for bits in of.values()) or 1
    rows = [
        [
            Cell(stream, stream, head=True),
            Cell(encoder, encoder, classes="mono"),
            Cell(numbers.decimal(bits, 2), bits, classes="number",
                 bar=bar(bits / highest) if bits is not None else None),
        ]
        for stream, of in found.items()
        for encoder, bits in of.items()
    ]
    caption = (
        "The best that any strategy found in a stream with each encoder that reads it. A dash: not measured, since no "
        "strategy with that encoder reads the stream on every seed."
    )
    return Figure(Table("Bits by encoder", ["stream", "encoder", "bits found"], rows, sort=True), caption, "By encoder")


def _pairs(pairs: dict[str, Shared]) -> Figure | None:
    if all(pair.redundant is None for pair in pairs.values()):  # too many classes to tell
        return None
    found = []
    for key, pair in sorted(pairs.items()):
        a, b = key.split("+")
        unique = pair.unique or {}
        parts = [pair.redundant, unique.get(a), unique.get(b), pair.synergistic]
        found.append((f"{a} and {b}", parts))
    highest = max((part or 0) for _, parts in found for part in parts) or 1
    rows = [
        [Cell(label, label, head=True)]
        + [
            Cell(numbers.decimal(part, 2), part, classes="number",
                 bar=bar(part / highest) if part is not None else None)
            for part in parts
        ]
        for label, parts in found
    ]
    caption = (
        "Bits about the label that were found in both streams, that one alone carries, and that appear only when both "
        "are read together (partial information decomposition)."
    )
    columns = ["pair", "both know", "only the first", "only the second", "only together"]
    content = Table("Information by pair", columns, rows, sort=True)
    return Figure(content, caption, "Shared, unique, together", wide=True)
