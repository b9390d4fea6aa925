"""What met what in time, and how far the clocks of streams are apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from trivium.data.timeline import PATH, Recording, Timeline
from trivium.drawing import numbers
from trivium.drawing.timeline import timeline
from trivium.report.inputs import Inputs
from trivium.report.parts import Cell, Figure, Table, sentence

DAY = 86_400.0  # seconds


@dataclass(frozen=True)
class Context:
    """notes: how recordings were cut, and a sentence for each offset of a clock"""

    lead: str
    counts: Figure
    notes: list[str]
    figures: list[Figure]


def context(inputs: Inputs) -> Context | None:
    clock = Timeline.found(inputs.root / PATH)
    if clock is None:
        return None
    rows = [[Cell(name, head=True), Cell(numbers.whole(one.rows), classes="number"),
             Cell(numbers.whole(one.matched), classes="number"), Cell(f"{one.offset:+.3f} s", classes="number")]
            for name, one in clock.streams.items()]
    rows.sort(key=lambda row: inputs.streams.index(str(row[0].content)) if row[0].content in inputs.streams else -1)
    counts = Figure(Table("Rows of each stream that were matched", ["stream", "rows", "matched", "moved by"], rows))
    figures = [_drawn(one, clock) for one in clock.recordings if any(line.pieces for line in one.lines)]
    notes = [sentence(one.said) for one in (clock.cut, *clock.offsets) if one]
    return Context(_lead(clock), counts, notes, figures)


def _lead(clock: Timeline) -> str:
    """How many samples met something, and what became of the others."""
    said = f"{numbers.whole(clock.samples)} {'ticks of the clock' if clock.ticks else 'samples'} met something in time"
    said += f", and {numbers.whole(clock.alone)} met nothing" * bool(clock.alone)
    where = "in data/aligned/unaligned.parquet, with its time."
    if not clock.cut or not clock.cut.across:
        return f"{said}. What nothing took up stands {where}"
    reach = ("1 more did, but reaches into the next stretch of its recording and is" if clock.cut.across == 1 else
             f"{numbers.whole(clock.cut.across)} more did, but reach into the next stretch of their recording and are")
    return f"{said}. {reach} left out. What nothing took up, and what is left out, stands {where}"


def _drawn(recording: Recording, clock: Timeline) -> Figure:
    dates = clock.dates
    lines = [(line.name, line.pieces) for line in recording.lines]
    ends = [time for _, pieces in lines for first, last, _ in pieces for time in (first, last)]
    long = max(ends) - min(ends) > DAY
    picture = timeline(lines, (_day if long else _time) if dates else _seconds, f"What was matched in {recording.key}")
    since = f" It begins on {datetime.fromtimestamp(min(ends), UTC):%Y-%m-%d at %H:%M:%S} (UTC)." if dates else ""
    left = ", or it is a sample that reaches into the next stretch" * bool(clock.cut and clock.cut.across)
    return Figure(picture, f"Filled: matched. Outlined with dashes: nothing took it up{left}.{since}",
                  f"Recording {recording.key}", wide=True)


def _seconds(value: float) -> str:
    return f"{value:.1f} s"


def _time(value: float) -> str:
    return datetime.fromtimestamp(value, UTC).strftime("%H:%M:%S")


def _day(value: float) -> str:
    return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d")
