"""Alignment across streams without labels: InfoNCE (van den Oord et al. 2018, arXiv 1807.03748; symmetric and with a
learned temperature as in CLIP, Radford et al. 2021) over every pair of streams, among the samples that have both.

A linear map per stream takes vectors to a common space; only the strategy `prompts` uses it afterwards. Of N samples
that cannot be told apart the loss is ln N.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

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
    width: Annotated[int, Field(ge=8)] = 64  # D of the common space


class Align(nn.Module):
    labels = LABELS

    def __init__(self, encoders: Mapping[str, Encoder], streams: Sequence[str], width: int) -> None:
        super().__init__()
        self.columns = {s: streams.index(s) for s in encoders}
        self.encoders = nn.ModuleDict(encoders)
        self.project = nn.ModuleDict({s: nn.Linear(part.width, width, bias=False) for s, part in encoders.items()})
        self.sharpness = nn.Parameter(torch.tensor(1 / 0.07).log())

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Mean over the pairs of streams that any two samples of the batch have."""
        found = {s: nn.functional.normalize(self.project[s](part(batch.inputs[s])), dim=-1)
                 for s, part in self.encoders.items()}
        scale, losses = self.sharpness.exp().clamp(max=SHARPEST), list[Tensor]()
        for a, b in combinations(found, 2):
            both = (batch.present[:, self.columns[a]] & batch.present[:, self.columns[b]]).nonzero()[:, 0]
            if len(both) > 1:
                losses.append(contrast(scale * found[a][both] @ found[b][both].T))
        return torch.stack(losses).mean() if losses else 0.0 * self.sharpness

    def score(self, batch: Batch) -> Tensor:
        return self.loss(batch, torch.Generator())


def contrast(similarity: Tensor) -> Tensor:
    """similarity [N, N], row i of one stream, column j of the other: the cross-entropy of finding one's own partner,
    both ways.
    """
    own = torch.arange(len(similarity), device=similarity.device)
    return (nn.functional.cross_entropy(similarity, own) + nn.functional.cross_entropy(similarity.T, own)) / 2


def build(encoders: Mapping[str, Encoder], streams: Sequence[str], task: Task, settings: Settings) -> Align:
    return Align(encoders, streams, settings.width)
