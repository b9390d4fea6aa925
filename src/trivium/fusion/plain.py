"""No fusion of its own: the vectors side by side, for a linear head. Zeros stand for a stream that a sample lacks, and
the head is told which streams are there.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trivium.settings.base import Section


class Settings(Section):
    pass


class Plain(nn.Module):
    """{stream: [B, D_s]}, bool [B, S] -> [B, sum of D_s + S]."""

    def __init__(self, widths: Mapping[str, int]) -> None:
        super().__init__()
        self.streams, self.width = tuple(widths), sum(widths.values()) + len(widths)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        first = vectors[self.streams[0]]
        there = present.to(first.dtype)
        return torch.cat([*(vectors[s] * there[:, k: k + 1] for k, s in enumerate(self.streams)), there], 1)


def build(widths: Mapping[str, int], settings: Settings) -> Plain:
    return Plain(widths)
