"""The mean of the streams' vectors, each weighed by how sure the model's own head is of that stream alone: by
exp(-entropy) of what the head answers to it. With a linear head, that is the mean of the answers so weighed.

Shapes: {stream: [B, D_s]}, bool [B, S] -> [B, D]; a linear map for each stream whose width is not D. Cost: these maps,
and the head once more per stream.
Answers that do not say how sure they are, such as numbers with one spread for all, have weights that are the same.
It is meant for `alternating`, which trains the head on one stream at a time.
Source: the fusion at test time of Zhang et al. 2024, arXiv 2311.10707.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trivium.fusion.base import Aligned, Wide, common, heard, shares

if TYPE_CHECKING:
    from trivium.tasks import Task


class Settings(Wide):
    pass


class Entropy(nn.Module):
    """{stream: [B, D_s]}, bool [B, S] -> [B, D]; zeros for a sample without streams."""

    _head: nn.Module | None = None

    def __init__(self, widths: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.width = width
        self.aligned = Aligned(widths, width)

    def judged_by(self, head: nn.Module, task: Task) -> None:
        """The head of the model that this is the fusion of: it stays the model's, and is no part of this one."""
        object.__setattr__(self, "_head", head)
        self._task = task

    def one(self, stream: str, vector: Tensor) -> Tensor:
        """[B, D_s] -> [B, D]: what the head hears of a stream alone."""
        project = self.aligned.project
        return project[stream](vector) if stream in project else vector

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        each = self._each(vectors, present)
        return (shares(self.sureness(each), present).to(each.dtype).unsqueeze(-1) * each).sum(1)

    def attention(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """[B, S]: each stream's weight in the output, 0-1."""
        return shares(self.sureness(self._each(vectors, present)), present)

    def _each(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        """[B, S, D]"""
        each = self.aligned(heard(vectors, present, self.aligned.streams))
        return torch.where(present.unsqueeze(-1), each, 0.0)  # or the map's bias would stand for the stream

    @torch.no_grad()
    def sureness(self, each: Tensor) -> Tensor:
        """[B, S, D] -> minus the entropy of the head's answer to each stream, nats, [B, S]."""
        if self._head is None:
            return torch.zeros(each.shape[:2], device=each.device)
        answers = self._task.answer(self._head(each), self._task.uncalibrated().to(each.device))
        return -self._task.entropy(answers)


def build(widths: Mapping[str, int], settings: Settings) -> Entropy:
    return Entropy(widths, common(widths, settings.width))
