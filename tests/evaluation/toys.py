"""Models whose answers are known: what the analyses say of them can be written down beforehand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from trivium.data.store import Batch


class Toy(nn.Module):
    """Encoders that leave their input as it is, and `rule`: vectors {m: [B, D]} -> scores [B, C]."""

    def __init__(self, modalities: Sequence[str], rule: Callable[[dict[str, Tensor]], Tensor]) -> None:
        super().__init__()
        self.modalities, self.rule = tuple(modalities), rule
        self.encoders = nn.ModuleDict({m: nn.Flatten() for m in modalities})

    def forward(self, inputs: dict[str, Tensor], present: Tensor) -> Tensor:
        seen = torch.where(present.unsqueeze(-1), inputs["vectors"], torch.zeros(()))
        return self.rule(dict(zip(self.modalities, seen.unbind(1), strict=True))).log_softmax(-1)


def batch(y: Tensor, **vectors: Tensor) -> Batch:
    """An encoded batch in which every sample has everything; vectors [B] or [B, D] per modality."""
    columns = [v.float().reshape(len(y), -1) for v in vectors.values()]
    return Batch({"vectors": torch.stack(columns, 1)}, torch.ones(len(y), len(columns), dtype=torch.bool), y)


def sure(label: Tensor, classes: int = 2) -> Tensor:
    """Scores [B, C] that leave no doubt about `label` [B]."""
    return 20.0 * nn.functional.one_hot(label.long(), classes).float()
