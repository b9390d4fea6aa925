"""A batch behind the encoders. The analyses recombine its vectors, which costs a fusion and a head, not a network.

Legend: `B` samples, `M` modalities of the data, `K` those that the model reads, `D` width, `C` classes, `P` orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trivium.data.store import Batch
from trivium.models.network import Ensemble

if TYPE_CHECKING:
    import numpy as np

    from trivium.data.store import Store

SIZE = 256  # inputs that pass a model at a time, where the settings do not say: gradients take memory
LOWEST = -27.6310211159  # log of 1e-12: the same floor as in `metrics`, so that one certain mistake stays finite


def readers(model: nn.Module) -> tuple[str, ...]:
    """The K modalities whose vectors the model has, in their order."""
    return tuple(model.members) if isinstance(model, Ensemble) else tuple(model.modalities)


def encoder(model: nn.Module, modality: str) -> nn.Module:
    """[B, ...] -> [B, D], inside `model`."""
    return model.members[modality].encoder if isinstance(model, Ensemble) else model.encoders[modality]


def through(module: nn.Module, x: Tensor, size: int) -> Tensor:
    """module(x), `size` samples at a time."""
    return torch.cat([module(part) for part in x.split(size)])


def encode(model: nn.Module, batch: Batch, size: int) -> Batch:
    """`batch` with its inputs replaced by {"vectors": [B, K, D]}, which the model takes as well."""
    vectors = [through(encoder(model, m), batch.inputs[m], size) for m in readers(model)]
    return Batch({"vectors": torch.stack(vectors, 1)}, batch.present, batch.y)


def encode_rows(model: nn.Module, store: Store, rows: np.ndarray, seed: int, size: int) -> Batch:
    """The samples of `rows`, encoded; no more than `size` of them are held as inputs at a time."""
    parts = [encode(model, store.batch(rows[k: k + size], seed), size) for k in range(0, len(rows), size)]
    vectors, present, y = (torch.cat(of) for of in zip(
        *((part.inputs["vectors"], part.present, part.y) for part in parts), strict=True))
    return Batch({"vectors": vectors}, present, y)


def replace(model: nn.Module, batch: Batch, modality: str, vectors: Tensor) -> Batch:
    """An encoded `batch` in which one modality has other vectors [B, D]."""
    changed = batch.inputs["vectors"].clone()
    changed[:, readers(model).index(modality)] = vectors
    return Batch({"vectors": changed}, batch.present, batch.y)


def shuffle(model: nn.Module, batch: Batch, modalities: Sequence[str], order: Tensor) -> Batch:
    """An encoded `batch` in which sample i has the `modalities`, and their presence, of sample order[i]."""
    vectors, present = batch.inputs["vectors"].clone(), batch.present.clone()
    for m in modalities:
        column = model.modalities.index(m)
        present[:, column] = present[order, column]
        if m in readers(model):
            place = readers(model).index(m)
            vectors[:, place] = vectors[order, place]
    return Batch({"vectors": vectors}, present, batch.y)


def cycles(samples: int, count: int, seed: int) -> Tensor:
    """int64 [P, B]: random orders that are one cycle each, so that no sample keeps its own place (B > 1)."""
    generator = torch.Generator().manual_seed(seed)
    orders = torch.empty(count, samples, dtype=torch.int64)
    for order in orders:
        walk = torch.randperm(samples, generator=generator)
        order[walk] = walk.roll(1)
    return orders


def accuracy(log_probabilities: Tensor, y: Tensor) -> float:
    return (log_probabilities.argmax(-1) == y).double().mean().item()
