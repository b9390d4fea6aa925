"""A picture as small pixels, a histogram of its colours, and histograms of oriented gradients (HOG).

The picture is opened, turned and fitted on a white square as the modality does it. HOG: Dalal & Triggs 2005, sections
6.2-6.4: unsigned gradients of the grey picture in 9 orientations, cells of 8 x 8 pixels, blocks of 2 x 2 cells that
overlap, each of length 1 (L2-Hys).

Legend: `D` features, `H` side of the picture.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from trivium.modalities import image
from trivium.modalities.spec import Spec
from trivium.settings.base import Section

MODALITY = "image"
PIXELS = 16  # side of the small picture
CELL, ORIENTATIONS = 8, 9  # pixels per side; over 180 degrees
LARGEST = 0.2  # of a block's entries, before it is normalised again
GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


class Settings(Section):
    size: Annotated[int, Field(ge=16, le=512, multiple_of=16)] = 64  # pixels, of both sides, that HOG sees
    colours: Annotated[int, Field(ge=2, le=16)] = 4  # steps of red, of green and of blue in the histogram


def width(settings: Settings) -> int:
    """D: 2,596 by default, of which 768 are pixels, 64 the histogram, 1,764 HOG."""
    blocks = settings.size // CELL - 1
    return 3 * PIXELS**2 + settings.colours**3 + blocks**2 * 4 * ORIENTATIONS


def spec(settings: Settings) -> Spec:
    return Spec("image", "features", (width(settings),))


def decode(value: str, root: str | Path, start: float | None, end: float | None, settings: Settings) -> np.ndarray:
    """float32 [D], all in 0-1. Raises: ValueError (why the file cannot be read)."""
    return described(image.decode(value, root, start, end, image.Settings(size=settings.size, channels=3)), settings)


def described(picture: np.ndarray, settings: Settings) -> np.ndarray:
    """float32 [D] of uint8 [3, H, H]."""
    x = picture.astype(np.float32) / 255
    step = settings.size // PIXELS
    small = x.reshape(3, PIXELS, step, PIXELS, step).mean((2, 4))
    grey = np.tensordot(GREY, x, 1)
    return np.concatenate([small.ravel(), _colours(picture, settings.colours), _hog(grey)]).astype(np.float32)


def _colours(picture: np.ndarray, steps: int) -> np.ndarray:
    """[steps^3], red slowest: the share of the pixels (uint8 [3, H, H]) in each cube of the colours."""
    red, green, blue = picture.reshape(3, -1).astype(np.int64) * steps // 256
    return np.bincount((red * steps + green) * steps + blue, minlength=steps**3) / red.size


def _hog(grey: np.ndarray) -> np.ndarray:
    """[(H/8 - 1)^2 * 4 * 9] of `grey` [H, H]; the gradient's direction is shared between the two nearest bins."""
    down, right = np.gradient(grey)
    strength = np.hypot(down, right)
    place = np.arctan2(down, right) % np.pi * (ORIENTATIONS / np.pi) - 0.5  # bin 0 is centred on 10 degrees
    lower = np.floor(place)
    upper_share = place - lower
    bins = np.stack([lower, lower + 1]).astype(np.int64) % ORIENTATIONS
    votes = np.stack([strength * (1 - upper_share), strength * upper_share])
    side = len(grey) // CELL
    cell = np.arange(len(grey)) // CELL
    where = (cell[:, None] * side + cell[None]) * ORIENTATIONS + bins
    cells = np.bincount(where.ravel(), votes.ravel(), side * side * ORIENTATIONS).reshape(side, side, ORIENTATIONS)
    blocks = np.stack([cells[:-1, :-1], cells[:-1, 1:], cells[1:, :-1], cells[1:, 1:]], 2)
    blocks = blocks.reshape((side - 1) ** 2, 4 * ORIENTATIONS)
    return _unit(np.minimum(_unit(blocks), LARGEST)).ravel()


def _unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1; those with next to nothing in them stay near 0."""
    return rows / np.sqrt(np.square(rows).sum(1, keepdims=True) + 1e-6)
