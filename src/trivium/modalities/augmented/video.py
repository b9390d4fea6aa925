"""Video moved in space, the same way in all its frames, and in time. Tensors are normalised: 0 is the mean, 1 a
deviation.

Legend: `B` samples, `C` channels, `T` frames, `H`, `W` pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from trivium.modalities.augmented import image
from trivium.settings.base import Share

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from trivium.modalities.spec import Spec


class Settings(image.Settings):
    time_shift: Annotated[float, Field(ge=0, le=0.5)] = 0.0  # share of the length, at most; the ends stay on
    speed: Annotated[float, Field(ge=0, le=0.5)] = 0.0  # faster or slower by this share, at most, about the middle
    reverse: Share = 0.0  # probability that it runs backwards: a mirrored world, but often another meaning


USUAL = Settings(shift=1 / 8, time_shift=0.1)


def augment(x: Tensor, generator: Generator, spec: Spec, settings: Settings = USUAL) -> Tensor:
    """x float [B, C, T, H, W]. What `image` does is done to a clip as a whole; time is drawn for each sample."""
    import torch

    batch, channels, frames = x.shape[:3]
    if settings.time_shift or settings.speed or settings.reverse:
        speed, move = (2 * torch.rand(2, batch, 1, generator=generator) - 1)
        middle = (frames - 1) / 2
        place = middle + (torch.arange(frames) - middle) * (1 + settings.speed * speed)
        place = (place + settings.time_shift * frames * move).round().clamp(0, frames - 1).long()
        back = torch.rand(batch, 1, generator=generator) < settings.reverse
        place = torch.where(back, place.flip(1), place).view(batch, 1, frames, 1, 1).to(x.device)
        x = x.gather(2, place.expand_as(x))
    flat = x.flatten(1, 2)  # [B, C T, H, W]: one picture, as far as space goes
    still = settings.model_copy(update={"colour": 0.0})
    flat = image.augment(flat, generator, _picture(spec), still)
    x = flat.view_as(x)
    if settings.colour:
        drawn = (2 * torch.rand(2, batch, channels, 1, 1, 1, generator=generator) - 1).to(x) * settings.colour
        x = x * (1 + drawn[0]) + drawn[1]
    return x


def _picture(spec: Spec) -> Spec:
    from dataclasses import replace

    channels, frames, *sides = spec.shape
    return replace(spec, kind="image", shape=(channels * frames, *sides))
