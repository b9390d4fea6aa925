"""Charts as inline SVG: no script is needed to read them, colours come from style.css, markers tell strategies apart.

All charts are drawn about 440 pixels wide, so that two stand side by side on a desk and one fills a phone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from trivium.drawing import numbers
from trivium.drawing.looks import Look, short
from trivium.drawing.scale import Scale, around
from trivium.drawing.svg import tag

WIDTH = 440
LONGEST = 28  # letters of a name beside a chart
SHAPES: tuple[str, ...] = (  # around (0, 0), radius 1; in the order of Look.shape
    "circle",
    "M-.9-.9H.9V.9H-.9Z",
    "M0-1.25L1.25 0L0 1.25L-1.25 0Z",
    "M0-1.15L1.1.85H-1.1Z",
    "M0 1.15L1.1-.85H-1.1Z",
    "M-.4-1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1V-.4H-.4Z",
    "M0-1.2L1.14-.37L.7.97H-.7L-1.14-.37Z",
    "M-1.2 0L-.6-1.05H.6L1.2 0L.6 1.05H-.6Z",
)
Format = Callable[[float], str]


@dataclass(frozen=True)
class Point:
    """A mean with its interval."""

    name: str
    look: Look
    x: float
    y: float
    low: float
    high: float
    tip: str


@dataclass(frozen=True)
class Line:
    """Values over `xs`; `band` holds the (low, high) around each, when known."""

    name: str
    look: Look
    xs: Sequence[float]
    ys: Sequence[float]
    band: Sequence[tuple[float, float]] = ()
    tips: Sequence[str] = ()


@dataclass(frozen=True)
class Mark:
    """A horizontal or vertical reference, e.g. a ceiling."""

    at: float
    text: str
    axis: str = "y"


def marker(look: Look, x: float = 0, y: float = 0, radius: float = 5, tip: str = "") -> Markup:
    title = tag("title", tip) if tip else None
    shape = SHAPES[look.shape]
    if shape == "circle":
        return tag("circle", title, class_=f"mark {look.classes}", cx=x, cy=y, r=radius)
    return tag(
        "path", title, class_=f"mark {look.classes}", d=shape, transform=f"translate({x:.1f} {y:.1f})scale({radius:g})"
    )


def swatch(look: Look) -> Markup:
    """The marker of a strategy, to stand before its name."""
    return tag("svg", marker(look, 7, 7, 5), class_="swatch", viewBox="0 0 14 14", aria_hidden="true")


def scatter(
    points: Sequence[Point],
    x_label: str,
    unit: str,
    y_label: str,
    y_text: Format,
    label: str,
    front: Sequence[str] = (),
    marks: Sequence[Mark] = (),
    most: float = math.inf,
) -> Markup:
    """Means with intervals; names stand in a gutter on the right. `front`: names ringed and joined as the Pareto front.

    Markers that would hide each other are moved apart sideways. `unit` of x: see `numbers.axis`. `most`: as in `lines`.
    """
    longest = max(min(len(point.name), LONGEST) for point in points)
    gutter, height = 24 + 6.3 * longest, max(280, 40 + 19 * len(points))
    xs = [point.x for point in points]
    if min(xs) > 0 and max(xs) / min(xs) > 10:
        x = Scale(min(xs) / 1.3, max(xs) * 1.3, 48, WIDTH - gutter, log=True)
    else:
        x = around(xs, 48, WIDTH - gutter, zero=True, room=0.2)
    y = around([v for p in points for v in (p.low, p.high)] + [m.at for m in marks], height - 40, 30, most=most)
    drawn = [_frame(x, y, height, x_label, unit, y_label, y_text), [_mark(mark, x, y) for mark in marks]]
    across = dict(
        zip([point.name for point in points], spread([x(p.x) for p in points], 9, 53, WIDTH - gutter), strict=True)
    )
    on_front = sorted((point for point in points if point.name in front), key=lambda point: across[point.name])
    if len(on_front) > 1:
        joined = path([across[point.name] for point in on_front], [y(point.y) for point in on_front])
        drawn.append(tag("path", class_="front", d=joined))
    for point, label_y in zip(points, spread([y(point.y) for point in points], 18, 34, height - 44), strict=True):
        at_x, at_y = across[point.name], y(point.y)
        ring = tag("circle", class_="ring", cx=at_x, cy=at_y, r=9) if point.name in front else None
        drawn.append(
            tag(
                "g",
                tag("title", point.tip),
                ring,
                tag("path", class_="leader", d=f"M{at_x + 7:.1f} {at_y:.1f}L{WIDTH - gutter + 6} {label_y:.1f}"),
                tag("path", class_="whisker", d=f"M{at_x:.1f} {y(point.low):.1f}V{y(point.high):.1f}"),
                marker(point.look, at_x, at_y),
                tag("text", short(point.name, LONGEST), class_="name", x=WIDTH - gutter + 10, y=label_y + 4),
                class_=point.look.classes,
            )
        )
    return _svg(height, label, drawn)


def lines(
    series: Sequence[Line],
    x_label: str,
    unit: str,
    y_label: str,
    y_text: Format,
    label: str,
    points: Sequence[Point] = (),
    marks: Sequence[Mark] = (),
    x_zero: bool = True,
    x_ticks: Sequence[float] = (),
    most: float = math.inf,
    named: bool = False,
) -> Markup:
    """Curves with bands; `points` are shown beside them (strategies without a curve). Later series lie on top.

    With `x_ticks`, above zero, the x axis is logarithmic and has its ticks there. `most`: where the y axis ends, 1 for
    shares. `named`: whether the names of the series stand in the picture.
    """
    height = 300
    xs = [v for s in series for v in s.xs] + [p.x for p in points]
    x = around(xs, 48, WIDTH - 12, zero=x_zero, room=0.02)
    if x_ticks:
        x = Scale(min(xs) / 1.08, max(xs) * 1.08, 48, WIDTH - 12, log=True)
    ys = [v for s in series for v in s.ys] + [v for s in series for pair in s.band for v in pair]
    y = around([*ys, *(p.y for p in points), *(m.at for m in marks)], height - 40, 30, most=most)
    drawn = [_frame(x, y, height, x_label, unit, y_label, y_text, x_ticks), [_mark(mark, x, y) for mark in marks]]
    for item in series:
        px, py = [x(v) for v in item.xs], [y(v) for v in item.ys]
        group = []
        if item.band:
            upper = [y(high) for _, high in item.band]
            lower = [y(low) for low, _ in item.band]
            group.append(tag("path", class_="band", d=path(px + px[::-1], upper + lower[::-1]) + "Z"))
        group.append(tag("path", class_="line", d=path(px, py)))
        tips = item.tips or [f"{item.name}: {y_text(v)}" for v in item.ys]
        every = max(1, len(px) // 12)
        for index, (at_x, at_y, tip) in enumerate(zip(px, py, tips, strict=True)):
            last = index == len(px) - 1
            group.append(marker(item.look, at_x, at_y, 4 if last or index % every == 0 else 1.5, tip))
        drawn.append(tag("g", group, class_=item.look.classes))
    for place, item in enumerate(series if named else ()):
        at_y = 40 + 18 * place
        drawn.append(tag("g", marker(item.look, WIDTH - 18, at_y - 4, 4), class_=item.look.classes))
        drawn.append(tag("text", item.name, class_="tick", x=WIDTH - 28, y=at_y, text_anchor="end"))
    for point in points:
        drawn.append(marker(point.look, x(point.x), y(point.y), 5, point.tip))
    return _svg(height, label, drawn)


def interval(
    mean: float, low: float, high: float, seeds: Sequence[float], scale: Scale, look: Look, tip: str
) -> Markup:
    """One row of a table: the mean, its interval as a line, every seed as a thin stroke."""
    height = 24
    whisker = tag("path", class_="whisker", d=f"M{scale(low):.1f} {height / 2}H{scale(high):.1f}")
    return tag(
        "svg",
        tag("title", tip),
        tag("path", class_="rail", d=f"M{scale.start:g} {height / 2}H{scale.end:g}"),
        tag("g", whisker, class_=look.classes),
        [tag("path", class_="seed", d=f"M{scale(value):.1f} 3v{height - 6}") for value in seeds],
        marker(look, scale(mean), height / 2, 5),
        class_="interval",
        viewBox=f"0 0 {scale.end + scale.start:g} {height}",
        role="img",
        aria_label=tip,
    )


def bar(share: float, classes: str = "") -> Markup:
    """A share, 0-1, as a small horizontal bar; the number stands beside it in the text."""
    width = 100 * min(max(share, 0.0), 1.0)
    return tag(
        "svg",
        tag("rect", class_="rail", width=100, height=8, rx=2),
        tag("rect", class_=f"fill {classes}".strip(), width=width, height=8, rx=2),
        class_="bar",
        viewBox="0 0 100 8",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def _frame(
    x: Scale,
    y: Scale,
    height: int,
    x_label: str,
    unit: str,
    y_label: str,
    y_text: Format,
    x_ticks: Sequence[float] = (),
) -> list[Markup]:
    bottom = height - 40
    factor, unit = numbers.axis(x.high, unit)
    x_text = numbers.plain if factor == 1 else (lambda v: f"{v / factor:.3g}")
    round_ticks = replace(x, low=x.low / factor, high=x.high / factor).ticks(4)
    parts = []
    for tick in y.ticks(5):
        parts.append(tag("path", class_="grid", d=f"M{x.start:g} {y(tick):.1f}H{x.end:g}"))
        parts.append(tag("text", y_text(tick), class_="tick", x=x.start - 6, y=y(tick) + 4, text_anchor="end"))
    for tick in x_ticks or [tick * factor for tick in round_ticks]:
        parts.append(tag("path", class_="grid", d=f"M{x(tick):.1f} {bottom}v4"))
        parts.append(tag("text", x_text(tick), class_="tick", x=x(tick), y=bottom + 17, text_anchor="middle"))
    parts.append(tag("path", class_="axis", d=f"M{x.start:g} {bottom}H{x.end:g}"))
    parts.append(tag("text", y_label, class_="label", x=4, y=15))
    parts.append(
        tag("text", f"{x_label}, {unit}" if unit else x_label, class_="label", x=x.end, y=height - 5, text_anchor="end")
    )
    return parts


def _mark(mark: Mark, x: Scale, y: Scale) -> list[Markup]:
    if mark.axis == "y":
        at = y(mark.at)
        return [
            tag("path", class_="reference", d=f"M{x.start:g} {at:.1f}H{x.end:g}"),
            tag("text", mark.text, class_="tick", x=x.start + 4, y=at - 5),
        ]
    at = x(mark.at)
    return [
        tag("path", class_="reference", d=f"M{at:.1f} {y.start:g}V{y.end:g}"),
        tag("text", mark.text, class_="tick", x=at - 5, y=y.end + 8, text_anchor="end"),
    ]


def _svg(height: int, label: str, children: object) -> Markup:
    return tag("svg", children, class_="chart", viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=label)


def path(xs: Sequence[float], ys: Sequence[float]) -> str:
    return "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in zip(xs, ys, strict=True))


def spread(wanted: Sequence[float], gap: float, top: float, bottom: float) -> list[float]:
    """Places at least `gap` apart, in the same order, inside `top`..`bottom` if they fit, moved as little as possible.

    Neighbours that are too close become a block around the mean of what they wanted (pool adjacent violators).
    """
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    blocks: list[list[float]] = []  # [mean of (wanted - rank * gap), size]
    for rank, index in enumerate(order):
        blocks.append([wanted[index] - rank * gap, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, size = blocks.pop()
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + mean * size) / (blocks[-1][1] + size), blocks[-1][1] + size]
    bases = [mean for mean, size in blocks for _ in range(int(size))]
    placed = [0.0] * len(wanted)
    for rank, index in enumerate(order):
        placed[index] = min(max(bases[rank], top), bottom - (len(order) - 1) * gap) + rank * gap
    return placed
