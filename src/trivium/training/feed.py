"""Batches in an order that depends on the seed alone, from memory where they fit, else streamed ahead of the loop.

Nothing here makes a GPU's step wait for another: copies to the device do not block.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from trivium.data.store import Batch, Store
from trivium.training.augment import Augment

IN_MEMORY = 4 << 30  # bytes of float32 tensors that a feed may keep on the device


def _room(device: torch.device) -> int:
    """Bytes of inputs that may stay on `device`: of a GPU's free memory a quarter, since the model wants most of it."""
    return min(IN_MEMORY, torch.cuda.mem_get_info(device)[0] // 4) if device.type == "cuda" else IN_MEMORY


class Feed:
    """Samples `rows` of a store, or of a batch that is in memory already.

    `keep`, bool [N], leaves samples out without changing the order of the others: seed k means the same order for a
    strategy that reads one modality and for one that reads all. `only` names the one modality to read. With `augment`,
    batches of `training` (not of `once`) are augmented.
    """

    def __init__(self, source: Store | Batch, rows: np.ndarray, seed: int, device: torch.device | str = "cpu",
                 keep: np.ndarray | None = None, only: str | None = None, augment: bool = False) -> None:
        self.source, self.rows, self.seed, self.device, self.only = source, rows, seed, torch.device(device), only
        self.keep = None if keep is None else torch.from_numpy(keep)
        self.memory: Batch | None = None
        self.augment = Augment(source.specs, seed) if augment and isinstance(source, Store) else None
        if isinstance(source, Batch):
            self.memory = source.to(self.device)
        elif 4 * source.bytes_per_sample * len(rows) <= _room(self.device):
            self.memory = source.batch(rows, seed, only).to(self.device)

    def __len__(self) -> int:
        return int(self.keep.sum()) if self.keep is not None else len(self.rows)

    def training(self, batch: int, start: int, stop: int) -> Iterator[Batch]:
        """Steps `start` to `stop` of an endless stream of shuffled epochs, `batch` samples each."""
        memory = self.memory
        found = (self._ahead(self._indices(batch, start, stop, torch.device("cpu"))) if memory is None else
                 (memory.take(index) for index in self._indices(batch, start, stop, self.device)))
        for step, one in enumerate(found, start):
            yield one if self.augment is None else self.augment(one, step)

    def once(self, batch: int) -> Iterator[Batch]:
        """Every sample once, in the order of `rows`."""
        order = torch.arange(len(self.rows))
        if self.keep is not None:
            order = order[self.keep]
        if self.memory is not None:
            for index in order.to(self.device, non_blocking=True).split(batch):
                yield self.memory.take(index)
        else:
            yield from self._ahead(iter(order.split(batch)))

    def _indices(self, batch: int, start: int, stop: int, device: torch.device) -> Iterator[Tensor]:
        size = len(self)
        epoch = start * batch // size
        rest = torch.empty(0, dtype=torch.int64, device=device)
        skip = start * batch - epoch * size
        for _ in range(start, stop):
            while len(rest) - skip < batch:
                order = self._epoch(epoch).to(device, non_blocking=True)
                rest, skip = torch.cat([rest[skip:], order]), max(0, skip - len(rest))
                epoch += 1
            yield rest[skip : skip + batch]
            rest, skip = rest[skip + batch :], 0

    def _epoch(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order = torch.randperm(len(self.rows), generator=generator)
        return order if self.keep is None else order[self.keep[order]]

    def _ahead(self, indices: Iterator[Tensor]) -> Iterator[Batch]:
        """A thread reads and normalises up to four batches ahead, in pinned memory for a GPU."""
        assert isinstance(self.source, Store)
        store, ready, stop = self.source, queue.Queue[Batch | BaseException | None](4), threading.Event()

        def read() -> None:
            try:
                for index in indices:
                    batch = store.batch(self.rows[index.numpy()], self.seed, self.only)
                    ready.put(batch.pin() if self.device.type == "cuda" else batch)
                    if stop.is_set():
                        return
                ready.put(None)
            except BaseException as error:
                ready.put(error)

        threading.Thread(target=read, daemon=True).start()
        try:
            while (item := ready.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item.to(self.device, non_blocking=True)
        finally:
            stop.set()
            while not ready.empty():  # so that a waiting `put` returns and the thread ends
                ready.get_nowait()
