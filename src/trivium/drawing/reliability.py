"""Confidence against the share that was right, in a small square."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from trivium.drawing.charts import marker, path
from trivium.drawing.looks import Look
from trivium.drawing.scale import Scale
from trivium.drawing.svg import tag


def reliability(bins: Sequence[tuple[float, float, float]], look: Look, label: str, stated: str = "confidence",
                true: str = "right") -> Markup:
    """Confidence against the share that was right; bins of (confidence, share right, share of the samples).

    stated, true: what the two are called.
    """
    side, counted = 200, "samples" if true == "right" else "answers"
    x, y = Scale(0, 1, 38, side - 8), Scale(0, 1, side - 40, 10)
    grid = [
        tag("path", class_="grid", d=f"M{x(0):.1f} {y(t):.1f}H{x(1):.1f}M{x(t):.1f} {y(0):.1f}V{y(1):.1f}")
        for t in (0, 0.5, 1)
    ]
    words = [
        tag("text", f"{t:.0%}", class_="tick", x=x(t), y=y(0) + 16, text_anchor="end" if t == 1 else "middle")
        for t in (0, 0.5, 1)
    ]
    words += [tag("text", f"{t:.0%}", class_="tick", x=x(0) - 5, y=y(t) + 4, text_anchor="end") for t in (0.5, 1)]
    words.append(tag("text", stated, class_="tick", x=x(0.5), y=side - 8, text_anchor="middle"))
    dots = [
        marker(
            look,
            x(c),
            y(a),
            2.5 + 7 * share**0.5,
            f"{stated} {c:.0%}: {true} {a:.0%} of the time ({share:.0%} of the {counted})",
        )
        for c, a, share in bins
    ]
    line = tag("path", class_="line", d=path([x(c) for c, _, _ in bins], [y(a) for _, a, _ in bins]))
    diagonal = tag("path", class_="diagonal", d=f"M{x(0)} {y(0)}L{x(1)} {y(1)}")
    return tag(
        "svg",
        grid,
        diagonal,
        words,
        tag("g", line, dots, class_=look.classes),
        class_="chart small",
        viewBox=f"0 0 {side} {side}",
        role="img",
        aria_label=label,
    )
