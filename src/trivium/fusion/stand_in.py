"""A learned vector in place of a stream that a sample lacks, whatever the fusion: its setting `stand_in: true`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
        return self.mix(self._all(vectors, present), torch.ones_like(present))

    @property
    def attention(self) -> Callable[[Mapping[str, Tensor], Tensor], Tensor]:
        """The shares of `mix`, [B, S], without what it gives to the vectors that stand in: 0 for an absent stream.

        Raises: AttributeError (`mix` has none).
        """
        own = self.mix.attention

        def shares(vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
            return torch.where(present, own(self._all(vectors, present), torch.ones_like(present)), 0.0)

        return shares

    def judged_by(self, head: nn.Module, task: Task) -> None:
        if hasattr(self.mix, "judged_by"):
            self.mix.judged_by(head, task)

    def _all(self, vectors: Mapping[str, Tensor], present: Tensor) -> dict[str, Tensor]:
        return {s: self._heard(vectors[s], one, present[:, k]) for k, (s, one) in enumerate(self.instead.items())}

    def _heard(self, given: Tensor, instead: Tensor, there: Tensor) -> Tensor:
        instead = instead.to(given.dtype)
        if given.dim() == 2:
            return torch.where(there.unsqueeze(1), given, instead)
        first = nn.functional.pad(instead, (0, 1), value=1.0).unsqueeze(0)
        whole = nn.functional.pad(first, (0, 0, 0, given.shape[1] - 1))
        return torch.where(there[:, None, None], given, whole)
