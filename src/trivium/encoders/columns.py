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


class Places(nn.Module):
    """Codes [B, K] -> the place of each among the codes of all columns, which stand one after the other, [B, K]."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        codes = [count for _, count in spec.columns]
        self.count = sum(codes)
        self.register_buffer("first", torch.tensor([0, *accumulate(codes)][:-1]), persistent=False)
        self.register_buffer("last", torch.tensor(codes) - 1, persistent=False)

    def forward(self, code: Tensor) -> Tensor:
        return torch.minimum(code.long().clamp(min=0), self.last) + self.first


class ColumnTokens(nn.Module):
    """Inputs [B, K, 2] -> tokens [B, K, D]: an embedding of each column's code, and of a number so much of a vector."""

    def __init__(self, spec: Spec, width: int) -> None:
        super().__init__()
        self.place = Places(spec)
        self.embed = nn.Embedding(self.place.count, width)
        self.weight = nn.Parameter(torch.empty(len(spec.columns), width))
        for weight in (self.embed.weight, self.weight):
            nn.init.uniform_(weight, -(width**-0.5), width**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        number, code = x.unbind(-1)
        return self.embed(self.place(code)) + number.unsqueeze(-1) * self.weight


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
    def front(self) -> nn.Module:  # type: ignore[override]
        """Between two categories, or a number and none, there is nothing; between their tokens there is."""
        return self.stem  # type: ignore[no-any-return]

    @property
    def grid(self) -> tuple[int, ...]:
        return self.spec.shape[:1]
