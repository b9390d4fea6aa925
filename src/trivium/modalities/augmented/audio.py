"""Sounds moved in time and pitch, with noise, or with bands and moments taken out. Tensors are normalised: 0 is the
mean, 1 a deviation.

Legend: `B` samples, `F` bins, `T` frames, `N` samples of sound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from trivium.modalities import shift
from trivium.settings.base import Section

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from trivium.modalities.spec import Spec


class Settings(Section):
    time_shift: Annotated[float, Field(ge=0, le=0.5)] = 0.0  # share of the length, at most; one move a batch
    pitch_shift: Annotated[float, Field(ge=0, le=0.5)] = 0.0  # share of the bins, at most; not of a waveform
    noise: Annotated[float, Field(ge=0, le=10)] = 0.0  # deviations of normal noise that is added
    spec_mask: Annotated[float, Field(ge=0, le=1)] = 0.0  # share of the bins, and of the frames, that is masked at most


USUAL = Settings(time_shift=0.1, pitch_shift=0.05)


def augment(x: Tensor, generator: Generator, spec: Spec, settings: Settings = USUAL) -> Tensor:
    """x float [B, 1, F, T] or [B, 1, N]. Noise and masks are drawn for each sample.

    spec_mask: one run of bins and one of frames become 0, the mean (SpecAugment; Park et al. 2019, arXiv 1904.08779,
    without time warping); of a waveform, a run of its samples.
    """
    import torch

    if settings.time_shift or settings.pitch_shift:
        x = shift(x, (*(int(settings.pitch_shift * bins) for bins in spec.shape[1:-1]),
                      int(settings.time_shift * spec.shape[-1])), generator)
    if settings.noise:
        x = x + settings.noise * torch.randn(x.shape, generator=generator).to(x)
    for axis in range(2, x.dim()) if settings.spec_mask else ():
        size = x.shape[axis]
        wide, start = torch.rand(2, len(x), 1, generator=generator)
        wide = (settings.spec_mask * wide * (size + 1)).floor().clamp(max=size)
        place = torch.arange(size) - (start * (size + 1 - wide)).floor()
        kept = ~((place >= 0) & (place < wide))
        x = x * kept.view(len(x), *(size if k == axis else 1 for k in range(1, x.dim()))).to(x)
    return x
