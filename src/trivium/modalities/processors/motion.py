"""A video as the mean and the deviation over its frames of what `hog` says of a picture, and as what moves in it.

What moves: of each of 4 x 4 places, how much neighbouring frames differ (motion energy); and of which way, the flow
along the gradient (where brightness and its change tell it; Horn & Schunck 1981), in 8 directions, for all places
together. Nothing is padded: the length of a clip changes nothing but how sure the means are.

Legend: `D` features, `T` frames, `C` channels, `H` pixels of a side.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from trivium.modalities import video
from trivium.modalities.processors import hog
from trivium.modalities.spec import Spec
from trivium.settings.base import Section

MODALITY = "video"
PLACES, DIRECTIONS = 4, 8


class Settings(Section):
    size: Annotated[int, Field(ge=16, le=256, multiple_of=hog.PIXELS)] = 32  # pixels, of both sides
    frames: Annotated[int, Field(ge=1, le=1024)] = 32  # that are looked at, at most
    frames_per_second: Annotated[float, Field(gt=0, le=1000)] | None = 4.0  # null: spread evenly over the whole
    colours: Annotated[int, Field(ge=2, le=16)] = 4  # steps of each of red, green and blue

    @property
    def seconds(self) -> float:
        """That are looked at."""
        return self.clip.seconds

    @property
    def clip(self) -> video.Settings:
        return video.Settings(size=self.size, frames=self.frames, frames_per_second=self.frames_per_second)

    @property
    def picture(self) -> hog.Settings:
        return hog.Settings(size=self.size, colours=self.colours)


def width(settings: Settings) -> int:
    """D."""
    return 2 * hog.width(settings.picture) + 2 * PLACES**2 + 1 + DIRECTIONS


def spec(settings: Settings) -> Spec:
    return Spec("video", "features", (width(settings),))


def decode(value: str, root: str | Path, start: float | None, end: float | None, settings: Settings) -> np.ndarray:
    """float32 [D]. Raises: ValueError (why the file cannot be read)."""
    x, count = video.read(value, root, start, end, settings.clip)
    frames = x[:, :count].transpose(1, 0, 2, 3)
    each = np.stack([hog.described(frame, settings.picture) for frame in frames])
    grey = np.tensordot(frames.astype(np.float32) / 255, hog.GREY, (1, 0))
    return np.concatenate([each.mean(0), each.std(0), moved(grey)]).astype(np.float32)


def moved(grey: np.ndarray) -> np.ndarray:
    """[2 PLACES^2 + 1 + DIRECTIONS] of frames [T, H, H]: mean and deviation of the energy in each place, the mean of
    all, and the share of the flow in each direction (the first is to the right, the next a step towards down).
    """
    change = np.diff(grey, axis=0)
    if not len(change):
        return np.zeros(2 * PLACES**2 + 1 + DIRECTIONS)
    step = grey.shape[1] // PLACES
    places = np.abs(change).reshape(len(change), PLACES, step, PLACES, step).mean((2, 4)).reshape(len(change), -1)
    down, right = np.gradient((grey[1:] + grey[:-1]) / 2, axis=(1, 2))
    along = -change  # brightness that moves along its gradient falls
    bins = np.round(np.arctan2(along * down, along * right) * DIRECTIONS / (2 * np.pi)).astype(np.int64) % DIRECTIONS
    flow = np.bincount(bins.ravel(), (np.abs(change) * np.hypot(down, right)).ravel(), DIRECTIONS)
    return np.concatenate([places.mean(0), places.std(0), [places.mean()], flow / (flow.sum() + 1e-6)])
