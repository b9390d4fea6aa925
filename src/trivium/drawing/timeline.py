"""Lines of time, one below the other: what lies when, and which of it is marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from trivium.drawing.svg import tag

WIDTH, LEFT, ROW, BAR = 900, 110, 26, 14  # pixels
LEAST = 1.5  # pixels of a moment
LETTERS = 15  # of a name
TICKS = 5


def timeline(lines: Sequence[tuple[str, Sequence[tuple[float, float, bool]]]], words: Callable[[float], str],
             label: str) -> Markup:
    """lines: a name and its pieces: from, to (seconds), whether it counts, which is drawn filled, else as an outline
    words: of a time, in a few letters
    """
    ends = [end for _, pieces in lines for first, last, _ in pieces for end in (first, last)]
    low, high = min(ends), max(ends)
    span = high - low or 1.0

    def x(time: float) -> float:
        return LEFT + (WIDTH - LEFT - 12) * (time - low) / span

    bottom = ROW * len(lines) + 4
    drawn = []
    for k, (name, pieces) in enumerate(lines):
        middle = ROW * k + ROW / 2
        drawn.append(tag("text", name if len(name) <= LETTERS else name[: LETTERS - 1] + "\N{HORIZONTAL ELLIPSIS}",
                         x=LEFT - 8, y=middle + 4, text_anchor="end"))
        drawn.append(tag("line", x1=LEFT, x2=WIDTH - 12, y1=middle, y2=middle, stroke="currentColor",
                         stroke_opacity="0.15"))
        for first, last, counts in pieces:
            drawn.append(tag(
                "rect", tag("title", f"{words(first)} to {words(last)}" + ("" if counts else ": unmatched")),
                x=x(first), y=middle - BAR / 2, width=max(LEAST, x(last) - x(first)), height=BAR, rx=1.5,
                class_="met" if counts else "unmet"))
    for k in range(TICKS):
        at = low + span * k / (TICKS - 1)
        anchor = "start" if k == 0 else "end" if k == TICKS - 1 else "middle"
        drawn.append(tag("line", x1=x(at), x2=x(at), y1=bottom, y2=bottom + 4, stroke="currentColor"))
        drawn.append(tag("text", words(at), x=x(at), y=bottom + 18, text_anchor=anchor))
    return tag("svg", drawn, viewBox=f"0 0 {WIDTH} {bottom + 24}", role="img", aria_label=label, class_="chart",
               font_size=12, fill="currentColor")
