"""Predictions against what is true, as one cloud of points with the diagonal and the band of the intervals."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from trivium.drawing import numbers
from trivium.drawing.charts import WIDTH
from trivium.drawing.looks import Look
from trivium.drawing.scale import Scale, around
from trivium.drawing.svg import tag

SIDE = 340  # height; both axes have the same scale, so that the diagonal is one
LEFT, BOTTOM = 58, 44


def agreement(true: Sequence[float], predicted: Sequence[float], inside: Sequence[bool], half: float, look: Look,
              unit: str, label: str) -> Markup:
    """Dots inside their interval, crosses outside of it; half: half the width of the band, 0 for none."""
    ends = around([*true, *predicted], 0, 1)
    x = Scale(ends.low, ends.high, LEFT, WIDTH - 12)
    y = Scale(ends.low, ends.high, SIDE - BOTTOM, 26)
    dots = "".join(f"M{x(t):.1f} {y(p):.1f}h0" for t, p, fits in zip(true, predicted, inside, strict=True) if fits)
    crosses = "".join(f"M{x(t) - 3:.1f} {y(p) - 3:.1f}l6 6m-6 0l6-6"
                      for t, p, fits in zip(true, predicted, inside, strict=True) if not fits)
    return tag(
        "svg",
        _frame(x, y, unit),
        _band(x, y, half) if half else None,
        tag("path", class_="diagonal", d=f"M{x(x.low):.1f} {y(y.low):.1f}L{x(x.high):.1f} {y(y.high):.1f}"),
        tag("g", tag("path", class_="dots", d=dots) if dots else None,
            tag("path", class_="crosses", d=crosses) if crosses else None, class_=look.classes),
        class_="chart",
        viewBox=f"0 0 {WIDTH} {SIDE}",
        role="img",
        aria_label=label,
    )


def _band(x: Scale, y: Scale, half: float) -> Markup:
    """Around the diagonal, cut at the frame: where a prediction would be whose interval holds the truth."""
    low, high = x.low, x.high
    half = min(half, high - low)
    corners = [(low, low), (low, low + half), (high - half, high), (high, high), (high, high - half), (low + half, low)]
    return tag("path", class_="interval-band", d="M" + "L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in corners) + "Z")


def _frame(x: Scale, y: Scale, unit: str) -> list[Markup]:
    bottom, behind = SIDE - BOTTOM, f", {unit}" if unit else ""
    parts = []
    for at in y.ticks(5):
        parts.append(tag("path", class_="grid", d=f"M{x.start:g} {y(at):.1f}H{x.end:g}"))
        parts.append(tag("text", numbers.plain(at), class_="tick", x=x.start - 6, y=y(at) + 4, text_anchor="end"))
    for at in x.ticks(5):
        parts.append(tag("path", class_="grid", d=f"M{x(at):.1f} {bottom}v4"))
        parts.append(tag("text", numbers.plain(at), class_="tick", x=x(at), y=bottom + 17, text_anchor="middle"))
    parts.append(tag("path", class_="axis", d=f"M{x.start:g} {bottom}H{x.end:g}"))
    parts.append(tag("text", f"predicted{behind}", class_="label", x=4, y=15))
    parts.append(tag("text", f"true{behind}", class_="label", x=x.end, y=SIDE - 6, text_anchor="end"))
    return parts
