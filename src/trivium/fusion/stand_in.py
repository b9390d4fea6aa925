"""A learned vector in place of a stream that a sample lacks, whatever the fusion: its setting `stand_in: true`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from trivium.tasks import Task


class StandIn(nn.Module):
    """`mix`, which hears a learned vector of the stream's width, zero at first, in place of one that a sample lacks: to
    it, all streams are always there. Of a stream with tokens, it hears no token then.
    """

    def __init__(self, mix: nn.Module, widths: Mapping[str, int]) -> None:
        super().__init__()
        self.mix, self.width = mix, mix.width
        self.instead = nn.ParameterDict({s: nn.Parameter(torch.zeros(width)) for s, width in widths.items()})

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        heard = {s: self._heard(vectors[s], one, present[:, k]) for k, (s, one) in enumerate(self.instead.items())}
        return self.mix(heard, torch.ones_like(present))

    def judged_by(self, head: nn.Module, task: Task) -> None:
        if hasattr(self.mix, "judged_by"):
            self.mix.judged_by(head, task)

    def _heard(self, given: Tensor, instead: Tensor, there: Tensor) -> Tensor:
        instead = instead.to(given.dtype)
        if given.dim() == 2:
            return torch.where(there.unsqueeze(1), given, instead)
        first = nn.functional.pad(instead, (0, 1), value=1.0).unsqueeze(0)
        whole = nn.functional.pad(first, (0, 0, 0, given.shape[1] - 1))
        return torch.where(there[:, None, None], given, whole)
