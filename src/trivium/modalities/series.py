"""Series: one or several channels over time, from any file that `recordings` reads, at regular times.

The channels that the settings name are resampled to `rate` points a second, and the first `seconds` are kept. What is
missing stays missing: the tensor has a value for each channel and point, 0 in a gap, and below that, for each, 1 where
there is a value and 0 in a gap. Mean and deviation are those of the values that are there, in the train rows alone.

Legend: `B` samples, `C` channels, `T` points. A tensor is [2 C, T]: values, then what is there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from trivium.modalities import add_noise, recordings
from trivium.modalities.augmented import series as augmented
from trivium.modalities.recordings import Recording
from trivium.settings.base import Section
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from trivium.modalities.spec import Spec

TIMES = True  # its files have some of their own
Augment, augment = augmented.Settings, augmented.augment


class Settings(Section):
    channels: tuple[str, ...] = ()  # by name, in this order; empty: the first one of each file
    rate: Annotated[float, Field(gt=0, le=1_000_000)] = 1.0  # points a second that models see
    seconds: Annotated[float, Field(gt=0)] = 256.0  # from the start that are kept

    @property
    def points(self) -> int:
        return max(1, round(self.seconds * self.rate))


def spec(settings: Settings) -> Spec:
    from trivium.modalities.spec import Spec

    return Spec("series", "series", (2 * max(1, len(settings.channels)), settings.points), seconds=settings.seconds)


def probe(value: str, root: str | Path, start: float | None = None, end: float | None = None) -> dict[str, Any]:
    """{"points", "channels", "duration" in seconds, "gaps" 0-1} of what is from `start` to `end`; or {"error": why}.

    Where it is not 0, also the time of the file's first point, as "begins" in seconds; and where its times are dates,
    when the first one is, as "since" in seconds since 1970 (UTC).
    """
    try:
        found = recordings.read(value, root)
        first, last = recordings.cut(found, start, end)
        a, b = np.searchsorted(found.seconds, [first, last])
        part = found.values[:, a:b]
        gaps = np.isnan(part)
        if gaps.all():
            raise ValueError(f"has no value between {first:g} s and {last:g} s: there are gaps alone")
    except ValueError as error:
        return {"error": str(error)}
    return {"points": part.shape[1], "channels": len(part), "duration": last - first,
            "gaps": float(gaps.mean()),
            **({"begins": float(found.seconds[0])} if found.seconds[0] else {}),
            **({"since": found.since} if found.since is not None else {})}


def since(value: str, root: str | Path) -> float | None:
    """When the second 0 of a file is, in seconds since 1970 (UTC), where its times are dates. Raises: as `decode`."""
    return recordings.read(value, root).since


def decode(value: str, root: str | Path, start: float | None, end: float | None, settings: Settings) -> np.ndarray:
    """float32 [2 C, T]. Raises: ValueError (why the file cannot be read)."""
    values, there = read(value, root, start, end, settings)
    return np.concatenate([values, there], dtype=np.float32)


def read(value: str, root: str | Path, start: float | None, end: float | None, settings: Settings,
         ) -> tuple[np.ndarray, np.ndarray]:
    """float64 [C, T], 0 in gaps; bool [C, T], where there is a value. Raises: as `decode`."""
    from trivium.modalities.recordings.regular import regular

    found = chosen(recordings.read(value, root), settings.channels)
    first, last = recordings.cut(found, start, end)
    return regular(found, settings.rate, first, last, settings.points)


def chosen(found: Recording, channels: tuple[str, ...]) -> Recording:
    """With these channels alone, in this order; those that it lacks are gaps."""
    if not channels:
        return Recording(found.times, found.values[:1], found.channels[:1])
    if channels == found.channels:
        return found
    known = {name.strip().casefold(): k for k, name in enumerate(found.channels)}
    places = [known.get(name.strip().casefold()) for name in channels]
    none = np.full(len(found.seconds), np.nan)
    return Recording(found.times, np.stack([none if k is None else found.values[k] for k in places]), channels)


def refuse_other(value: str, root: str | Path, settings: Settings) -> None:
    """Of a row that a model is asked about. Raises: ValueError (it has none of the channels that the model learned)."""
    has = recordings.read(value, root).channels
    if settings.channels and not {one.strip().casefold() for one in settings.channels} & {
            one.strip().casefold() for one in has}:
        raise ValueError(f"has the channels {', '.join(has[:8])}, and none of {', '.join(settings.channels[:8])}, "
                         "which the model learned from")


def refuse_absent(stream: str, settings: Settings, points: np.ndarray) -> None:
    """points: [C], how many values of each channel models learn from. Raises: UserError (none of a channel)."""
    for name, count in zip(settings.channels, points.tolist(), strict=False):
        if not count:
            raise UserError(f"No {stream} that models learn from has a value in the channel `{name}`. Take it out of "
                            f"`channels` under `processor` of the encoder that reads {stream}, in params.yaml, or "
                            "write its name as the files have it.")


def kept(value: str, root: str | Path, start: float | None, end: float | None, settings: Settings,
         ) -> tuple[float, bool]:
    """Its `length`; and whether models see something else than gaps: a channel that is read has a value in the part
    that is kept. Raises: ValueError.
    """
    found = recordings.read(value, root)
    first, last = recordings.cut(found, start, end)
    a, b = np.searchsorted(found.seconds, [first, min(last, first + settings.seconds)])
    return last - first, bool(np.isfinite(chosen(found, settings.channels).values[:, a:b]).any())


def length(value: str, root: str | Path, start: float | None, end: float | None) -> float:
    """Seconds that the span from `start` to `end` lasts. Raises: ValueError."""
    first, last = recordings.cut(recordings.read(value, root), start, end)
    return last - first


def energy(value: str, root: str | Path, start: float | None, end: float | None, rate: float) -> np.ndarray:
    """float32 [N]: how far the channels are from their means, in deviations, `rate` times a second. Raises: ValueError.
    """
    from trivium.modalities.recordings.regular import regular

    found = recordings.read(value, root)
    first, last = recordings.cut(found, start, end)
    values, there = regular(found, rate, first, last, int((last - first) * rate))
    count = np.maximum(there.sum(1, keepdims=True), 1)
    apart = np.where(there, values - values.sum(1, keepdims=True) / count, 0)
    spread = np.sqrt(np.square(apart).sum(1, keepdims=True) / count)
    return np.abs(apart / np.where(spread > 0, spread, 1)).mean(0).astype(np.float32)


def corrupt(x: Tensor, severity: float, generator: Generator, spec: Spec) -> Tensor:
    """Noise, drift and a drop-out, which get worse together; x float [B, 2 C, T]. At 1 there is nothing but a gap.

    The noise takes the place of the signal (see `add_noise`); the drift is a line through the middle, up or down by as
    many deviations at the ends as the severity says, drawn; the drop-out is one run of severity^2 of the points. Of
    features of a series: noise alone.
    """
    import torch

    if spec.kind != "series":
        return add_noise(x, severity, generator)
    values, there = x.chunk(2, 1)
    count = x.shape[2]
    drawn = {"generator": generator, "device": generator.device}
    values = add_noise(values, severity, generator)
    slope = torch.randn(len(x), values.shape[1], 1, **drawn).to(x)
    values = values + severity * slope * torch.linspace(-1, 1, count, device=x.device)
    run = round(severity**2 * count)
    begin = torch.randint(0, count - run + 1, (len(x), 1, 1), **drawn).to(x.device)
    place = torch.arange(count, device=x.device)
    there = there * ~((place >= begin) & (place < begin + run))
    return torch.cat([values * there, there], 1)
