"""Augmented training batches: each modality's own `augment`, drawn from the seed and the step alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from trivium import modalities
from trivium.data.store import Batch
from trivium.modalities.spec import Spec


class Augment:
    """A batch -> the same samples, changed in ways that keep their meaning. Validation and test batches never pass.

    how: true, each modality's usual way; or modality -> its settings, and no change of the others.
    """

    def __init__(self, specs: Mapping[str, Spec], seed: int, how: bool | Mapping[str, Mapping[str, Any]] = True,
                 ) -> None:
        self.seed = seed
        self.by_stream: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {}
        for s, spec in specs.items():
            if not isinstance(how, bool) and spec.modality not in how:
                continue
            settings = None if isinstance(how, bool) else (
                modalities.augmentation(spec.modality, how[spec.modality], "loop.augment"))
            if (change := modalities.augmenter(spec, settings)) is not None:
                self.by_stream[s] = change

    def __call__(self, batch: Batch, step: int) -> Batch:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        inputs = {s: self.by_stream[s](x, generator) if s in self.by_stream else x for s, x in batch.inputs.items()}
        return replace(batch, inputs=inputs)
