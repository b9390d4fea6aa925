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
        reads = torch.tensor([[k in group for k in every] for group in self.groups])  # bool [experts, S]
        self.register_buffer("reads", reads, persistent=False)
        self.experts = nn.ModuleList([nn.Linear(len(group) * width, width) for group in self.groups])
        self.gate = nn.Linear(len(widths) * width, len(self.groups))
        self.projected = Projected(widths, width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        own = self.projected(vectors, present)
        row = own.unbind(1)  # once: the gradient of each own[:, k] would fill all of [B, S, D]
        answers = torch.stack([expert(torch.cat([row[k] for k in group], 1))
                               for group, expert in zip(self.groups, self.experts, strict=True)], 1)
        return (self._weights(own, present).unsqueeze(-1) * nn.functional.gelu(answers)).sum(1)

    def attention(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """[B, S]: the weights of the experts that read a stream, 0-1. That of one which reads several is shared out
        among them alike, since what it takes from which is not known.
        """
        weights = self._weights(self.projected(vectors, present), present)
        return weights @ (self.reads / self.reads.sum(1, keepdim=True)).to(weights.dtype)

    def _weights(self, own: Tensor, present: Tensor) -> Tensor:
        """[B, experts]: of those whose streams are all there, together 1."""
        ready = (present.unsqueeze(1) | ~self.reads).all(2)
        return shares(self.gate(own.flatten(1)), ready)


def build(widths: Mapping[str, int], settings: Settings) -> Experts:
    return Experts(widths, common(widths, settings.width))
