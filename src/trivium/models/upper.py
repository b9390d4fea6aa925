"""The last blocks of an encoder, on states that do not move and are made once per sample.

The blocks below are passed over, and the last of them answers with the states that were kept; all else is the encoder's
own code, whatever model it is. Legend: `B` samples, `T` tokens, `D` width.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from trivium.encoders.base import Encoder, unpadded
from trivium.models import lora

CLOSE = 1e-4  # largest difference between an encoder and its upper part, per unit of the largest output


class Upper(Encoder):
    """`forward` takes what `below` gave.

    blocks: of the encoder, in the order in which they run; those before the last `moving` are passed over.
    """

    def __init__(self, encoder: Encoder, blocks: list[nn.Module], moving: int) -> None:
        super().__init__()
        self.encoder, self._passed = encoder, blocks[:-moving]
        self.spec, self.width, self.patch = encoder.spec, encoder.width, encoder.patch
        self.gives, self.published = encoder.gives, encoder.published
        self.fold = encoder.fold
        self._tuples = False

    @torch.no_grad()
    def below(self, x: Tensor) -> Tensor:
        """What comes out of the blocks that are passed over: [B, ...]; of text [B, T, D + 1], with its ids behind."""
        states = list[Tensor]()

        def reached(_: nn.Module, __: Any, out: Any) -> None:
            self._tuples = isinstance(out, tuple)
            states.append(out[0] if self._tuples else out)
            raise _Reached

        handle = self._passed[-1].register_forward_hook(reached)
        try:
            self.encoder(x)
        except _Reached:
            pass
        finally:
            handle.remove()
        found = states[0]
        if not self._text:
            return found.unflatten(0, (len(x), self.fold)) if self.fold > 1 else found
        found = nn.functional.pad(found, (0, 0, 0, x.shape[1] - found.shape[1]))  # the body may see no padding
        return torch.cat([found, x.unsqueeze(-1).to(found.dtype)], -1)

    def forward(self, x: Tensor) -> Tensor:
        states, ids = (x[..., :-1], x[..., -1].long()) if self._text else (x, x.new_zeros(len(x), *self.spec.shape))
        if self._text and self.published:
            states = states[:, : unpadded(ids).shape[1]]
        with self._passing(states.flatten(0, 1) if self.fold > 1 else states):
            return self.encoder(ids)

    @property
    def _text(self) -> bool:
        return self.spec.kind == "tokens"

    @contextmanager
    def _passing(self, states: Tensor) -> Iterator[None]:
        def on(*args: Any, **kwargs: Any) -> Any:
            found = args[0] if args else next(iter(kwargs.values()))
            return (found,) if self._tuples else found

        def kept(*_: Any, **__: Any) -> Any:
            return (states,) if self._tuples else states

        for block in self._passed:
            block.forward = kept if block is self._passed[-1] else on
        try:
            yield
        finally:
            for block in self._passed:
                del block.forward  # the class's own is seen again


class _Reached(Exception):
    """The blocks that move come next: nobody needs their answer."""


def of(encoder: Encoder, moving: int) -> Upper | None:
    """The last `moving` blocks of `encoder`; None where it has no blocks below them, or is not the same in two parts
    (a block that takes more from the one before it than the states).
    """
    _, blocks = lora.row(encoder)
    if len(blocks) <= moving or encoder.training:
        return None
    upper = Upper(encoder, blocks, moving)
    spec, weight = encoder.spec, next(encoder.parameters())
    random = torch.Generator().manual_seed(0)
    x = (torch.randint(3, spec.vocab, (2, *spec.shape), generator=random) if upper._text
         else torch.randn(2, *spec.shape, generator=random)).to(weight.device)
    with torch.no_grad():
        whole = encoder(x)
        try:
            again = upper(upper.below(x))
        except Exception:  # whatever a foreign body makes of blocks that are passed over
            return None
    return upper if (whole - again).abs().max() <= CLOSE * whole.abs().max() else None
