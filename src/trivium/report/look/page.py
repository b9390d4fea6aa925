"""`reports/look.html`: the data before anything is trained, on one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trivium.data import placeholders
from trivium.data.timeline import cut_of
from trivium.drawing import numbers
from trivium.machine import files
from trivium.report import html
from trivium.report.look import classes, price, quarantine, streams, twins
from trivium.report.look.price import Price
from trivium.report.look.seen import Seen
from trivium.report.look.twins import Card
from trivium.report.parts import Figure, sentence

OUT = Path("reports/look.html")
MEDIA = 1_700_000  # bytes of pictures and sounds


@dataclass(frozen=True)
class Shown:
    """A section. lead: sentences;  notes: after figures and cards, with code in backticks."""

    key: str
    title: str
    lead: Sequence[str]
    figures: Sequence[Figure] = ()
    cards: Sequence[Card] = ()
    notes: Sequence[str] = ()


def write(root: Path, cost: Price | None = None) -> tuple[Path, str]:
    """Write the page; returns where it is, from `root`, and what a terminal shows."""
    seen = Seen(root, MEDIA)
    sections = _sections(seen, cost)
    pieces = [html.Piece(one.key, one.title, "look_part.html", vars(one)) for one in sections
              if one.lead or one.figures or one.cards]
    validation = quarantine.of(seen)
    if validation:
        found = {"validation": validation}
        pieces.append(html.Piece("quarantine", "What was set aside", "look_quarantine.html", found))
    head = {"title": seen.meta.title, "lead": _lead(seen), "points": stands_out(seen)}
    page = html.page(f"{seen.meta.title or 'The data'}, before training", "", "look.html", head, pieces, "To the data")
    files.write(root / OUT, page)
    return OUT, _terminal(seen, cost)


def _sections(seen: Seen, cost: Price | None) -> list[Shown]:
    counted, alike = classes.table(seen), twins.leaks(seen)
    last = price.last(seen.root)
    told = [cost.said] if cost else [
        "How long a run will take, and how much memory, is not measured yet: `trivium look --time` does it, and runs "
        "the stages `preprocess` and `budget` first."]
    return [
        Shown("streams", "The streams", [], [one for one in (streams.there(seen), streams.sizes(seen),
                                                             streams.spoken(seen)) if one]),
        Shown("targets", "What is to be told", [], [counted] if counted else []),
        Shown("examples", "A few samples", ["Of rows that models learn from."], cards=classes.examples(seen)),
        Shown("missing", "What is missing", missing(seen), [one for one in (streams.patterns(seen),
                                                                            streams.by_class(seen)) if one]),
        Shown("placeholders", "Placeholders", [], cards=twins.placeholders(seen), notes=[
            "A value that rows of different labels share, far more than any other. It keeps no rows together. "
            + ("Rows do without it, as `validate.placeholders: missing` says." if seen.meta.placeholders else
               "Set `validate.placeholders: missing`, and rows do without it.")]),
        Shown("twins", "The same thing twice", [twins.said(seen)], [alike] if alike else [], twins.examples(seen)),
        Shown("price", "What a run takes", told, [*(cost.figures if cost else []), *([last] if last else [])]),
    ]


def _lead(seen: Seen) -> str:
    several = f", in {len(seen.task.categories)} {seen.task.category[1]}" if seen.task.categories else ""
    return f"{numbers.plural(seen.rows, 'sample')} with {', '.join(seen.streams)}{several}"


def missing(seen: Seen) -> list[str]:
    lacking = seen.rows - seen.present.sum(0)
    said = [f"{count:,} of {seen.rows:,} samples have no {stream}." for stream, count in
            zip(seen.streams, lacking.tolist(), strict=True) if count]
    return said or ["No sample lacks any stream."]


def stands_out(seen: Seen) -> list[str]:
    """Sentences about what one should know before anything is trained."""
    found = [f"{placeholders.said(one)}." for one in seen.validation.get("placeholders") or []]
    found += seen.validation.get("warnings") or []
    found += seen.splits.get("warnings") or []
    cut = None if "time" in seen.splits else seen.meta.cut or cut_of(seen.root)
    found += [one for one in (classes.uneven(seen), *streams.tells(seen), *_leaks(seen), cut.said if cut else "")
              if one]
    return [sentence(one) for one in dict.fromkeys(found)]


def _leaks(seen: Seen) -> list[str]:
    from trivium.data import leaks
    from trivium.modalities import is_written

    if seen.leaks is None:
        return []
    return leaks.said(seen.leaks, [s for s in seen.streams if not is_written(seen.modality(s))])


def _terminal(seen: Seen, cost: Price | None) -> str:
    lines = [f"{_lead(seen)}: {seen.meta.title}" if seen.meta.title else _lead(seen), ""]
    width = max(map(len, seen.streams))
    measures = seen.validation.get("measures") or {}
    for k, stream in enumerate(seen.streams):
        spans = [_span(span, streams.MEASURES.get(name, name)) for name, span in measures.get(stream, {}).items()
                 if name != "sample_rate"]
        lines.append(f"  {stream:<{width}}  {seen.modality(stream)}, {int(seen.present[:, k].sum()):,} samples"
                     + (f", {'; '.join(spans)}" if spans else ""))
    counts = classes.tally(seen)
    if len(counts):
        each = "Classes" if seen.task.categorical else seen.task.category[1].capitalize()
        few, many = counts.min(), counts.max()
        lines += ["", f"{each} have {f'{few:,} to {many:,} rows' if few < many else f'{many:,} rows each'}."]
    validation = quarantine.of(seen)
    lines += ["", *([validation.sentence] if validation else []), twins.said(seen)]
    if odd := stands_out(seen):
        lines += ["", *(f"! {one}" for one in odd)]
    lines += ["", *(cost.lines if cost else ["How long will a run take, and how much memory? `trivium look --time`"]),
              f"All of it, with examples: {OUT}"]
    return "\n".join(lines)


def _span(span: Mapping[str, float], unit: str) -> str:
    if span["min"] == span["max"]:
        return f"{span['min']:,g} {unit}"
    return f"{span['min']:,g} to {span['max']:,g} {unit} (median {span['median']:,g})"
