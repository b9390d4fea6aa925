"""States below the blocks that move, made once per sample and kept in memory while a model is trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from trivium.data.store import Store
from trivium.models import kept, upper
from trivium.models.network import Multimodal
from trivium.models.upper import Upper
from trivium.training.feed import Feed

ROOM = 2 << 30  # bytes of states that a seed may keep


def uppers(model: Multimodal, store: Store, seed: int, moving: int) -> dict[str, Upper]:
    """The upper part of every encoder that has blocks below its last `moving`, as long as the states of all train and
    validation samples fit into memory.
    """
    found, room = dict[str, Upper](), ROOM
    rows = sum(len(store.rows(seed, split)) for split in ("train", "val"))
    for s, encoder in model.encoders.items():
        part = upper.of(encoder.eval(), moving)  # type: ignore[arg-type]
        if part is None:
            continue
        needed = rows * part.below(_blank(store, s, part)).nbytes
        if needed <= room:
            found[s], room = part, room - needed
    return found


@torch.no_grad()
def hold(found: dict[str, Upper], store: Store, feeds: Sequence[Feed]) -> bool:
    """Give `feeds` the states of their rows in place of inputs; False where a feed streams from disk."""
    if any(feed.memory is None for feed in feeds):
        return False
    for feed in feeds:
        feed.hold({s: _states(part.eval(), store, s, feed) for s, part in found.items()})
    return True


def _states(part: Upper, store: Store, stream: str, feed: Feed) -> Tensor:
    """[N, ...] for the rows of `feed`, 0 without the stream. Published encoders of text need no padding."""
    one = part.below(_blank(store, stream, part))
    whole = one.new_zeros(len(feed.rows), *one.shape[1:])
    places = np.flatnonzero(store.has(stream)[feed.rows])
    place = dict(zip(feed.rows[places].tolist(), places.tolist(), strict=True))
    for rows, x, _ in kept.in_order_of_length(store, stream, feed.rows[places], feed.seed, cut=part.published):
        states = part.below(x.to(whole.device))
        index = torch.tensor([place[row] for row in rows.tolist()], device=whole.device)
        if states.shape[1] == whole.shape[1]:
            whole[index] = states
        else:
            whole[index, : states.shape[1]] = states
    return whole


def _blank(store: Store, stream: str, part: Upper) -> Tensor:
    """An input of one sample."""
    spec, device = store.specs[stream], next(part.parameters()).device
    x = torch.full((1, *spec.shape), 3) if spec.kind == "tokens" else torch.zeros(1, *spec.shape)
    return x.to(device)
