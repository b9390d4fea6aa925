"""Masked modelling across streams: part of every stream is hidden, and what was there is predicted from its own tokens,
its own vector and the vectors of the other streams.

So a vector is asked what its stream says of the others, and what of itself. Where streams say nothing of each other,
`masked` is left. Each stream is read once, with its hidden part. An absent stream says nothing and is asked nothing.

Shapes: per stream, tokens [B, T, D] and the vectors [B, D] of all streams -> guesses [B, T, O].
Cost: that of `masked` for each stream and, for each pair, D x D multiplications.
Source: with vectors in place of tokens of the others, MultiMAE, Bachmann et al. 2022, arXiv 2204.01678; FLAVA, Singh
et al. 2022, arXiv 2112.04482.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from trivium.objectives.across import blank
from trivium.objectives.hiding import Hiding
from trivium.settings.base import Section

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.tasks import Task

LABELS, TOGETHER = False, True
NEEDS = frozenset({"tokens", "dense", "gradients"})  # of the encoders: see `training.needs`


class Settings(Section):
    mask: Annotated[float, Field(gt=0, lt=1)] = 0.5  # share of each stream that is hidden


class CrossMasked(nn.Module):
    """Raises: UserError (an encoder of the hub whose tokens are not those of `patches`)."""

    labels = LABELS

    def __init__(self, encoders: Mapping[str, Encoder], streams: Sequence[str], share: float) -> None:
        super().__init__()
        self.columns = {s: streams.index(s) for s in encoders}
        self.parts = nn.ModuleDict({s: Hiding(part, share, "crossmasked") for s, part in encoders.items()})
        self.tell = nn.ModuleDict({s: nn.ModuleDict({other: nn.Linear(encoders[other].width, part.width)
                                                     for other in encoders if other != s})
                                   for s, part in encoders.items()})  # what the others tell of s

    @property
    def encoders(self) -> dict[str, Encoder]:
        return {s: part.encoder for s, part in self.parts.items()}

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Mean over the streams that the batch has, of each its mean over the hidden tokens."""
        there = {s: batch.present[:, column] for s, column in self.columns.items()}
        inputs = {s: blank(batch.inputs[s], there[s]) for s in self.parts}
        found = {s: part.read(inputs[s], generator) for s, part in self.parts.items()}
        known = {s: part.whole(found[s][2]) for s, part in self.parts.items()}
        for s, other in permutations(self.parts, 2):
            told = self.tell[s][other](found[other][2])
            known[s] = known[s] + torch.where(there[other].unsqueeze(1), told, 0.0)
        losses = []
        for s, part in self.parts.items():
            hidden, tokens, _ = found[s]
            losses.append(part.error(inputs[s], hidden & there[s].unsqueeze(1), tokens, known[s]))
        share = torch.stack([one.any() for one in there.values()]).float()
        return (torch.stack(losses) * share).sum() / share.sum().clamp(min=1)

    def score(self, batch: Batch) -> Tensor:
        """The same loss with fixed masks."""
        return self.loss(batch, torch.Generator().manual_seed(0))


def build(encoders: Mapping[str, Encoder], streams: Sequence[str], task: Task, settings: Settings) -> CrossMasked:
    return CrossMasked(encoders, streams, settings.mask)
