"""Bottleneck adapters behind the last blocks of an encoder (Houlsby et al. 2019, arXiv 1902.00751, figure 2).

x becomes x + W (gelu(V x)) at each place, V random and W zero at first, so that nothing changes before training. The
paper has one behind the attention and one behind the perceptron of each block; here there is one behind the block,
whatever it is made of. They cannot be merged into the weights: the encoder keeps them as its part `adapters`, all other
weights keep their names, and `models.files` puts them in again before it loads a model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from trivium.models import lora

if TYPE_CHECKING:
    from trivium.encoders.base import Encoder

MARK = ".adapters."  # in the names of the parameters that move


class Adapter(nn.Module):
    """[B, ..., D] -> the same; [B, D, H, W] -> the same where `axis` is 1."""

    def __init__(self, width: int, inner: int, axis: int) -> None:
        super().__init__()
        self.axis, self.down, self.up = axis, nn.Linear(width, inner), nn.Linear(inner, width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.up(nn.functional.gelu(self.down(x.movedim(self.axis, -1)))).movedim(-1, self.axis)

    def behind(self, block: nn.Module, given: Any, out: Any) -> Any:
        """A hook. It belongs to the adapter, so that a copy of the encoder has a hook to a copy of the adapter."""
        return (self(out[0]), *out[1:]) if isinstance(out, tuple) else self(out)


def add(encoder: Encoder, width: int, blocks: int) -> int:
    """Put adapters with `width` numbers inside behind the last `blocks`; returns how many. An encoder without blocks
    gets one behind its vector, one without weights none.
    """
    if "gradients" not in encoder.gives:
        return 0
    places = lora.row(encoder)[1][-blocks:] or [encoder]
    shapes = _shapes(encoder, places)
    encoder.adapters = nn.ModuleDict()
    for k, block in enumerate(places):
        if block not in shapes:  # its weights are read in some other way
            continue
        axis = 1 if len(shapes[block]) == 4 else -1  # channels of a picture stand before its places
        adapter = Adapter(shapes[block][axis], width, axis).to(next(encoder.parameters()).device)
        encoder.adapters[str(k)] = adapter
        block.register_forward_hook(adapter.behind)
    return len(encoder.adapters)


@torch.no_grad()
def _shapes(encoder: Encoder, places: list[nn.Module]) -> dict[nn.Module, torch.Size]:
    """Of what comes out of the modules."""
    found: dict[nn.Module, torch.Size] = {}

    def seen(block: nn.Module, given: Any, out: Any) -> None:
        found[block] = (out[0] if isinstance(out, tuple) else out).shape

    handles = [block.register_forward_hook(seen) for block in places]
    spec, device = encoder.spec, next(encoder.parameters()).device
    x = torch.full((1, *spec.shape), 3) if spec.kind == "tokens" else torch.zeros(1, *spec.shape)
    training = encoder.training
    encoder.eval()(x.to(device))
    encoder.train(training)
    for handle in handles:
        handle.remove()
    return found
