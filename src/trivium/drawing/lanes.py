"""Series as SVG: a lane for each channel, broken where there is a gap, over an axis of time.

Legend: `C` channels, `T` points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from trivium.drawing.svg import drawing, tag

MOST = 8  # lanes
POINTS = 400  # of a lane
NAME = 12  # letters of a channel
COLOUR, QUIET = "#333333", "#666666"


class Channel(NamedTuple):
    """A value is `mean` + `deviation` times the number that a tensor has."""

    name: str
    mean: float = 0.0
    deviation: float = 1.0


def lanes(values: np.ndarray, there: np.ndarray, x: float, y: float, width: float, height: float) -> list[Markup]:
    """values: [C, T];  there: bool [C, T]. Each lane reaches from its least to its largest value."""
    count = min(len(values), MOST)
    parts = []
    for k in range(count):
        top, high = y + height * k / count, height / count
        places, shown, has = _thin(values[k], there[k])
        if not has.any():
            continue
        low, up = shown[has].min(), shown[has].max()
        span = up - low if up > low else 1.0
        at_x = x + width * places / max(values.shape[1] - 1, 1)
        at_y = top + high * (0.92 - 0.84 * (shown - low) / span) if up > low else np.full(len(shown), top + high / 2)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], has.astype(np.int8), [0]])))
        for a, b in edges.reshape(-1, 2).tolist():
            if b - a == 1:
                parts.append(tag("circle", cx=float(at_x[a]), cy=float(at_y[a]), r=0.8, fill=COLOUR))
            else:
                points = " ".join(f"{one:.1f},{two:.1f}" for one, two in zip(at_x[a:b], at_y[a:b], strict=True))
                parts.append(tag("polyline", points=points, fill="none", stroke=COLOUR, stroke_width=0.9))
    return parts


def _thin(values: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places, values and where there are some, in `POINTS` places or a few more: the least and the largest of each."""
    size = len(values)
    if size <= POINTS:
        return np.arange(size, dtype=np.float64), values, there
    step = -(-size // (POINTS // 2))
    padded = -size % step
    whole = np.pad(np.where(there, values, np.nan), (0, padded), constant_values=np.nan).reshape(-1, step)
    has = ~np.isnan(whole).all(1)
    filled = np.where(has[:, None], whole, 0.0)
    ends = np.stack([np.nanmin(filled, 1), np.nanmax(filled, 1)], 1).ravel()
    places = (np.arange(len(whole))[:, None] * step + np.array([step / 4, 3 * step / 4])).ravel()
    return np.minimum(places, size - 1), ends, np.repeat(has, 2)


def axis(x: float, y: float, width: float, seconds: float, begin: float = 0.0, size: float = 9) -> list[Markup]:
    """Times below a box whose lower edge is `y`: where it begins, its middle and where it ends."""
    return [tag("text", f"{begin + share * seconds:.4g}" + (" s" if share == 1 else ""), x=x + share * width, y=y + 11,
                text_anchor=anchor, font_size=size)
            for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end"))]


def scales(values: np.ndarray, there: np.ndarray, channels: Sequence[Channel], x: float, y: float, width: float,
           height: float, size: float) -> list[Markup]:
    """Beside the `lanes` of the same box: left the name of each, right its largest and its least value."""
    count = min(len(values), len(channels), MOST)
    parts = []
    for k, one in enumerate(channels[:count]):
        top, high = y + height * k / count, height / count
        parts.append(tag("text", one.name if len(one.name) <= NAME else one.name[: NAME - 1] + "…", x=x - 6,
                         y=top + high / 2 + 0.35 * size, text_anchor="end", font_size=size))
        if not there[k].any():
            continue
        own, small = values[k][there[k]], min(9.0, 0.45 * high)
        low, up = _ends(*(one.mean + one.deviation * float(end) for end in (own.min(), own.max())))
        places = [(up, top + small), (low, top + high - 0.15 * small)] if low != up else [(up, top + high / 2 + 3)]
        parts += [tag("text", said, x=x + width + 3, y=at, font_size=small) for said, at in places]
    return parts


def _ends(low: float, up: float) -> tuple[str, str]:
    """In decimals that show a tenth of what lies between; what is very large or very small, in three digits or more."""
    places = 1 - math.floor(math.log10(up - low)) if up > low else 2
    if places <= 4 and max(abs(low), abs(up)) < 1e5:
        pairs = [tuple(f"{round(end, max(places, 0)) + 0.0:.{max(places, 0)}f}" for end in (low, up))]
    else:
        pairs = [tuple(f"{end:.{digits}g}" for end in (low, up)) for digits in (3, 4, 6, 9)]
    one, other = next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])
    return one.replace("-", "−"), other.replace("-", "−")


def plot(values: np.ndarray, there: np.ndarray, channels: tuple[str, ...], begin: float, seconds: float) -> str:
    """A small picture of its own, which says in words what it shows."""
    count = min(len(values), MOST)
    left, width, right, high = 92.0, 206.0, 46, max(34.0, 96.0 / max(count, 1))
    height = high * count
    more = [tag("text", f"and {len(values) - count} more", x=left + width, y=8 + height + 24, text_anchor="end",
                font_size=9, fill=QUIET)] if len(values) > count else []
    frame = tag("rect", x=left, y=8.0, width=width, height=height, fill="none", stroke=QUIET, stroke_width=0.6)
    box = left, 8.0, width, height
    parts = [frame, *lanes(values, there, *box), *scales(values, there, [Channel(one) for one in channels], *box, 13),
             *axis(left, 10 + height, width, seconds, begin, 12), *more]
    return drawing(round(left + width + right), round(height + (36 if more else 24)), parts)
