"""Video that gets worse: frames are dropped, all are blurred, and noise covers what is left.

Legend: `B` samples, `C` channels, `T` frames, `H`, `W` pixels.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from trivium.modalities import add_noise

WIDEST = 0.25  # share of a side that a blurred pixel is the mean of, at most


def worse(x: Tensor, severity: float, generator: Generator) -> Tensor:
    """x float [B, C, T, H, W], normalised; severity from 0 (as it is) to 1 (noise alone)."""
    if not severity:
        return x
    return add_noise(blurred(frozen(x, severity, generator), severity), severity, generator)


def frozen(x: Tensor, share: float, generator: Generator) -> Tensor:
    """A `share` of the frames is dropped: what was shown before stays on. The first is always there."""
    count = x.shape[2]
    kept = torch.rand(len(x), count, generator=generator, device=generator.device) >= share
    kept[:, 0] = True
    shown = torch.where(kept, torch.arange(count, device=kept.device), 0).cummax(1).values.to(x.device)  # [B, T]
    return x.gather(2, shown.view(len(x), 1, count, 1, 1).expand_as(x))


def blurred(x: Tensor, severity: float) -> Tensor:
    """Each pixel is the mean of a square, which grows with `severity`; beyond the border is the border."""
    reach = round(severity * WIDEST * min(x.shape[3:]) / 2)
    if not reach:
        return x
    flat = nn.functional.pad(x.flatten(1, 2), (reach,) * 4, mode="replicate")
    return nn.functional.avg_pool2d(flat, 2 * reach + 1, 1).view_as(x)
