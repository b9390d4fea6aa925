"""The columns of a table as plain features: a number itself and whether it is missing, a 1 at the code of a category.

Nothing in it is trained. Legend: `B` rows, `K` columns, `D` features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trivium.encoders.base import Encoder
from trivium.encoders.columns import Places
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
        self.place = Places(spec)
        self.spec, self.width, self.patch = spec, self.place.count, ()

    def forward(self, x: Tensor) -> Tensor:
        number, code = x.unbind(-1)
        said = torch.where(self.place.last == 1, torch.where(code > 0, number, 1.0), 1.0)  # of a number, or none
        return self.given(x.new_zeros(len(x), self.width).scatter(1, self.place(code), said))


def build(spec: Spec, settings: Settings) -> Cells:
    return Cells(spec)
