"""A batch behind the encoders. The analyses recombine its vectors, which costs a fusion and a head, not a network.

Legend: `B` samples, `D_s` width of a stream's vectors, `C` outputs, `P` orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trivium.data.store import Batch, joined
from trivium.encoders.base import PAD, Encoder
from trivium.models import kept

if TYPE_CHECKING:
    import numpy as np

    from trivium.data.store import Store
    from trivium.models.network import Model

SIZE = 256  # inputs that pass a model at a time, where the settings do not say: gradients take memory


def readers(model: Model) -> tuple[str, ...]:
    """The streams whose vectors the model has, in their order."""
    return tuple(model.readers)


def encoder(model: Model, stream: str) -> Encoder:
    """[B, ...] -> [B, D_s], inside `model`."""
    return model.readers[stream]


def answer(model: Model, batch: Batch) -> Tensor:
    """The task's answers [B, C] to an encoded `batch`."""
    return model.answer(batch.inputs, batch.present)


def gives(model: Model, stream: str, what: str) -> bool:
    """Whether the encoder of `stream` gives "dense" vectors, "gradients", ... (see `Encoder.gives`)."""
    return what in encoder(model, stream).gives


def through(module: nn.Module, x: Tensor, size: int) -> Tensor:
    """module(x), `size` samples at a time; published encoders see texts of about the same length together, and of
    pictures and sounds as few as stay in the processor's cache.
    """
    if isinstance(module, Encoder) and module.published:
        if not x.is_floating_point():
            return _by_length(module, x)
        size = kept.FEW if x.device.type == "cpu" else size
    return joined([module(part) for part in x.split(size)])


def _by_length(module: nn.Module, x: Tensor) -> Tensor:
    """Without most of the padding, as the vectors that are kept were made."""
    tokens = lengths(x)
    order = tokens.argsort(descending=True, stable=True)
    parts = [module(x[part, : max(1, int(tokens[part[0]]))]) for part in order.split(kept.BATCH)]
    return joined(parts)[order.argsort()]


def lengths(x: Tensor) -> Tensor:
    """int64 [B]: tokens [B, T] up to the last one that is not padding; some before it may have been taken away."""
    return ((x != PAD) * torch.arange(1, x.shape[1] + 1, device=x.device)).amax(1)


def cut(model: Model, store: Store, batch: Batch) -> Batch:
    """`batch` of inputs without the padding behind the longest text, which published text encoders do not see."""
    inputs = {s: x[:, : max(1, int(lengths(x).max()))]
              if store.specs[s].kind == "tokens" and encoder(model, s).published else x
              for s, x in batch.inputs.items()}
    return Batch(inputs, batch.present, batch.y)


def encode(model: Model, batch: Batch, size: int) -> Batch:
    """`batch` with its inputs replaced by the vectors of the streams that the model reads."""
    vectors = {s: through(part, batch.inputs[s], size) for s, part in model.readers.items()}
    return Batch(vectors, batch.present, batch.y, encoded=True)


def encode_rows(model: Model, store: Store, rows: np.ndarray, seed: int, size: int,
                only: Sequence[str] | None = None) -> Batch:
    """The samples of `rows`, encoded, or with the vectors that are kept; no more than `size` are held as inputs.

    only: the vectors of these streams.
    """
    about, vectors = store.batch(rows, seed, []), {}
    for s, part in model.readers.items():
        if only is not None and s not in only:
            continue
        if s in model.kept:
            vectors[s] = model.kept[s].take(rows).to(about.y.device)
        else:
            vectors[s] = rows_through(part, store, s, rows, seed, size)
    return Batch(vectors, about.present, about.y, encoded=True)


def rows_through(module: nn.Module, store: Store, stream: str, rows: np.ndarray, seed: int, size: int) -> Tensor:
    """What `module` makes of `stream` in the samples of `rows`, [B, ...]."""
    parts = [rows[k: k + size] for k in range(0, len(rows), size)]
    return joined([through(module, store.batch(part, seed, [stream]).inputs[stream], size) for part in parts])


def replace(batch: Batch, stream: str, vectors: Tensor) -> Batch:
    """An encoded `batch` in which another thing, as its encoder gives it, stands for one stream."""
    return Batch({**batch.inputs, stream: vectors}, batch.present, batch.y, encoded=True)


def shuffle(model: Model, batch: Batch, streams: Sequence[str], order: Tensor) -> Batch:
    """An encoded `batch` in which sample i has the `streams`, and their presence, of sample order[i]."""
    present = batch.present.clone()
    for s in streams:
        column = model.streams.index(s)
        present[:, column] = present[order, column]
    vectors = {s: x[order] if s in streams else x for s, x in batch.inputs.items()}
    return Batch(vectors, present, batch.y, encoded=True)


def cycles(samples: int, count: int, seed: int) -> Tensor:
    """int64 [P, B]: random orders that are one cycle each, so that no sample keeps its own place (B > 1)."""
    generator = torch.Generator().manual_seed(seed)
    orders = torch.empty(count, samples, dtype=torch.int64)
    for order in orders:
        walk = torch.randperm(samples, generator=generator)
        order[walk] = walk.roll(1)
    return orders

