"""Alignment across streams without labels: InfoNCE over every pair of streams, among the samples that have both.

Of a sample's vector in one stream, its own partner in the other is to be found among those of the batch, and the other
way round; how sharply, is learned. A linear map per stream takes vectors to a common space; afterwards only the
strategy `prompts` uses these maps. Of N samples that cannot be told apart the loss is ln N.

Shapes: vectors [B, D] per stream -> [B, W] -> similarities [N, N] per pair.
Cost: one pass of each encoder and, per sample, D x W multiplications a stream and N x W a pair.
Source: van den Oord et al. 2018, arXiv 1807.03748; both ways and with a learned temperature, CLIP, Radford et al. 2021,
arXiv 2103.00020.
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
NEEDS = frozenset({"dense", "gradients"})  # of the encoders: see `training.needs`
SPACE = True  # `project` and `sharpness` are kept with the components: see `models.space`
SHARPEST = 100.0  # of the learned inverse temperature, as in CLIP


class Settings(Section):
    width: Annotated[int, Field(ge=8)] = 64  # W of the common space


class Align(Across):
    compares = True  # the samples of a batch with each other: no micro-batches

    def __init__(self, encoders: Mapping[str, Encoder], streams: Sequence[str], width: int) -> None:
        super().__init__(encoders, streams, width)
        self.sharpness = nn.Parameter(torch.tensor(1 / 0.07).log())

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Mean over the pairs of streams that any two samples of the batch have."""
        scale = self.sharpness.exp().clamp(max=SHARPEST)
        losses = [contrast(scale * a @ b.T) for a, b in self.pairs(batch)]
        return torch.stack(losses).mean() if losses else 0.0 * self.sharpness


def contrast(similarity: Tensor) -> Tensor:
    """similarity [N, N], row i of one stream, column j of the other: the cross-entropy of finding one's own partner,
    both ways.
    """
    own = torch.arange(len(similarity), device=similarity.device)
    return (nn.functional.cross_entropy(similarity, own) + nn.functional.cross_entropy(similarity.T, own)) / 2


def build(encoders: Mapping[str, Encoder], streams: Sequence[str], task: Task, settings: Settings) -> Align:
    return Align(encoders, streams, settings.width)
