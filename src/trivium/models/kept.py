"""Vectors of frozen encoders, made once for every sample that has the stream, beside the component.

`vectors.npy`, float32 [N, D], and `flops.npy`, float64 [N], what the pass of each sample cost at its real length; N
rows of the store, zeros where the stream is missing.

Legend: `B` samples, `N` rows of the store, `T` tokens, `D` width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from trivium.data.store import Batch, Store
from trivium.machine import files
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from trivium.encoders.base import Encoder

BATCH = 32  # texts that pass an encoder together; the longest first, so that none is padded far
FEW = 4  # pictures and sounds that do: more of them leave the processor's cache


class Kept:
    """What is in a component's `folder`."""

    def __init__(self, folder: Path) -> None:
        try:
            self.vectors = np.load(folder / "vectors.npy", mmap_mode="r")
            self.flops = np.load(folder / "flops.npy")
        except (ValueError, EOFError):
            raise UserError(f"The vectors in {folder} are damaged. `trivium verify --repair` brings them back from "
                            "DVC's cache, or says what makes them again.") from None

    def take(self, rows: np.ndarray) -> Tensor:
        """float32 [B, D]"""
        return torch.from_numpy(np.ascontiguousarray(self.vectors[rows]))


def there(folder: Path) -> bool:
    return (folder / "vectors.npy").exists()


@torch.no_grad()
def write(encoder: Encoder, store: Store, stream: str, cost: Callable[[int], float], folder: Path,
          report: Callable[[int, int], None]) -> None:
    """Encode every row that has `stream`, and keep vectors and costs in `folder`.

    cost: FLOPs of a sample's pass, by its number of tokens (0 where inputs have one size).
    """
    rows, device = np.flatnonzero(store.has(stream)), next(encoder.parameters()).device
    vectors = np.zeros((len(store), encoder.width), np.float32)
    flops = np.zeros(len(store))
    done = 0
    for batch, x, lengths in in_order_of_length(store, stream, rows):
        vectors[batch] = encoder(x.to(device)).float().cpu().numpy()
        flops[batch] = [cost(int(length)) for length in lengths]
        done += len(batch)
        report(done, len(rows))
    for name, values in (("vectors.npy", vectors), ("flops.npy", flops)):
        with files.whole(folder / name) as scratch, scratch.open("wb") as file:
            np.save(file, values)


def in_order_of_length(store: Store, stream: str, rows: np.ndarray, seed: int = 0, cut: bool = True,
                       ) -> Iterator[tuple[np.ndarray, Tensor, np.ndarray]]:
    """Rows [B], inputs of these, texts `cut` to the longest of them, and the number of tokens of each (else 0)."""
    lengths = np.zeros(len(rows), np.int64)
    if store.specs[stream].kind == "tokens":
        found = [_lengths(store.batch(part, seed, [stream]), stream)
                 for part in np.split(rows, range(4096, len(rows), 4096))]
        lengths = np.concatenate(found)
    order = np.argsort(-lengths, kind="stable")
    size = BATCH if store.specs[stream].kind == "tokens" else FEW
    for part in np.split(order, range(size, len(order), size)):
        x = store.batch(rows[part], seed, [stream]).inputs[stream]
        if cut and store.specs[stream].kind == "tokens":
            x = x[:, : max(1, int(lengths[part].max()))]
        yield rows[part], x, lengths[part]


def _lengths(batch: Batch, stream: str) -> np.ndarray:
    return (batch.inputs[stream] != 0).sum(1).cpu().numpy()
