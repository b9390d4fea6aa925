"""Feature-wise linear modulation: one stream sets, number by number, a scale and a shift for the others. It suits a
stream that says how another is to be read, as a question does for a picture.

Shapes: {stream: [B, D_s]}, bool [B, S] -> [B, D]. Cost: a map per stream, D x D_s weights each, and a scale for each
stream that is conditioned, D x D_s of the one that conditions.
The output is the mean of the scaled streams that are there, and the shift. Where the conditioning stream is absent, the
scale is 1 and the shift 0. The conditioned streams do not meet each other: only with the one that conditions.
Source: Perez et al. 2018, arXiv 1709.07871.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trivium.fusion.base import Projected, Wide, common, heard
from trivium.settings.errors import UserError
from trivium.settings.parts import nearest


class Settings(Wide):
    condition: str | None = None  # the stream that conditions the others; null: the first


class Film(nn.Module):
    """{stream: [B, D_s]}, bool [B, S] -> [B, D]; zeros for a sample without streams."""

    def __init__(self, widths: Mapping[str, int], width: int, condition: str) -> None:
        super().__init__()
        self.width, self.streams, self.condition = width, tuple(widths), condition
        others = {s: own for s, own in widths.items() if s != condition}
        self.scale = nn.ModuleDict({s: nn.Linear(widths[condition], width) for s in others})  # 1 is added
        self.shift = nn.Linear(widths[condition], width)
        self.projected = Projected(others, width) if others else None

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        at = self.streams.index(self.condition)
        there = present[:, at: at + 1]
        by = heard(vectors, present, self.streams)[self.condition]
        shift = torch.where(there, self.shift(by), 0.0)
        if self.projected is None:
            return shift
        seen = torch.cat([present[:, :at], present[:, at + 1:]], 1)
        scale = 1 + torch.where(there.unsqueeze(1), torch.stack([one(by) for one in self.scale.values()], 1), 0.0)
        scaled = scale * self.projected(vectors, seen)
        return scaled.sum(1) / seen.sum(1, keepdim=True).clamp(min=1) + shift


def build(widths: Mapping[str, int], settings: Settings) -> Film:
    """Raises: UserError (a stream that there is not)."""
    condition = settings.condition or next(iter(widths))
    if condition not in widths:
        raise UserError(f"params.yaml: `fusion: film`: there is no stream `{condition}` to condition the others; "
                        f"{nearest(condition, widths)}")
    return Film(widths, common(widths, settings.width), condition)
