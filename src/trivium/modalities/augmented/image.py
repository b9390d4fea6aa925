"""Pictures moved, mirrored, cut, turned and lit otherwise. Tensors are normalised: 0 is the mean, 1 a deviation.

Legend: `B` samples, `C` channels, `H`, `W` pixels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from trivium.modalities import shift
from trivium.settings.base import Section, Share

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from trivium.modalities.spec import Spec


class Settings(Section):
    shift: Annotated[float, Field(ge=0, le=0.5)] = 0.0  # share of a side, at most; one move a batch
    flip: Share = 0.0  # probability that a picture is mirrored, left to right
    crop: Annotated[float, Field(ge=0, lt=1)] = 0.0  # share of both sides that is cut off at most; the rest fills all
    rotation: Annotated[float, Field(ge=0, le=180)] = 0.0  # degrees, at most, to either side
    colour: Annotated[float, Field(ge=0, le=1)] = 0.0  # contrast and brightness of a channel: times and plus so much


USUAL = Settings(shift=1 / 8)


def augment(x: Tensor, generator: Generator, spec: Spec, settings: Settings = USUAL) -> Tensor:
    """x float [B, C, H, W]. All but `shift` is drawn for each sample. What a turn brings in repeats the border."""
    import torch

    if settings.shift:
        x = shift(x, (int(settings.shift * spec.shape[1]), int(settings.shift * spec.shape[2])), generator)
    if settings.flip:
        flip = torch.rand(len(x), 1, 1, 1, generator=generator) < settings.flip
        x = torch.where(flip.to(x.device), x.flip(3), x)
    if settings.crop or settings.rotation:
        x = _moved(x, generator, settings)
    if settings.colour:
        drawn = (2 * torch.rand(2, len(x), x.shape[1], 1, 1, generator=generator) - 1).to(x) * settings.colour
        x = x * (1 + drawn[0]) + drawn[1]
    return x


def _moved(x: Tensor, generator: Generator, settings: Settings) -> Tensor:
    """Cut and turned, in one resampling."""
    import torch
    from torch.nn import functional

    side, across, down, turn = torch.rand(4, len(x), generator=generator)
    scale = 1 - settings.crop * side  # share of both sides that is left
    angle = math.radians(settings.rotation) * (2 * turn - 1)
    left, top = ((1 - scale) * (2 * place - 1) for place in (across, down))  # of the middle, -1 to 1
    height, width = x.shape[2:]
    cosine, sine = scale * angle.cos(), scale * angle.sin()  # on coordinates that are as long as their sides
    rows = (cosine, -sine * height / width, left), (sine * width / height, cosine, top)
    theta = torch.stack([torch.stack(row, 1) for row in rows], 1)  # [B, 2, 3]
    grid = functional.affine_grid(theta.to(x), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, padding_mode="border", align_corners=False)
