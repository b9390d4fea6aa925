"""The joint loss and each stream's own, weighed (Wang et al. 2020, arXiv 1905.12681, eq. 5): w L + sum over streams of
w_s L_s. `training.blended` estimates the weights, which add up to 1; until then all count the same. The streams' losses
are those of `unimodal_losses`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trivium.objectives.network.joint import Joint
from trivium.objectives.network.unimodal_losses import UnimodalLosses
from trivium.objectives.supervised import Supervised

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.models.network import Multimodal


class Blended(UnimodalLosses):
    """together: weight of the joint loss."""

    def __init__(self, model: Multimodal) -> None:
        self.together = 1 / (1 + len(model.streams))
        super().__init__(model, dict.fromkeys(model.streams, self.together))

    def copies(self) -> dict[str, nn.Module]:
        """What is tried before: the whole network, as "", and each stream's encoder with a head of its own."""
        found: dict[str, nn.Module] = {"": Joint(deepcopy(self.model).requires_grad_(True))}
        for s, encoder in self.model.readers.items():
            own = deepcopy(encoder).requires_grad_(True)
            own.whole = False
            found[s] = Supervised(own, self.task)
        return found

    def weigh(self, together: float, streams: Mapping[str, float]) -> None:
        self.together, self.weights = together, dict(streams)

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        vectors = self.model.read(batch)
        joint = self.task.loss(self.model.outputs(vectors, batch.present), batch.y, batch.weight)
        return self.beside(self.together * joint, vectors, batch)


def build(model: Multimodal, component: Callable[[str], Encoder]) -> Blended:
    return Blended(model)
