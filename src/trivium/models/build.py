"""The parts of a network, with weights that depend on the seed and the part alone.

So the image encoder of seed 3 starts from the same weights in pretraining and in end-to-end training: seeds are paired,
and the names of recipes and strategies change nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from trivium import encoders as encoder_room
from trivium import fusion as fusion_room
from trivium.encoders import Described
from trivium.encoders.base import Encoder
from trivium.modalities.spec import Spec
from trivium.models.network import Multimodal
from trivium.tasks import Task


def encoder(described: Described, spec: Spec, seed: int) -> Encoder:
    """From random weights of `seed`, or from published ones."""
    with drawn(seed, spec.name):
        return encoder_room.build(described, spec)


def multimodal(parts: Mapping[str, Encoder], task: Task, fusion: Mapping[str, Any], seed: int) -> Multimodal:
    """A network of the encoders `parts`, stream -> encoder; fusion: see `fusion.chosen`. Where it reads tokens, the
    encoders give theirs.
    """
    for part in parts.values():
        part.whole = fusion_room.reads_tokens(fusion)
    with drawn(seed, "fusion"):
        mix = fusion_room.build(fusion, {s: part.width for s, part in parts.items()})
    with drawn(seed, "head"):
        head = nn.Linear(mix.width, task.outputs)
    if hasattr(mix, "judged_by"):
        mix.judged_by(head, task)
    return Multimodal(parts, mix, head, task)


@contextmanager
def drawn(seed: int, part: str) -> Iterator[None]:
    """Random numbers inside the block come from (seed, part) and leave no trace outside."""
    name = hashlib.blake2b(f"{seed}/{part}".encode(), digest_size=4).digest()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int.from_bytes(name, "big"))
        yield
