"""What an answer rests on in a series: its channels as lines, and behind them, in colour, which moments spoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from trivium.drawing.lanes import MOST, axis, lanes
from trivium.drawing.svg import bitmap

if TYPE_CHECKING:
    from collections.abc import Callable

    from trivium.evaluation.pictures import Box, Panel

STEPS = 64  # moments that are told apart
LOOKED = np.array([0, 158, 115])  # as `pictures.LOOKED`


def moments(values: np.ndarray, channels: int) -> np.ndarray:
    """[C, STEPS] at most: what each channel said, its values and that they are there together, summed over moments."""
    each = values[:channels] + values[channels:] if len(values) == 2 * channels else np.repeat(values[:1], channels, 0)
    edges = np.linspace(0, each.shape[1], min(STEPS, each.shape[1]) + 1).round().astype(np.int64)
    return np.add.reduceat(each, edges[:-1], axis=1)


def draw(box: Box, panel: Panel, units: bool, colours: Callable[[np.ndarray], np.ndarray]) -> list[Markup]:
    """units: whether the axis of time is written."""
    channels = len(panel.x) // 2
    count = min(channels, MOST)
    said = moments(panel.values.astype(np.float64), channels)[:count]
    if panel.shares:
        said = said - said.min()
    strength = said / np.abs(said).max(initial=1e-12)
    veil = np.broadcast_to(LOOKED, (*said.shape, 3)) if panel.shares else colours(strength)
    opacity = 0.75 * np.abs(strength)[..., None]
    pixels = np.round(255 * (1 - opacity) + veil * opacity).astype(np.uint8)
    parts = [bitmap(np.ascontiguousarray(pixels), *box),
             *lanes(panel.x[:count], panel.x[channels: channels + count] > 0, *box)]
    return [*parts, *(axis(box.left, box.bottom, box.width, panel.spec.seconds) if units else [])]
