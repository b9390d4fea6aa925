"""Models whose answers are known: what the analyses say of them can be written down beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trivium.data.store import Batch
from trivium.models.network import Model
from trivium.tasks.classification import Classification


class Leaf(nn.Flatten):
    """An encoder that leaves its input as it is, and gives all that a network could."""

    gives = frozenset({"tokens", "dense", "gradients"})
    published = False


class Toy(Model):
    """Encoders that leave their input as it is, and `rule`: vectors {s: [B, D]} -> scores [B, C]."""

    def __init__(self, streams: Sequence[str], rule: Callable[[dict[str, Tensor]], Tensor],
                 classes: Sequence[str] = "0123456789") -> None:
        super().__init__(Classification(classes))
        self.streams, self.rule = tuple(streams), rule
        self.encoders = nn.ModuleDict({s: Leaf() for s in streams})

    @property
    def readers(self) -> dict[str, Any]:
        return dict(self.encoders.items())

    def answer(self, vectors: Mapping[str, Tensor], present: Tensor) -> Tensor:
        seen = {s: torch.where(present[:, k, None], vectors[s], torch.zeros(())) for k, s in enumerate(self.streams)}
        return self.rule(seen).log_softmax(-1)


def batch(y: Tensor, **vectors: Tensor) -> Batch:
    """An encoded batch in which every sample has everything; vectors [B] or [B, D] per stream."""
    columns = {s: v.float().reshape(len(y), -1) for s, v in vectors.items()}
    return Batch(columns, torch.ones(len(y), len(columns), dtype=torch.bool), y, encoded=True)


def sure(label: Tensor, classes: int = 2) -> Tensor:
    """Scores [B, C] that leave no doubt about `label` [B]."""
    return 20.0 * nn.functional.one_hot(label.long(), classes).float()
