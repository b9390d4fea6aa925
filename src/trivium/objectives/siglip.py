"""Alignment across streams, pair by pair: of every two vectors in the batch, one of each stream, it is judged by itself
whether they are of one sample.

Unlike in `align`, samples do not compete for being the partner. How sharply a pair is judged, and from which similarity
on it is taken for one, is learned.

Shapes: vectors [B, D] per stream -> [B, W] -> similarities [N, N] per pair of streams.
Cost: that of `align`.
Source: Zhai et al. 2023, arXiv 2303.15343, algorithm 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from trivium.objectives.across import Across
from trivium.settings.base import Section

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.tasks import Task

LABELS, TOGETHER = False, True
SPACE = True  # `project` and `sharpness` are kept with the components: see `models.space`
NEEDS = frozenset({"dense", "gradients"})  # of the encoders: see `training.needs`
SCALE, SHIFT = 10.0, -10.0  # at first, as in the paper: nearly all pairs are of two samples


class Settings(Section):
    width: Annotated[int, Field(ge=8)] = 64  # W of the common space


class SigLIP(Across):
    compares = True  # the samples of a batch with each other: no micro-batches
    as_trained = True  # what is a likely pair depends on how many there are, and `shift` learns it: see `loop.validate`

    def __init__(self, encoders: Mapping[str, Encoder], streams: Sequence[str], width: int) -> None:
        super().__init__(encoders, streams, width)
        self.sharpness, self.shift = nn.Parameter(torch.tensor(SCALE).log()), nn.Parameter(torch.tensor(SHIFT))

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Mean over the pairs of streams that any two samples of the batch have."""
        scale = self.sharpness.exp()
        losses = [judged(scale * a @ b.T + self.shift) for a, b in self.pairs(batch)]
        return torch.stack(losses).mean() if losses else 0.0 * self.sharpness


def judged(logits: Tensor) -> Tensor:
    """logits [N, N], row i of one stream, column j of the other: -ln sigmoid(logit) of one's own partner, -ln
    sigmoid(-logit) of all others; summed over a row, mean over the rows.
    """
    own = 2 * torch.eye(len(logits), device=logits.device) - 1
    return -nn.functional.logsigmoid(own * logits).sum(1).mean()


def build(encoders: Mapping[str, Encoder], streams: Sequence[str], task: Task, settings: Settings) -> SigLIP:
    return SigLIP(encoders, streams, settings.width)
