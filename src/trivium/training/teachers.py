"""What a recipe left at a seed, for objectives that learn from it: see `objectives.network.Left`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trivium.training import components, late_fusion

if TYPE_CHECKING:
    from trivium.data.store import Store
    from trivium.encoders.base import Encoder
    from trivium.models.network import Ensemble


@dataclass(frozen=True)
class Teachers:
    store: Store
    seed: int

    def __call__(self, stream: str) -> Encoder:
        """The stream's encoder."""
        return components.encoder(self.store.recipe, stream, self.seed)

    def ensemble(self, way: str) -> Ensemble:
        """What the recipe's classifiers answer together, in eval mode."""
        return late_fusion.ensemble(self.store, self.seed, way)
