"""Batches in an order that depends on the seed alone, from memory where they fit, else streamed ahead of the loop.

Nothing here makes a GPU's step wait for another: copies to the device do not block.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trivium.data.store import Batch, Store
from trivium.training.augment import Augment

GATHERED = 4 << 20  # bytes of inputs that are gathered in one go
IN_MEMORY = 4 << 30  # bytes of inputs that a feed may keep on the device


def _room(device: torch.device) -> int:
    """Bytes of inputs that may stay on `device`: of a GPU's free memory a quarter, since the model wants most of it."""
    return min(IN_MEMORY, torch.cuda.mem_get_info(device)[0] // 4) if device.type == "cuda" else IN_MEMORY


class Feed:
    """Samples `rows` of a store, or of a batch that is in memory already.

    `keep`, bool [N], leaves samples out without changing the order of the others: seed k means the same order for a
    strategy that reads one stream and for one that reads all. `only` names the streams to read. With `augment`,
    batches of `training` (not of `once`) are augmented.

    weight, chance: [N], how much each row counts in batches of `training`, and how often it comes: with a chance, rows
    are drawn with replacement, and an epoch is as many draws as there are samples. See `balance`.
    store: knows the names of the rows; of a batch that is in memory, the one that it was made from.
    """

    weight: Tensor | None = None
    chance: Tensor | None = None

    def __init__(self, source: Store | Batch, rows: np.ndarray, seed: int, device: torch.device | str = "cpu",
                 keep: np.ndarray | None = None, only: Collection[str] | None = None,
                 augment: bool | Mapping[str, Mapping[str, Any]] = False, store: Store | None = None) -> None:
        self.source, self.rows, self.seed, self.device, self.only = source, rows, seed, torch.device(device), only
        self.keep = None if keep is None else torch.from_numpy(keep)
        self.memory: Batch | None = None
        self.store = source if isinstance(source, Store) else store
        self.augment = (Augment({s: spec for s, spec in source.specs.items() if only is None or s in only}, seed,
                                augment) if augment and isinstance(source, Store) else None)
        if isinstance(source, Batch):
            self.memory = source.to(self.device)
            self.bytes = sum(x[:1].nbytes for x in source.inputs.values())  # of one sample
        else:
            self.bytes = sum(spec.bytes for s, spec in source.specs.items() if only is None or s in only) or 1
            if self.bytes * len(rows) <= _room(self.device):
                self.memory = source.batch(rows, seed, only).to(self.device)

    def hold(self, inputs: dict[str, Tensor]) -> None:
        """Further inputs of the same rows, which are never augmented; not of a feed that streams from disk."""
        held = self.memory
        assert held is not None
        self.memory = replace(held, inputs=held.inputs | inputs)
        self.bytes += sum(x[:1].nbytes for x in inputs.values())

    def __len__(self) -> int:
        return int(self.keep.sum()) if self.keep is not None else len(self.rows)

    def training(self, batch: int, start: int, stop: int) -> Iterator[Batch]:
        """Steps `start` to `stop` of an endless stream of shuffled epochs, `batch` samples each."""
        batches = self._batches(batch, start, stop)
        return self._ahead(batches) if self.memory is None else batches

    def named(self, batch: int, step: int) -> list[str]:
        """What people call the rows of a step of `training`."""
        return self.names(self._index(lru_cache(2)(self._epoch), step * batch, (step + 1) * batch))

    def names(self, index: Tensor) -> list[str]:
        """Those of the samples at the positions `index` of `rows`."""
        rows = self.rows[index.numpy()].tolist()
        return [self.store.samples[row] for row in rows] if self.store is not None else [f"row {row}" for row in rows]

    def once(self, batch: int) -> Iterator[Batch]:
        """Every sample once, in the order of `rows`."""
        order = torch.arange(len(self.rows))
        if self.keep is not None:
            order = order[self.keep]
        batches = (self.take(index) for index in order.split(batch))
        return self._ahead(batches) if self.memory is None else batches

    def take(self, index: Tensor) -> Batch:
        """The samples at the positions `index` of `rows`, int64 [B]."""
        if self.memory is not None:
            return self.memory.take(index.to(self.device, non_blocking=True))
        assert isinstance(self.source, Store)
        return self.source.batch(self.rows[index.numpy()], self.seed, self.only)

    def _batches(self, batch: int, start: int, stop: int) -> Iterator[Batch]:
        """The batches of `training`, gathered several at a time: of small ones the calls cost more than the bytes."""
        several = max(1, GATHERED // (self.bytes * batch))
        order = lru_cache(2)(self._epoch)
        for first in range(start, stop, several):
            last = min(first + several, stop)
            index = self._index(order, first * batch, last * batch)
            samples = self.take(index)
            if self.weight is not None:
                weight = self.weight[index].to(samples.y.device, non_blocking=True)
                samples = replace(samples, weight=weight if samples.weight is None else weight * samples.weight)
            for step in range(first, last):
                found = samples[(step - first) * batch : (step - first + 1) * batch]
                yield found if self.augment is None else self.augment(found, step)

    def _index(self, order: Callable[[int], Tensor], one: int, end: int) -> Tensor:
        """The samples from `one` to `end` in the stream of epochs, whose orders `order` knows."""
        size = len(self)
        return torch.cat([order(epoch)[max(0, one - epoch * size) : end - epoch * size]
                          for epoch in range(one // size, -(-end // size))])

    def _epoch(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        if self.chance is not None:
            return self._drawn(self.chance, generator)
        order = torch.randperm(len(self.rows), generator=generator)
        return order if self.keep is None else order[self.keep[order]]

    def _drawn(self, chance: Tensor, generator: torch.Generator) -> Tensor:
        """As many rows as the feed has: of the draws that all strategies share, those that have the stream."""
        found, missing = list[Tensor](), len(self)
        while missing > 0:
            rows = torch.multinomial(chance, len(self.rows), replacement=True, generator=generator)
            rows = rows if self.keep is None else rows[self.keep[rows]]
            found.append(rows[:missing])
            missing -= len(found[-1])
        return torch.cat(found)

    def _ahead(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """A thread makes up to four of `batches` ahead, in pinned memory for a GPU."""
        ready, stop = queue.Queue[Batch | BaseException | None](4), threading.Event()

        def read() -> None:
            try:
                for batch in batches:
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
