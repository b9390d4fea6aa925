"""The confusion matrix of one strategy as SVG: MLflow shows it, and no plotting library has to be loaded for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from trivium.drawing.svg import bitmap, drawing, tag
from trivium.tracking.outs import Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAMED = 20  # classes; with more, there is a picture of one pixel per cell, without names and numbers
CELL, WHOLE = 36, 720  # pixels: side of a named cell; of the whole matrix where cells are not named, at least
LIGHT, DARK = np.array([247, 251, 255]), np.array([8, 48, 107])  # shares of 0 and 1
LONGEST = 24  # letters of a class's name


def write(outcome: Outcome, predictions: Path, path: Path) -> None:
    """Shares of each true class, all seeds together, into the SVG file `path`."""
    from trivium.tasks.scores import confusion_in

    classes = list(outcome.task.categories)
    counts = confusion_in(predictions, len(classes))
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    title = f"{outcome.name}: confusion, {len(outcome.metrics.seeds)} seeds together"
    path.write_text(draw(shares, classes, title), encoding="utf-8")


def draw(shares: NDArray[np.float64], classes: list[str], title: str) -> str:
    """`shares` [C, C]: of each true class (row), the share that got each answer (column), 0-1."""
    named = len(classes) <= NAMED
    names = [name if len(name) <= LONGEST else name[: LONGEST - 1] + "…" for name in classes] if named else []
    side = CELL * len(classes) if named else max(WHOLE, len(classes))
    letters = max(map(len, names), default=0)
    room, slanted = 44 + 7 * letters, 40 + 5 * letters  # for names, left and below
    below = 48 + side
    width, height = max(room + side + 24, 32 + 8 * len(title)), below + slanted + 24
    parts = [tag("text", title, x=12, y=26, font_size=16)]
    parts += _cells(shares, room) if named else [bitmap(_colours(shares), room, 48, side, side)]
    for k, name in enumerate(names):
        middle = CELL * (k + 0.5)
        parts.append(tag("text", name, x=room - 8, y=48 + middle + 4, text_anchor="end"))
        parts.append(tag("text", name, text_anchor="end",
                         transform=f"translate({room + middle + 4:g} {below + 14}) rotate(-45)"))
    turned = f"translate(20 {48 + side // 2}) rotate(-90)"
    parts.append(tag("text", "true class", text_anchor="middle", transform=turned))
    parts.append(tag("text", "answer", x=room + side // 2, y=below + slanted - 12, text_anchor="middle"))
    parts.append(tag("text", "darker: a larger share of the true class" + (", in percent" if named else ""),
                     x=12, y=height - 10, fill="#555555"))
    return drawing(width, height, parts)


def _cells(shares: NDArray[np.float64], room: int) -> list[Markup]:
    parts = []
    for (row, column), share in np.ndenumerate(shares):
        x, y, (red, green, blue) = room + CELL * column, 48 + CELL * row, _colours(share).tolist()
        parts.append(tag("rect", x=x, y=y, width=CELL - 1, height=CELL - 1, fill=f"rgb({red},{green},{blue})"))
        if share:
            parts.append(tag("text", f"{100 * share:.0f}", x=x + CELL // 2, y=y + CELL // 2 + 4, text_anchor="middle",
                             fill="white" if share > 0.5 else "#222222"))
    return parts


def _colours(shares: NDArray[np.float64] | float) -> NDArray[np.uint8]:
    """uint8 [..., 3]."""
    share = np.asarray(shares)[..., None]
    return np.round(LIGHT + share * (DARK - LIGHT)).astype(np.uint8)
