"""What fusions share: streams brought to one width, and what stands in for a stream that a sample lacks.

Legend: `B` samples, `S` streams, `D` width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


class Projected(nn.Module):
    """{stream: [B, D_s]}, bool [B, S] -> [B, S, D]: a linear map for each stream, whatever its width, so that streams
    can be added and still be told apart; zeros where a stream is absent.
    """

    def __init__(self, widths: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.project = nn.ModuleDict({s: nn.Linear(own, width) for s, own in widths.items()})

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        made = torch.stack([self.project[s](x) for s, x in heard(vectors, present, tuple(self.project)).items()], 1)
        return torch.where(present.unsqueeze(-1), made, 0.0)  # or the map's bias would stand for the stream


def heard(vectors: Mapping[str, Tensor], present: Tensor, streams: Sequence[str]) -> dict[str, Tensor]:
    """{stream: [B, D_s]} in the order of `streams`, with zeros for what a sample lacks: no number that stands in its
    place and no gradient gets through, not even one that is not finite.
    """
    return {s: torch.where(present[:, k: k + 1], vectors[s], 0.0) for k, s in enumerate(streams)}


def shares(scores: Tensor, there: Tensor) -> Tensor:
    """[B, N], bool [B, N] -> [B, N]: softmax over what is there, and zeros elsewhere, also where nothing is there."""
    lowest = torch.finfo(scores.dtype).min  # and not -inf, of which a row makes no number
    return torch.where(there, scores.masked_fill(~there, lowest).softmax(-1), 0.0)


class Missing(nn.Module):
    """[B, S, D], bool [B, S] -> [B, S, D] with a learned vector, zero at first, where a stream is absent."""

    def __init__(self, streams: int, width: int) -> None:
        super().__init__()
        self.instead = nn.Parameter(torch.zeros(streams, width))

    def forward(self, vectors: Tensor, present: Tensor) -> Tensor:
        return torch.where(present.unsqueeze(-1), vectors, self.instead.to(vectors.dtype))
