"""A plain perceptron on the columns of a table, side by side.

The tokens are those of the columns, each by itself: what the columns say together is in the vector alone.

Legend: `B` rows, `K` columns, `D` width.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from torch import Tensor, nn

from trivium.encoders.base import Drop, Sized
from trivium.encoders.columns import ColumnTokens, OfColumns

if TYPE_CHECKING:
    from trivium.modalities.spec import Spec

PROCESSOR = {"table": "table"}


class Settings(Sized):
    pass


class Perceptron(OfColumns):
    """[K D] -> depth x [linear, GELU] -> linear -> [D]."""

    def __init__(self, spec: Spec, width: int, depth: int, dropout: float) -> None:
        super().__init__(spec, width)
        self.stem = ColumnTokens(spec, width)
        sides = [spec.shape[0] * width, *[width] * depth]
        after = (Drop(dropout),) if dropout else ()
        hidden = [part for a, b in pairwise(sides) for part in (nn.Linear(a, b), nn.GELU(), *after)]
        self.perceptron = nn.Sequential(*hidden, nn.Linear(width, width), nn.LayerNorm(width))

    def tokens(self, x: Tensor) -> Tensor:
        return self.stem(x)

    def pool(self, tokens: Tensor, x: Tensor) -> Tensor:
        return self.perceptron(tokens.flatten(1))


def build(spec: Spec, settings: Settings) -> Perceptron:
    return Perceptron(spec, settings.width, settings.depth, settings.dropout)
