"""The columns of a table as plain features: a number itself and whether it is missing, a 1 at the code of a category.

Nothing in it is trained. Legend: `B` rows, `K` columns, `D` features.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trivium.encoders.base import Encoder
from trivium.settings.base import Section

if TYPE_CHECKING:
    from trivium.modalities.spec import Spec

PROCESSOR = {"table": "table"}
GIVES = frozenset({"dense"})


class Settings(Section):
    pass


class Cells(Encoder):
    """The 2 features of a number stand where those of a category with 2 codes would."""

    gives = GIVES

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        codes = [count for _, count in spec.columns]
        self.spec, self.width, self.patch = spec, sum(codes), ()
        self.register_buffer("first", torch.tensor([0, *accumulate(codes)][:-1]), persistent=False)
        self.register_buffer("last", torch.tensor(codes) - 1, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        number, code = x.unbind(-1)
        place = torch.minimum(code.long().clamp(min=0), self.last) + self.first
        said = torch.where(self.last == 1, torch.where(code > 0, number, 1.0), 1.0)  # of a number, or that it is none
        return x.new_zeros(len(x), self.width).scatter(1, place, said)


def build(spec: Spec, settings: Settings) -> Cells:
    return Cells(spec)
