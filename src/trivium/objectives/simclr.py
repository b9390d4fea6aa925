"""Contrast within one stream: each sample is changed in two ways, and of the one view the other is to be found among
all views of the batch.

A view is what the modality's `augment` makes of the input, with a share of its tokens hidden besides (`mask`): what
both views of a sample still say is what the vector learns. A text's views differ in their hidden tokens and, where the
encoder has dropout, in that: this is SimCSE. A perceptron takes vectors to the space in which they are compared, and is
dropped afterwards. Of N samples that cannot be told apart the loss (NT-Xent) is ln(2N - 1).

Shapes: two views of [B, ...] -> vectors [2B, D] -> [2B, W] -> similarities [2B, 2B].
Cost: two passes of the encoder and, per sample, 2 D x (D + W) + 4B x W multiplications.
Source: Chen et al. 2020, arXiv 2002.05709, equation 1; of texts, Gao et al. 2021, arXiv 2104.08821.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from trivium import modalities
from trivium.objectives import goals
from trivium.settings.base import Positive, Section

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.tasks import Task

LABELS, TOGETHER = False, False  # one stream at a time
NEEDS = frozenset({"dense", "gradients"})  # of the encoder: see `training.needs`


class Settings(Section):
    mask: Annotated[float, Field(ge=0, lt=1)] = 0.3  # share of the input that is hidden in each view
    temperature: Positive = 0.1  # of similarities from -1 to 1
    width: Annotated[int, Field(ge=8)] = 64  # W of the space of comparison


class SimCLR(nn.Module):
    labels = LABELS
    compares = True  # the samples of a batch with each other: no micro-batches

    def __init__(self, encoder: Encoder, settings: Settings) -> None:
        super().__init__()
        self.encoder, self.share, self.temperature = encoder, settings.mask, settings.temperature
        self.augment = modalities.augmenter(encoder.spec)
        self.goal = goals.goal(encoder)
        self.count = self.goal.count(goals.example(encoder))
        self.project = nn.Sequential(nn.Linear(encoder.width, encoder.width), nn.GELU(),
                                     nn.Linear(encoder.width, settings.width))

    @property
    def encoders(self) -> dict[str, Encoder]:
        return {self.encoder.spec.name: self.encoder}

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        x = batch.inputs[self.encoder.spec.name]
        views = torch.cat([self.view(x, generator) for _ in range(2)])
        return contrast(nn.functional.normalize(self.project(self.encoder(views)), dim=-1), self.temperature)

    def view(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """`x`, changed as drawn."""
        if self.augment is not None:
            x = self.augment(x, generator)
        hidden = torch.rand(len(x), self.count, generator=generator) < self.share
        return self.encoder.hide(x, self.goal.known(x, hidden.to(x.device, non_blocking=True)))

    def score(self, batch: Batch) -> Tensor:
        """The same loss with fixed views."""
        return self.loss(batch, torch.Generator().manual_seed(0))


def contrast(views: Tensor, temperature: float) -> Tensor:
    """views [2N, W], each of length 1, the second of sample i in row N + i: the cross-entropy of finding a view's
    partner among all others.
    """
    count = len(views)
    similarity = views @ views.T / temperature
    oneself = torch.eye(count, dtype=torch.bool, device=views.device)
    partner = torch.arange(count, device=views.device).roll(count // 2)
    return nn.functional.cross_entropy(similarity.masked_fill(oneself, -torch.inf), partner)


def build(encoders: Mapping[str, Encoder], streams: Sequence[str], task: Task, settings: Settings) -> SimCLR:
    return SimCLR(next(iter(encoders.values())), settings)
