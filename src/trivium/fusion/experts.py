"""A mixture of experts over interactions: one expert reads each stream alone, one each pair, and one all of them. A
gate that reads every stream weighs the experts whose streams are all there.

Shapes: {stream: [B, D_s]}, bool [B, S] -> [B, D]. Cost: the maps, D x D_s weights each, and n x D x D for an expert of
n streams; their number grows with the square of S.
A simple form of the paper's idea: its losses, which make one expert unique, one redundant and one synergistic, are left
out, since a fusion has no loss of its own. What an expert of a pair learns is up to the task.
Source: I2MoE, Xin et al. 2025, arXiv 2505.19190; the gate, Jacobs et al. 1991.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import torch
from torch import Tensor, nn

from trivium.fusion.base import Projected, Wide, common, shares


class Settings(Wide):
    pass


class Experts(nn.Module):
    """{stream: [B, D_s]}, bool [B, S] -> [B, D]; zeros for a sample without streams.

    groups: the places of the streams that each expert reads.
    """

    def __init__(self, widths: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.width, every = width, range(len(widths))
        sizes = sorted({1, 2, len(widths)} - ({2} if len(widths) < 2 else set()))
        self.groups = [group for size in sizes for group in combinations(every, size)]
        self.experts = nn.ModuleList([nn.Linear(len(group) * width, width) for group in self.groups])
        self.gate = nn.Linear(len(widths) * width, len(self.groups))
        self.projected = Projected(widths, width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        own = self.projected(vectors, present)
        ready = torch.stack([torch.stack([present[:, k] for k in group], 1).all(1) for group in self.groups], 1)
        weights = shares(self.gate(own.flatten(1)), ready)  # [B, experts]
        answers = torch.stack([nn.functional.gelu(expert(torch.cat([own[:, k] for k in group], 1)))
                               for group, expert in zip(self.groups, self.experts, strict=True)], 1)
        return (weights.unsqueeze(-1) * answers).sum(1)


def build(widths: Mapping[str, int], settings: Settings) -> Experts:
    return Experts(widths, common(widths, settings.width))
