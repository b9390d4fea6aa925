"""Placeholders, the same values and leaks, as a look and the report show them."""

from __future__ import annotations

from dataclasses import dataclass

from trivium.data.leaks import Leak
from trivium.data.timeline import cut_of
from trivium.drawing import numbers
from trivium.modalities import is_written
from trivium.report.look.seen import Seen
from trivium.report.parts import Cell, Figure, Table
from trivium.report.sample import Medium

SIDE = 96  # pixels of a thumbnail


@dataclass(frozen=True)
class Card:
    """A value, or two that are alike, and what is said of it."""

    title: str
    media: list[Medium]
    note: str


def placeholders(seen: Seen) -> list[Card]:
    cards = []
    for one in seen.validation.get("placeholders") or []:
        classes = ", ".join(f"{name} {count:,}" for name, count in one["classes"])
        more = f" and {one['of'] - len(one['classes'])} more" if one["of"] > len(one["classes"]) else ""
        shown = [value(seen, one["stream"], one["value"])]
        cards.append(Card(f"{one['rows']:,} rows have this {one['stream']}", shown,
                          f"{one['value'][:80]}. Rows of each label: {classes}{more}."))
    return cards


def value(seen: Seen, stream: str, cell: str) -> Medium:
    """One value of a stream."""
    modality = seen.modality(stream)
    if modality == "image" and (uri := seen.media.image(cell, SIDE)):
        return Medium("image", uri, f"{stream} {cell}")
    if modality == "series" and (uri := seen.media.series(cell)):
        return Medium("image", uri, f"{stream} {cell}")
    if modality == "video" and (uri := seen.media.film(cell)):
        return Medium("image", uri, f"{stream} {cell}")
    if modality == "audio" and (uri := seen.media.audio(cell)):
        return Medium("audio", uri, f"{stream} {cell}")
    return Medium("text", cell)


def leaks(seen: Seen) -> Figure | None:
    """How many test rows have a twin in train, per stream."""
    found = seen.leaks
    if found is None or not found.seeds:
        return None
    given = {one.stream: one for one in found.given}
    rows = []
    for k, first in enumerate(found.seeds[0]):
        most = max(seed[k].rows for seed in found.seeds)
        own = given.get(first.stream)
        rows.append([Cell(first.stream, head=True),
                     *([Cell(_said(own) if own else "–", classes="number")] if given else []),
                     Cell(_said(first), classes="number"), Cell(numbers.whole(most), classes="number")])
    kind = "the same value, or nearly the same," if found.near else "the same value"
    caption = (f"Test rows that have {kind} as a row that models learn from. "
               + ("The split column is shown as the data has it; rows that it tears apart are then left out of train. "
                  if given else "")
               + "Where most texts repeat, as labels and captions do, twins of a text say little; a picture or a sound "
               "that is known is a leak. "
               f"{numbers.whole(found.whole[0])} test rows of seed 0 have a twin for all that they have."
               + ("" if found.near else " Near-duplicates are looked for with `split.near_duplicates: true`.")
               + "".join(f" {one}" for one in nearly(seen)))
    heads = ["stream", *(["given split"] if given else []), "seed 0", "most of any seed"]
    return Figure(Table("Twins across the split", heads, rows), caption, "Test rows with a twin in train",
                  wide=True)


def _said(leak: Leak) -> str:
    share = f" ({numbers.percent(leak.rows / leak.of)})" if leak.of else ""
    return f"{leak.rows:,} of {leak.of:,}{share}"


def examples(seen: Seen) -> list[Card]:
    """Of near-duplicates, three per stream; of twins across the split, too, where media or a given split have them."""
    if seen.leaks is None:
        return []
    cards = [Card(f"{one.stream}, nearly the same", [value(seen, one.stream, pair.one_value),
                                                     value(seen, one.stream, pair.other_value)],
                  f"Samples {pair.one} and {pair.other}.")
             for one in seen.leaks.nearly or () for pair in one.examples]
    for of, found in (("given split", seen.leaks.given), ("seed 0", next(iter(seen.leaks.seeds), []))):
        for leak in found:
            if is_written(seen.modality(leak.stream)) and of == "seed 0":
                continue
            cards += [Card(f"{leak.stream}, {of}", [value(seen, leak.stream, one.test_value),
                                                   value(seen, leak.stream, one.train_value)],
                           f"Test row {one.test}, train row {one.train}.") for one in leak.examples]
    return cards


def said(seen: Seen) -> str:
    """About rows that are kept together."""
    found = seen.validation.get("duplicates") or {}
    groups = (seen.splits.get("groups") or {}).get("count", seen.rows)
    apart = f"In all, {groups:,} groups are split."
    if cut := cut_of(seen.root):  # of one file are all samples, and on all sides
        return " ".join([f"Recordings are cut into {cut.stretches:,} stretches, each on one side of every split.",
                         *nearly(seen), apart])
    if not found.get("samples"):
        return " ".join(["No sample shares content with another.", *nearly(seen), apart])
    return " ".join([f"{found['samples']:,} samples share content with another, in "
                     f"{numbers.plural(found['groups'], 'group')}: they stay on one side of every split.",
                     *nearly(seen), apart])


def nearly(seen: Seen) -> list[str]:
    """About near-duplicates, a sentence per stream that has some."""
    return [f"Near-duplicates in {one.stream} keep {numbers.plural(one.samples, 'sample')} on one side: "
            + ", ".join(f"`{pair.one}` like `{pair.other}`" for pair in one.examples)
            + (", ..." if one.samples > 2 * len(one.examples) else "") + "."
            for one in (seen.leaks.nearly if seen.leaks else None) or ()]
