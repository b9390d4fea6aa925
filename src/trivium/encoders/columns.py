"""What encoders of tables share: a token per column (Gorishniy et al. 2021, arXiv 2106.11959, section 3.3).

Legend: `B` rows, `K` columns, `D` width.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trivium.encoders.base import Encoder

if TYPE_CHECKING:
    from trivium.modalities.spec import Spec


class ColumnTokens(nn.Module):
    """Inputs [B, K, 2] -> tokens [B, K, D]: an embedding of each column's code, and of a number so much of a vector."""

    def __init__(self, spec: Spec, width: int) -> None:
        super().__init__()
        codes = [count for _, count in spec.columns]
        self.embed = nn.Embedding(sum(codes), width)
        self.weight = nn.Parameter(torch.empty(len(codes), width))
        self.register_buffer("first", torch.tensor([0, *accumulate(codes)][:-1]), persistent=False)
        self.register_buffer("last", torch.tensor(codes) - 1, persistent=False)
        for weight in (self.embed.weight, self.weight):
            nn.init.uniform_(weight, -(width**-0.5), width**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        number, code = x.unbind(-1)
        place = torch.minimum(code.long().clamp(min=0), self.last) + self.first
        return self.embed(place) + number.unsqueeze(-1) * self.weight


class OfColumns(Encoder):
    """Token k sees column k; a hidden column is one that is missing."""

    def __init__(self, spec: Spec, width: int) -> None:
        super().__init__()
        self.spec, self.width, self.patch = spec, width, ()

    def patches(self, x: Tensor) -> Tensor:
        """The number and the code of each column, [B, K, 2]."""
        return x

    def hide(self, x: Tensor, hidden: Tensor) -> Tensor:
        return x * ~hidden.unsqueeze(-1)

    @property
    def grid(self) -> tuple[int, ...]:
        return self.spec.shape[:1]
