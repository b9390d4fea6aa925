"""Augmented training batches: each modality's own `augment`, drawn from the seed and the step alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from trivium import modalities
from trivium.data.store import Batch
from trivium.modalities.spec import Spec


class Augment:
    """A batch -> the same samples, changed in ways that keep their meaning. Validation and test batches never pass."""

    def __init__(self, specs: Mapping[str, Spec], seed: int) -> None:
        self.seed = seed
        found = {s: modalities.augmenter(spec) for s, spec in specs.items()}
        self.by_stream = {s: augment for s, augment in found.items() if augment is not None}

    def __call__(self, batch: Batch, step: int) -> Batch:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        inputs = {s: self.by_stream[s](x, generator) if s in self.by_stream else x for s, x in batch.inputs.items()}
        return replace(batch, inputs=inputs)
