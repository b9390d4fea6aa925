"""Cells that go missing, and numbers that are a little off.

Legend: `B` rows, `K` columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from trivium.settings.base import Section, Share

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from trivium.modalities.spec import Spec


class Settings(Section):
    cell_dropout: Share = 0.0  # probability that a cell goes missing
    noise: Annotated[float, Field(ge=0, le=10)] = 0.0  # deviations of normal noise on numbers that are there, as scaled


USUAL = Settings(cell_dropout=0.1)


def augment(x: Tensor, generator: Generator, spec: Spec, settings: Settings = USUAL) -> Tensor:
    """x [B, K, 2], a number and a code of each cell."""
    import torch

    if settings.noise:
        drawn = settings.noise * torch.randn(x.shape[:2], generator=generator).to(x)
        numeric = torch.tensor([codes == 2 for _, codes in spec.columns], device=x.device)
        x = torch.stack([x[..., 0] + drawn * (numeric & (x[..., 1] > 0)), x[..., 1]], -1)
    if settings.cell_dropout:
        kept = torch.rand(x.shape[:2], generator=generator) >= settings.cell_dropout
        x = x * kept.unsqueeze(-1).to(x.device, non_blocking=True)
    return x
