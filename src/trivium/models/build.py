"""The parts of a network from settings, with weights that depend on the seed and the part alone.

So the image encoder of seed 3 starts from the same weights in pretraining and in end-to-end training: seeds are paired.
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
from trivium.encoders.base import Encoder
from trivium.modalities.spec import Spec
from trivium.models.network import Multimodal


def encoder(settings: Mapping[str, Any], spec: Spec, seed: int) -> Encoder:
    """`settings`: those under `encoder` in params.yaml; in place of an encoder's name may stand what a saved one is."""
    with drawn(seed, spec.name):
        return encoder_room.build(settings[spec.name], spec, int(settings["width"]), int(settings["depth"]))


def multimodal(
    settings: Mapping[str, Any], specs: Mapping[str, Spec], classes: int, fusion: str, seed: int
) -> Multimodal:
    parts = {m: encoder(settings, spec, seed) for m, spec in specs.items()}
    width = int(settings["width"])
    with drawn(seed, "fusion"):
        mix = fusion_room.build(fusion, len(parts), width)
    with drawn(seed, "head"):
        head = nn.Linear(width, classes)
    return Multimodal(parts, mix, head)


@contextmanager
def drawn(seed: int, part: str) -> Iterator[None]:
    """Random numbers inside the block come from (seed, part) and leave no trace outside."""
    name = hashlib.blake2b(f"{seed}/{part}".encode(), digest_size=4).digest()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int.from_bytes(name, "big"))
        yield
