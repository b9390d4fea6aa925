"""Augmented training batches: each modality's own `augment`, drawn from the seed and the step alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from trivium import modalities
from trivium.data.store import Batch
from trivium.modalities.spec import Spec

FIXED = ("features", "counts")  # kinds of tensors that are no picture or sound any more, to be moved


class Augment:
    """A batch -> the same samples, changed in ways that keep their meaning. Validation and test batches never pass.

    how: true, each modality's usual way; or modality -> its settings, and no change of the others.
    """

    def __init__(self, specs: Mapping[str, Spec], seed: int, how: bool | Mapping[str, Mapping[str, Any]] = True,
                 ) -> None:
        self.seed = seed
        self.by_stream: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {}
        for s, spec in specs.items():
            own = getattr(modalities.get(spec.modality), "augment", None)
            if own is None or spec.kind in FIXED:
                continue
            if isinstance(how, bool):
                self.by_stream[s] = partial(own, spec=spec)
            elif spec.modality in how:
                chosen = modalities.augmentation(spec.modality, how[spec.modality], "loop.augment")
                self.by_stream[s] = partial(own, spec=spec, settings=chosen)

    def __call__(self, batch: Batch, step: int) -> Batch:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        inputs = {s: self.by_stream[s](x, generator) if s in self.by_stream else x for s, x in batch.inputs.items()}
        return replace(batch, inputs=inputs)
