"""What fusions share: streams brought to one width, and what stands in for a stream that a sample lacks.

Legend: `B` samples, `S` streams, `D` width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from trivium.settings.base import Section

WIDTH = 64  # D where the encoders' widths differ and the settings do not say


class Wide(Section):
    """`width`: D. Null: that of the encoders where they agree, else 64."""

    width: Annotated[int, Field(ge=8)] | None = None


def common(widths: Mapping[str, int], wanted: int | None) -> int:
    """D of a fusion of streams with these widths."""
    return wanted or (next(iter(widths.values())) if len(set(widths.values())) == 1 else WIDTH)


class Aligned(nn.Module):
    """{stream: [B, D_s]} -> [B, S, D]; a linear map for each stream whose width is not D, none for the others."""

    def __init__(self, widths: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.streams = tuple(widths)
        self.project = nn.ModuleDict({s: nn.Linear(own, width) for s, own in widths.items() if own != width})

    def forward(self, vectors: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([self.project[s](vectors[s]) if s in self.project else vectors[s] for s in self.streams], 1)


class Missing(nn.Module):
    """[B, S, D], bool [B, S] -> [B, S, D] with a learned vector, zero at first, where a stream is absent."""

    def __init__(self, streams: int, width: int) -> None:
        super().__init__()
        self.instead = nn.Parameter(torch.zeros(streams, width))

    def forward(self, vectors: Tensor, present: Tensor) -> Tensor:
        return torch.where(present.unsqueeze(-1), vectors, self.instead.to(vectors.dtype))
