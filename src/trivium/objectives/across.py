"""What objectives on pairs of streams share: a linear map per stream to a common space.

Legend: `B` samples, `N` samples that have both streams of a pair, `W` width of the common space.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder


class Across(nn.Module):
    labels = False

    def __init__(self, encoders: Mapping[str, Encoder], streams: Sequence[str], width: int) -> None:
        super().__init__()
        self.columns = {s: streams.index(s) for s in encoders}
        self.encoders = nn.ModuleDict(encoders)
        self.project = nn.ModuleDict({s: nn.Linear(part.width, width, bias=False) for s, part in encoders.items()})

    def pairs(self, batch: Batch) -> Iterator[tuple[Tensor, Tensor]]:
        """Of every pair of streams that any two samples of the batch have, both streams [N, W], each row of length 1;
        row i of both is one sample.
        """
        found = {s: nn.functional.normalize(self.project[s](part(blank(batch.inputs[s], batch.present[:, column]))),
                                            dim=-1)
                 for (s, column), part in zip(self.columns.items(), self.encoders.values(), strict=True)}
        for a, b in combinations(found, 2):
            both = (batch.present[:, self.columns[a]] & batch.present[:, self.columns[b]]).nonzero()[:, 0]
            if len(both) > 1:
                yield found[a][both], found[b][both]

    def score(self, batch: Batch) -> Tensor:
        """Nothing in the loss is drawn."""
        loss: Tensor = self.loss(batch, torch.Generator())  # type: ignore[operator]
        return loss


def blank(x: Tensor, there: Tensor) -> Tensor:
    """Inputs [B, ...] with zeros for samples that are not there, bool [B]: what stands in for them counts nothing."""
    return torch.where(there.view(-1, *[1] * (x.dim() - 1)), x, 0)
