"""What single answers rest on, in pictures, with the check whether the pictures can be believed.

Reads `attribution` of the seeds (see trivium.evaluation.attribution and pictures) and `reports/explained` (see
trivium.comparison.explained).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from trivium.comparison.attribution import Attribution, Gain
from trivium.comparison.explained import Changed, Compared
from trivium.comparison.verdict import listed
from trivium.drawing import numbers
from trivium.evaluation.answers import Answer
from trivium.evaluation.metrics import Sample
from trivium.report.inputs import Inputs
from trivium.report.parts import Cell, Figure, Name, Table, name

REASONS = {"confident": "one of its surest right answers", "wrong": "one of its surest mistakes",
           "same": "the same sample for all", "closest": "among the closest answers",
           "furthest": "among those furthest off"}


@dataclass(frozen=True)
class Picture:
    """A data URI, and what it shows in words."""

    uri: str
    alt: str


@dataclass(frozen=True)
class Card:
    """One answer: `before`, `said` and `after` are one sentence; `name`: who gave it, None where it was all."""

    before: str
    said: str
    after: str
    name: Name | None
    picture: Picture
    note: str


@dataclass(frozen=True)
class Context:
    """`strategy`: the one whose answers are `shown` and in the `rest`;  `others`: what the others make of one sample;
    `changed`: where they differ most, of `among` samples;  `believed`, `deletion`: whether taking inputs away says the
    same;  `adds`: how far attributions add up;  `attended`: whether any encoder shows where it looks;  `single`:
    whether an answer is one class, which has a probability.
    """

    strategy: str
    shown: list[Card]
    rest: list[Card]
    others: list[Card]
    changed: list[Card]
    among: int
    believed: str
    deletion: list[Figure]
    adds: str
    attended: bool
    single: bool


def context(inputs: Inputs) -> Context | None:
    samples = _samples(inputs, inputs.shown)
    first = {item.why: item for item in reversed(samples)}  # of each kind
    ordered = sorted(samples, key=lambda item: item not in first.values())
    own = [card for item in ordered if (card := _card(inputs, inputs.shown, item))]
    compared = Compared.found(inputs.root / "reports/explained/explained.json")
    changed = _changed(inputs, compared.samples if compared else [])
    others = [card for strategy, item in _same(inputs).items() if (card := _card(inputs, strategy, item))]
    if not own and not others and not changed:
        return None
    shown, rest = own[: len(first)], own[len(first) :]
    strategy, single = inputs.titles[inputs.shown], inputs.task is not None and inputs.task.categorical
    among, found = compared.among if compared else 0, inputs.comparison.attribution
    return Context(strategy, shown, rest, others, changed, among, found.sentence if found else "",
                   _deletion(inputs, found), _adds(inputs, found), _attended(inputs), single)


def _samples(inputs: Inputs, strategy: str) -> list[Sample]:
    """Of the first seed: the one with pictures."""
    seeds = inputs.seeds(strategy)
    return seeds[0].attribution.samples if seeds else []


def _same(inputs: Inputs) -> dict[str, Sample]:
    """Of each strategy but the one shown, its answer to one sample that all of them explain: which one stands for all
    may be among the surest answers of some.
    """
    each = {s: found for s in inputs.order
            if s != inputs.shown and (found := {item.sample: item for item in _samples(inputs, s)})}
    first = next((sample for found in each.values() for sample, item in reversed(found.items())
                  if item.why == "same" and all(sample in other for other in each.values())), None)
    return {s: found[first].model_copy(update={"why": "same"}) for s, found in each.items()} if first else {}


def _card(inputs: Inputs, strategy: str, item: Sample) -> Card | None:
    if item.picture is None:
        return None
    path = inputs.root / "reports/evaluate" / strategy / item.picture
    single = inputs.task is not None and inputs.task.categorical
    said = item.prediction + (f" with {numbers.percent(item.support, 0)}" if single else "")
    picture = _picture(inputs, path, f"What the answer {said} to sample {item.sample} rests on")
    if picture is None:
        return None
    wrong = f"(wrong: it is {item.label})" if single else f"(in truth {item.label})"
    after = "(right)" if item.label == item.prediction else wrong
    note = f"Sample {item.sample}: {REASONS.get(item.why, item.why)}{_fusion(item)}"
    return Card("Answer", said, f" {after}", name(inputs, strategy), picture, note)


def _fusion(item: Sample) -> str:
    """What a fusion that attends to streams, or weighs them, gives to each, the most first."""
    found = sorted((item.attention or {}).items(), key=lambda pair: -pair[1])
    shares = [f"{stream} {numbers.percent(share, 0)}" for stream, share in found]
    return f". The fusion’s shares: {', '.join(shares)}." if shares else ""


def _picture(inputs: Inputs, path: Path, alt: str) -> Picture | None:
    uri = inputs.media.drawing(str(path.absolute()))
    return Picture(uri, alt) if uri else None


def _changed(inputs: Inputs, samples: list[Changed]) -> list[Card]:
    """The samples on which the strategies differ most, in the pictures that `compare` drew."""
    cards = []
    for item in samples:
        answers = {name: item.strategies[name] for name in inputs.order if name in item.strategies}
        said = ", ".join(f"{inputs.titles[name]}: {found.prediction}" for name, found in answers.items())
        alt = f"What each strategy's answer to sample {item.sample} rests on ({said})"
        picture = _picture(inputs, inputs.root / "reports/explained" / item.picture, alt)
        if picture is None:
            continue
        target = inputs.task.target if inputs.task else "target"
        cards.append(Card(f"True {target}", item.label, _answered(inputs, answers), None, picture,
                          f"Sample {item.sample}"))
    return cards


def _answered(inputs: Inputs, answers: dict[str, Answer]) -> str:
    """What the strategies make of a sample: how probable they call its class, or what each of them says."""
    if inputs.task is None or not inputs.task.categorical:
        return f": the strategies say {listed(list(dict.fromkeys(found.prediction for found in answers.values())))}"
    truths = [found.truth for found in answers.values()]
    return f": the strategies give it {numbers.percent(min(truths), 0)} to {numbers.percent(max(truths), 0)}"


def _attended(inputs: Inputs) -> bool:
    return any(areas.rollout is not None for name in inputs.order for seed in inputs.seeds(name)
               for areas in seed.attribution.deletion.values())


def _deletion(inputs: Inputs, found: Attribution | None) -> list[Figure]:
    """A table for each way to say what counts: by how much its order is better than a random one."""
    figures = []
    for way, title, none in (
        ("area", "What spoke most, taken away first", "nothing can be said of the stream's inputs"),
        ("rollout", "What is looked at most, taken away first",
         "the encoder of the stream does not show where it looks"),
    ):
        gains = found.gains[way] if found else {}
        rows = [[Cell(name(inputs, strategy), strategy, head=True),
                 *(_gain(gains.get(strategy, {}).get(stream)) for stream in inputs.streams)]
                for strategy in inputs.order if strategy in (found.gains["area"] if found else {})]
        if not rows:
            continue
        if not gains:
            told = Markup(f"<p class=note>No encoder shows where it looks: {numbers.NONE}</p>")
            figures.append(Figure(told, title=title))
            continue
        caption = (
            "By how much the area under the curve of the answer's support, 0-1, is smaller than in random order: the "
            "more, the sooner the answer is lost. Mean over seeds with its interval; ✓ surely better than the random "
            f"order (Holm's correction over the table). A dash: {none}."
        )
        figures.append(Figure(Table(title, ["strategy", *inputs.streams], rows, sort=True), caption, title))
    return figures


def _gain(found: Gain | None) -> Cell:
    if found is None:
        return Cell(numbers.NONE)
    reach = "" if found.span is None else (
        f"({numbers.decimal(found.span.low, 2, True)} to {numbers.decimal(found.span.high, 2, True)})")
    tip = f"area {numbers.decimal(found.area, 2)}, in random order {numbers.decimal(found.random, 2)}"
    return Cell(numbers.decimal(found.by, 2, True) + (" ✓" if found.better else ""), found.by, classes="number",
                tip=tip, quiet=reach)


def _adds(inputs: Inputs, found: Attribution | None) -> str:
    if found is None or not found.rest:
        return ""
    missed = [f"{numbers.percent(rest, 0)} ({stream})" for stream in inputs.streams
              if (rest := found.rest.get(stream)) is not None]
    return ("The attributions of a stream's inputs must add up to what the stream counts; over all strategies they "
            f"miss {listed(missed)} of it.")
