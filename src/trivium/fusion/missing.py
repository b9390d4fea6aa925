"""What stands in for a modality that a sample lacks."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Missing(nn.Module):
    """[B, M, D], bool [B, M] -> [B, M, D] with a learned vector, zero at first, where a modality is absent."""

    def __init__(self, modalities: int, width: int) -> None:
        super().__init__()
        self.instead = nn.Parameter(torch.zeros(modalities, width))

    def forward(self, vectors: Tensor, present: Tensor) -> Tensor:
        return torch.where(present.unsqueeze(-1), vectors, self.instead.to(vectors.dtype))
