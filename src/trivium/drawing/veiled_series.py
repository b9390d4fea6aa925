"""What an answer rests on in a series: its channels as lines, and behind them, in colour, which moments spoke.

Legend: `C` channels, `T` points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from markupsafe import Markup

from trivium.drawing.lanes import MOST, Channel, axis, lanes, scales
from trivium.drawing.svg import bitmap

STEPS = 64  # moments that are told apart
LOOKED = np.array([0, 158, 115])  # where an encoder looks


def moments(values: np.ndarray, channels: int) -> np.ndarray:
    """[C, STEPS] at most, summed over moments: what each channel said, by its values [2 C, T] and by being there; of
    [1, T], which is of all channels together, the same for each.
    """
    each = values[:channels] + values[channels:] if len(values) == 2 * channels else np.repeat(values[:1], channels, 0)
    edges = np.linspace(0, each.shape[1], min(STEPS, each.shape[1]) + 1).round().astype(np.int64)
    return np.asarray(np.add.reduceat(each, edges[:-1], axis=1))


def veiled(box: tuple[float, float, float, float], x: np.ndarray, values: np.ndarray, shares: bool, seconds: float,
           colours: Callable[[np.ndarray], np.ndarray], named: Sequence[Channel] = ()) -> list[Markup]:
    """x: [2 C, T], as `modalities.series` has it;  values: see `moments`;  shares: whether these are of attention;
    seconds: that it lasts, 0 where no axis is to be written;  colours: of numbers of -1 to 1, in 0 to 255;  named:
    the channels.
    """
    left, top, width, height = box
    channels = len(x) // 2
    count = min(channels, MOST)
    shown, there = x[:count], x[channels: channels + count] > 0
    said = moments(values.astype(np.float64), channels)[:count]
    if shares:
        said = said - said.min()
    strength = said / np.abs(said).max(initial=1e-12)
    veil = np.broadcast_to(LOOKED, (*said.shape, 3)) if shares else colours(strength)
    opacity = 0.75 * np.abs(strength)[..., None]
    pixels = np.round(255 * (1 - opacity) + veil * opacity).astype(np.uint8)
    parts = [bitmap(np.ascontiguousarray(pixels), *box),
             *lanes(shown, there, *box), *scales(shown, there, named, *box, min(10, height / count))]
    return [*parts, *(axis(left, top + height, width, seconds) if seconds else [])]
