"""Series with noise, at another scale, faster here and slower there, or without a channel. Tensors are normalised: 0
is the mean, 1 a deviation; what is a gap stays one.

Legend: `B` samples, `C` channels, `T` points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from trivium.settings.base import Section, Share

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from trivium.modalities.spec import Spec

KNOTS = 6  # places between which the speed changes


class Settings(Section):
    jitter: Annotated[float, Field(ge=0, le=10)] = 0.0  # deviations of normal noise that is added to each point
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.0  # each channel times 1 plus or minus so much, at most
    warp: Annotated[float, Field(ge=0, lt=1)] = 0.0  # how much faster or slower time may go, at most
    drop: Share = 0.0  # probability that a channel goes missing; the last one stays


USUAL = Settings(jitter=0.05, scale=0.1, warp=0.1)


def augment(x: Tensor, generator: Generator, spec: Spec, settings: Settings = USUAL) -> Tensor:
    """x float [B, 2 C, T]; everything is drawn for each sample."""
    import torch

    values, there = x.chunk(2, 1)
    channels = values.shape[1]
    if settings.warp:
        values, there = _warped(values, there, generator, settings.warp)
    if settings.scale:
        drawn = 2 * torch.rand(len(x), channels, 1, generator=generator) - 1
        values = values * (1 + settings.scale * drawn).to(x)
    if settings.jitter:
        values = values + settings.jitter * torch.randn(values.shape, generator=generator).to(x)
    if settings.drop and channels > 1:
        drawn = torch.rand(len(x), channels, 1, generator=generator)
        there = there * ((drawn >= settings.drop) | (drawn == drawn.amax(1, keepdim=True))).to(x)
    return torch.cat([values * there, there], 1)


def _warped(values: Tensor, there: Tensor, generator: Generator, most: float) -> tuple[Tensor, Tensor]:
    """Read at times that begin and end as they did (time warping; Um et al. 2017, arXiv 1706.00527)."""
    import torch
    from torch.nn import functional

    count = values.shape[2]
    speed = 1 + most * (2 * torch.rand(len(values), 1, KNOTS, generator=generator) - 1)
    passed = functional.interpolate(speed, count, mode="linear", align_corners=True).cumsum(2)
    passed = passed - passed[..., :1]
    place = (passed / passed[..., -1:].clamp(min=1e-9) * (count - 1)).to(values)
    low = place.floor().long().clamp(0, count - 1).expand_as(values)
    high = (low + 1).clamp(max=count - 1)
    part = place - low
    both = torch.where(part > 0, there.gather(2, low) * there.gather(2, high), there.gather(2, low))
    return torch.lerp(values.gather(2, low), values.gather(2, high), part), both
