"""How much memory training takes, from the forward pass of one real step: said before it begins, since afterwards only
the kernel says anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trivium.data.store import Store
from trivium.machine import device, memory
from trivium.modalities.spec import Spec
from trivium.training.feed import IN_MEMORY
from trivium.training.settings import Loop

MOMENTS = 2  # of AdamW, each as large as the weights that move


@dataclass(frozen=True)
class Need:
    """Bytes of one training: of weights with their gradients, moments and the best copy; of what a batch's forward pass
    leaves for the backward pass; of the samples.
    """

    weights: int
    batch: int
    samples: int

    @property
    def own(self) -> int:
        return self.weights + self.batch + self.samples


def need(module: nn.Module, loss: Callable[[], Tensor], samples: int, loop: Loop, held: int) -> Need:
    """module: what is trained;  loss: of it, on `samples` samples;  held: bytes of inputs, see `held`."""
    weights = {p.data_ptr(): p for p in module.parameters()}
    moving = sum(p.nbytes for p in weights.values() if p.requires_grad)
    whole = sum(p.nbytes for p in weights.values())
    kept, largest = dict[int, int](), 0

    def pack(x: Tensor) -> Tensor:
        nonlocal largest
        if x.data_ptr() not in weights:
            size = x.untyped_storage().nbytes()
            kept[x.untyped_storage().data_ptr()] = size
            largest = max(largest, size)
        return x

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        result = loss()
    in_flight = 2 * largest  # the gradients that one layer takes and gives
    del result
    per_sample = (sum(kept.values()) + in_flight) / samples
    return Need(2 * whole + (1 + MOMENTS) * moving, round(per_sample * loop.batch), held)


def held(specs: Iterable[Spec], rows: int) -> int:
    """Bytes of `rows` samples that stay in memory; what is larger is read from the disk as it goes."""
    size = sum(spec.bytes for spec in specs) * rows
    return size if size <= IN_MEMORY else 0


def of_network(store: Store, fusion: Mapping[str, Any], loop: Loop, moves: bool = True) -> Need:
    """Of all encoders of the store's recipe with `fusion` on top. moves: whether the encoders are trained."""
    from trivium import models
    from trivium.training import budget

    parts = {s: models.encoder(store.encoders[s], store.specs[s], 0) for s in store.streams}
    network = models.multimodal(parts, store.task, fusion, 0)
    for part in parts.values() if not moves else ():
        part.requires_grad_(False)
    batch = budget.example(store.specs, store.task)
    rows = sum(len(store.rows(0, split)) for split in ("train", "val"))
    return need(network, lambda: network(batch.inputs, batch.present).square().sum(), budget.PROBE, loop,
                held(store.specs.values(), rows))


def _workers(loop: Loop, units: int) -> int:
    """How many train side by side here."""
    asked = device.workers(loop.workers, "cpu")
    if loop.workers == "auto":
        asked = max(1, asked // loop.processes)
    return min(asked, max(1, units))


def said(found: Need, loop: Loop, units: int) -> str:
    """For people; a warning where there is less than that. units: to be trained."""
    beside, base = _workers(loop, units), memory.resident()  # which forks share
    whole, there = base + beside * found.own, base + memory.available()
    each = f"{beside} at a time x " if beside > 1 else ""
    words = (f"about {memory.size(whole)} of memory ({each}{memory.size(found.own)}: weights "
             f"{memory.size(found.weights)}, a batch of {loop.batch} samples {memory.size(found.batch)}, the data "
             f"{memory.size(found.samples)}; and {memory.size(base)} for the program); "
             f"{memory.size(there)} are there")
    if whole <= there:
        return f"training takes {words}"
    lower = "`loop.workers`, then `loop.batch`" if beside > 1 else "`loop.batch`"
    return (f"warning: training takes {words}, so that it may be killed. In params.yaml, lower {lower}, or choose "
            "smaller encoders.")
