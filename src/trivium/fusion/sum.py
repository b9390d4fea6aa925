"""Each stream is mapped to one width by a linear map of its own, and these are added. The sum is divided by how many
streams are there, so that a sample that lacks some is not smaller than the others.

Shapes: {stream: [B, D_s]}, bool [B, S] -> [B, D]. Cost: the maps, D x D_s weights each.
With a linear head, the answer is a sum of what each stream says alone: an exclusive or of two streams is out of reach.
Source: additive fusion in Kiela et al. 2018, arXiv 1802.02892.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from trivium.fusion.base import Projected, Wide, common


class Settings(Wide):
    pass


class Sum(nn.Module):
    """{stream: [B, D_s]}, bool [B, S] -> [B, D]; zeros for a sample without streams."""

    def __init__(self, widths: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.width = width
        self.projected = Projected(widths, width)

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        return self.projected(vectors, present).sum(1) / present.sum(1, keepdim=True).clamp(min=1)


def build(widths: Mapping[str, int], settings: Settings) -> Sum:
    return Sum(widths, common(widths, settings.width))
