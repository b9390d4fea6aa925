"""Augmented training batches: each modality's own `augment`, drawn from the seed and the step alone."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from trivium import modalities
from trivium.data.store import Batch, Spec


class Augment:
    """A batch -> the same samples, changed in ways that keep their meaning. Validation and test batches never pass."""

    def __init__(self, specs: Mapping[str, Spec], seed: int) -> None:
        self.specs, self.seed = specs, seed

    def __call__(self, batch: Batch, step: int) -> Batch:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        inputs = {}
        for m, x in batch.inputs.items():
            augment = getattr(modalities.get(m), "augment", None)
            inputs[m] = x if augment is None else augment(x, generator, self.specs[m])
        return Batch(inputs, batch.present, batch.y)
