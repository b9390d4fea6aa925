"""What single answers rest on, in pictures, with the check whether the pictures can be believed.

Reads `attribution` of the seeds (see trivium.evaluation.attribution and pictures) and `reports/explained` (see
trivium.comparison.explained).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trivium.drawing import numbers
from trivium.drawing.markup import Html, h, join
from trivium.report.inputs import Inputs
from trivium.report.parts import Cell, figure, lead, name, note, table

KINDS = ("area", "rollout", "random")  # of deletion
REASONS = {"confident": "a confident right answer", "wrong": "a confident mistake", "same": "the same sample for all"}


def body(inputs: Inputs) -> Html | None:
    samples = _samples(inputs, inputs.shown)
    first = {item.get("why"): item for item in reversed(samples)}  # of each kind
    ordered = sorted(samples, key=lambda item: item not in first.values())
    own = [card for item in ordered if (card := _card(inputs, inputs.shown, item))]
    shown, rest = own[: len(first)], own[len(first) :]
    changed = _changed(inputs)
    others = [
        card
        for strategy in inputs.order
        for item in _samples(inputs, strategy)[-1:]
        if strategy != inputs.shown and item.get("why") == "same" and (card := _card(inputs, strategy, item))
    ]
    if not own and not others and not changed:
        return None
    fold = [h("summary", f"What the others make of one sample ({len(others)})"), h("div", others, class_="cards one")]
    looks = " Green: where the encoder looks (attention rollout)." if _attended(inputs) else ""
    return join(
        [
            lead(
                f"What answers of “{inputs.titles[inputs.shown]}” rest on: orange spoke for the answer, violet against "
                f"it (integrated gradients).{looks} Each panel has a scale of its own; the number above it says how "
                "much the stream counted, in nats (+0.69 doubles the probability of the answer)."
            ),
            h("div", shown, class_="cards one"),
            h(
                "details",
                h("summary", f"More answers of “{inputs.titles[inputs.shown]}” ({len(rest)})"),
                h("div", rest, class_="cards one"),
            )
            if rest
            else None,
            h("details", fold) if others else None,
            changed,
            _deletion(inputs),
        ]
    )


def _samples(inputs: Inputs, strategy: str) -> list[dict[str, Any]]:
    """Of the first seed: the one with pictures."""
    found = inputs.analyses(strategy, "attribution")
    return found[0].get("samples") or [] if found else []


def _card(inputs: Inputs, strategy: str, item: dict[str, Any]) -> Html | None:
    if not item.get("picture"):
        return None
    path = inputs.root / "reports/evaluate" / strategy / item["picture"]
    right = item["label"] == item["prediction"]
    said = f"{item['prediction']} with {numbers.percent(item['probability'], 0)}"
    picture = _picture(inputs, path, f"What the answer {said} to sample {item['sample']} rests on")
    if picture is None:
        return None
    return h(
        "article",
        h("p", "Answer ", h("b", said), " (right)" if right else f" (wrong: it is {item['label']})", class_="truth"),
        h("p", name(inputs, strategy)),
        picture,
        h("p", f"Sample {item['sample']}: {REASONS.get(item.get('why', ''), item.get('why', ''))}{_fusion(item)}",
          class_="note"),
        class_="card",
    )


def _fusion(item: dict[str, Any]) -> str:
    """What a fusion that attends gives to each stream, the most first."""
    found = sorted(item.get("attention", {}).items(), key=lambda pair: -pair[1])
    shares = [f"{stream} {numbers.percent(share, 0)}" for stream, share in found]
    return f". The fusion attends to {', '.join(shares)}." if shares else ""


def _picture(inputs: Inputs, path: Path, alt: str) -> Html | None:
    """In a box of its own, that scrolls where the page is too narrow to read it."""
    uri = inputs.media.drawing(str(path.absolute()))
    return h("div", h("img", src=uri, alt=alt, class_="wide"), class_="slide") if uri else None


def _changed(inputs: Inputs) -> Html | None:
    """The samples on which the strategies differ most, in the pictures that `compare` drew."""
    cards = []
    for item in inputs.json("reports/explained/explained.json").get("samples", []):
        answers = {name: item["strategies"][name] for name in inputs.order if name in item["strategies"]}
        said = ", ".join(f"{inputs.titles[name]}: {found['prediction']}" for name, found in answers.items())
        alt = f"What each strategy's answer to sample {item['sample']} rests on ({said})"
        picture = _picture(inputs, inputs.root / "reports/explained" / item["picture"], alt)
        if picture is None:
            continue
        truths = [found["truth"] for found in answers.values()]
        span = f"{numbers.percent(min(truths), 0)} to {numbers.percent(max(truths), 0)}"
        truth = h("p", "True label ", h("b", item["label"]), f": the strategies give it {span}", class_="truth")
        cards.append(h("article", truth, picture, h("p", f"Sample {item['sample']}", class_="note"), class_="card"))
    if not cards:
        return None
    first, rest = cards[:1], cards[1:]
    fold = [h("summary", f"More samples that changed ({len(rest)})"), h("div", rest, class_="cards one")]
    return join(
        [
            h("h3", "Most changed between strategies"),
            note("Test samples whose true label the strategies give the most different probabilities; a row for each."),
            h("div", first, class_="cards one"),
            h("details", fold) if rest else None,
        ]
    )


def _attended(inputs: Inputs) -> bool:
    found = (seed.get("deletion") or {} for name in inputs.order for seed in inputs.analyses(name, "attribution"))
    return any("rollout" in areas for deletion in found for areas in deletion.values())


def _deletion(inputs: Inputs) -> Html | None:
    rows = []
    for strategy in inputs.order:
        seeds = [seed.get("deletion") or {} for seed in inputs.analyses(strategy, "attribution")]
        row = [Cell(name(inputs, strategy), strategy, head=True)]
        for stream in inputs.streams:
            known = [seed[stream] for seed in seeds if stream in seed]
            area, looked, chance = (numbers.mean(seed.get(kind) for seed in known) for kind in KINDS)
            shown = [numbers.decimal(number, 2) for number in (area, looked, chance) if number is not None]
            text = " / ".join(shown) if area is not None else numbers.NONE
            row.append(Cell(text, area, classes="number"))
        if seeds:
            rows.append(row)
    if not rows:
        return None
    second = "what the encoder looks at most first, where it attends / " if _attended(inputs) else ""
    caption = (
        "Mean probability of the answer while more and more of the input is taken away: what spoke most for it first / "
        f"{second}in random order. Where the random order costs as much, the pictures should not be believed."
    )
    content = table(["strategy", *inputs.streams], rows, "Deletion", sort=True)
    return figure(content, caption, "Can the pictures be believed")
