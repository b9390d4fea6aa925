"""Classification by the nearest class centre in a common space (zero-shot: CLIP, Radford et al. 2021, section 3.1).

A sample is the mean of the normalised projections of the streams that it has, normalised; a class is a centre; an
output is their cosine times the learned inverse temperature. Legend: `B` samples, `S` streams of the data, `R` those
that are read, `D` width, `W` that of the space, `C` classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from trivium.encoders.base import Encoder
from trivium.models.network import Model, Vectors
from trivium.tasks import Task


class Prompted(Model):
    """streams: of the data, in the order of `present`;  encoders: of those that are read;  width: W"""

    def __init__(self, encoders: Mapping[str, Encoder], streams: Sequence[str], width: int, task: Task) -> None:
        super().__init__(task)
        self.encoders, self.streams = nn.ModuleDict(encoders), tuple(streams)
        self.project = nn.ModuleDict({s: nn.Linear(part.width, width, bias=False) for s, part in encoders.items()})
        self.register_buffer("centres", torch.zeros(task.outputs, width))
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("calibration", task.uncalibrated())

    @property
    def readers(self) -> dict[str, Encoder]:
        return dict(self.encoders.items())

    def embed(self, vectors: Vectors, present: Tensor) -> Tensor:
        """[B, W], of length 1; zeros where nothing that is read is present. present: bool [B, S]"""
        each = torch.stack([nn.functional.normalize(part(vectors[s]), dim=-1) for s, part in self.project.items()], 1)
        here = present[:, [self.streams.index(s) for s in self.project]]
        return nn.functional.normalize(torch.where(here.unsqueeze(-1), each, 0.0).sum(1), dim=-1)

    def outputs(self, vectors: Vectors, present: Tensor) -> Tensor:
        """[B, C], before they are calibrated; all alike where nothing that is read is present."""
        return self.scale * self.embed(vectors, present) @ self.centres.T

    def answer(self, vectors: Vectors, present: Tensor) -> Tensor:
        return self.task.answer(self.outputs(vectors, present), self.calibration)
