"""Video of any format that PyAV reads (mp4, mov, mkv, webm, avi, ...), as uint8 frames [C, T, size, size].

Frames are taken by their times: the first in the middle of the first 1 / `frames_per_second` seconds of the span, the
next so much later, `frames` at most; or, without a rate, spread evenly over the span. Each is turned upright, shrunk or
enlarged to fit with its proportions kept, and centred on black. Behind the end of a short one its last frame stays.

Legend: `C` channels, `T` frames.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from trivium.modalities import add_noise, image, media
from trivium.modalities.augmented import video as augmented
from trivium.modalities.videos import reader
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from trivium.modalities.spec import Spec

LARGEST = 1 << 27  # bytes of one sample's frames
LOOKED, BROKEN = 32, 0.1  # frames that `probe` looks at, at most; the share of them that may be broken
SHORT = 0.9, 0.5  # share of the length that it claims, and seconds less, from which on a recording is cut off
_spans: dict[tuple, tuple[float, float]] = {}  # of what was decoded last, whose length is asked for next
Augment, augment = augmented.Settings, augmented.augment
SEEN, MOVED = 50.0, 20.0  # frames a second that tell of motion, and seconds of them at a time


class Settings(image.Settings):
    frames: Annotated[int, Field(ge=1, le=1024)] = 16  # that models see, at most
    frames_per_second: Annotated[float, Field(gt=0, le=1000)] | None = 4.0  # null: spread evenly over the whole

    @model_validator(mode="after")
    def _bounded(self) -> Settings:
        if (size := self.frames * self.channels * self.size**2) > LARGEST:
            raise ValueError(f"{self.frames} frames of {self.size} x {self.size} pixels are {size / 2**20:,.0f} MB of "
                             f"each sample; {LARGEST >> 20} MB at most: take fewer or smaller ones")
        return self

    @property
    def seconds(self) -> float:
        """That are looked at."""
        return self.frames / self.frames_per_second if self.frames_per_second else math.inf


def spec(settings: Settings) -> Spec:
    from trivium.modalities.spec import Spec

    return Spec("video", "frames", (settings.channels, settings.frames, settings.size, settings.size))


def probe(value: str, root: str | Path, start: float | None = None, end: float | None = None) -> dict[str, Any]:
    """{"width", "height"} in pixels as they are shown, {"seconds"} of the span; or {"error": why}.

    Up to `LOOKED` frames, spread over the span, are decoded, and all between two key frames of them.
    """
    try:
        with reader.Film(media.opened(value, root)) as film:
            first, last = _span(film, start, end)
            count = max(1, min(LOOKED, round((last - first) / film.step)))
            times = first + (np.arange(count) + 0.5) * (last - first) / count
            found = [(time, reader.size(frame, film.stream.sample_aspect_ratio), film.time(frame))
                     for time, frame in zip(times, film.shown(times), strict=True) if frame is not None]
            if not found:
                raise ValueError(_nothing(film))
            (_, (width, height), _), until = found[0], found[-1][0] + (last - first) / count / 2
            claimed = min(film.claimed or last, math.inf if end is None or math.isnan(end) else end)
            if until < SHORT[0] * claimed and until < claimed - SHORT[1]:
                raise ValueError(f"says that it lasts {claimed:.2f} s, and has no frame behind {until:.2f} s: it is "
                                 "cut off or damaged")
            bad = sum(any(at <= broken <= time for broken in film.broken) for time, _, at in found)
            if bad > BROKEN * count:
                raise ValueError(f"{bad} of {count} frames that were looked at cannot be decoded, the first at "
                                 f"{min(film.broken):.2f} s: the file is damaged")
            return {"width": round(width), "height": round(height), "seconds": last - first}
    except UserError:
        raise
    except (ValueError, OSError) as error:
        return {"error": str(error)}


def decode(value: str, root: str | Path, start: float | None, end: float | None, settings: Settings) -> np.ndarray:
    """uint8 [C, T, size, size]. Raises: ValueError (why the file cannot be read)."""
    return read(value, root, start, end, settings)[0]


def read(value: str, root: str | Path, start: float | None, end: float | None, settings: Settings,
         ) -> tuple[np.ndarray, int]:
    """As `decode`; and how many frames there are, 1 to T: those behind them repeat the last. Raises: ValueError."""
    out = np.zeros((settings.channels, settings.frames, settings.size, settings.size), np.uint8)
    with reader.Film(media.opened(value, root)) as film:
        count, made, shrink = 0, None, reader.shrinker()
        for frame in film.shown(_times(film, start, end, settings), fast=True):
            if frame is None:
                break
            if frame is not made:
                _place(frame, film.stream.sample_aspect_ratio, settings, out[:, count], shrink)
                made = frame
            else:
                out[:, count] = out[:, count - 1]
            count += 1
        if not count:
            raise ValueError(_nothing(film))
        _spans.clear()
        _spans[value, str(root), start, end] = _span(film, start, end)
    out[:, count:] = out[:, count - 1: count]
    return out, count


def length(value: str, root: str | Path, start: float | None, end: float | None) -> float:
    """Seconds that the span from `start` to `end` lasts. Raises: ValueError."""
    if (known := _spans.pop((value, str(root), start, end), None)) is None:
        with reader.Film(media.opened(value, root)) as film:
            known = _span(film, start, end)
    return known[1] - known[0]


def energy(value: str, root: str | Path, start: float | None, end: float | None, rate: float) -> np.ndarray:
    """float32 [N]: how much the picture changes (0-255, on average over pixels), `rate` times a second.

    Between two frames nothing changes. So that slow films have no gaps of that, a change lasts from half a frame before
    the second one begins to half a frame behind. Raises: ValueError.
    """
    from scipy.ndimage import uniform_filter1d

    with reader.Film(media.opened(value, root)) as film:
        (begins, ends), step = _span(film, start, end), film.step
    whole = ends - begins
    times, moved = [0.0], [0.0]
    for begin in np.arange(0.0, whole, MOVED):
        stop = min(begins + begin + MOVED + 1 / SEEN, ends)  # a frame of the next piece: no change is lost
        settings = Settings(size=32, channels=1, frames=round(MOVED * SEEN) + 1, frames_per_second=SEEN)
        pictures, count = read(value, root, begins + begin, stop, settings)
        change = np.abs(np.diff(pictures[0, :count].astype(np.float32), axis=0)).mean((1, 2))
        times += (begin + (1 + np.arange(len(change))) / SEEN).tolist()  # the second of the two begins about then
        moved += change.tolist()
    sharp = np.interp(np.arange(int(whole * rate)) / rate, times, moved, left=0, right=0)
    return uniform_filter1d(sharp, 2 * round(rate * step / 2) + 1, mode="constant").astype(np.float32)


def corrupt(x: Tensor, severity: float, generator: Generator, spec: Spec) -> Tensor:
    """Frames that are dropped (the one before stays), blur, and Gaussian noise; x float [B, C, T, H, W]. Of features,
    noise alone.
    """
    if spec.kind != "frames":
        return add_noise(x, severity, generator)
    from trivium.modalities.videos.worse import worse

    return worse(x, severity, generator)


def _span(film: reader.Film, start: float | None, end: float | None) -> tuple[float, float]:
    """Seconds at which the span begins and ends; an end behind the recording's is its end. Raises: ValueError."""
    whole = film.scanned()
    if end is not None and math.isnan(end):
        end = None
    first = 0.0 if start is None or math.isnan(start) else start
    last = whole if end is None or not end < whole else end
    if first < 0 or first >= whole:
        raise ValueError(f"starts at {start} s, but the recording lasts {whole:.2f} s")
    if last <= first:
        raise ValueError(f"ends at {end} s, not after its start at {start or 0} s")
    return first, last


def _times(film: reader.Film, start: float | None, end: float | None, settings: Settings) -> np.ndarray:
    """float64 [T or fewer]: of the frames that are wanted, in seconds. Raises: ValueError."""
    rate, steps = settings.frames_per_second, np.arange(settings.frames) + 0.5
    if rate is None:
        first, last = _span(film, start, end)
        return first + steps * (last - first) / settings.frames
    first = 0.0 if start is None or math.isnan(start) else start
    times = first + steps / rate
    last = math.inf if end is None or math.isnan(end) else end
    if last == math.inf and film.seconds and film.seconds < times[0]:
        last = film.seconds
    times = times[times < last]
    return times if len(times) else np.array([(first + max(first, last)) / 2])


def _place(frame: Any, aspect: Any, settings: Settings, out: np.ndarray, shrink: Any) -> None:
    """Write a frame into `out`, uint8 [C, size, size], which is black."""
    across, down = reader.size(frame, aspect)
    scale = settings.size / max(across, down)
    width, height = (max(1, round(scale * side)) for side in (across, down))
    small = reader.picture(frame, width, height, "gray" if settings.channels == 1 else "rgb24", shrink)
    left, top = (settings.size - width) // 2, (settings.size - height) // 2
    out[:, top: top + height, left: left + width] = small.transpose(2, 0, 1)


def _nothing(film: reader.Film) -> str:
    if film.given:
        return "none of its frames can be decoded: the file is damaged, or has no key frame"
    return "has no frames"
