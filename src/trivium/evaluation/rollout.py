"""Where an encoder looks: attention rollout (Abnar & Zuidema 2020) from its vector back to words, patches and moments.

With A_l the attention of layer l, heads averaged, the residual connection makes it 0.5 A_l + 0.5 I, and the layers
multiply: R = (0.5 A_L + 0.5 I) ... (0.5 A_1 + 0.5 I). Row t of R says what output token t was made of. The vector is
pooled from the output tokens, so their rows are averaged by how much each gives to it: with the largest over tokens,
by the number of dimensions in which it is the largest.

Legend: `B` samples, `T` tokens, `D` width, `H` heads, `S` tokens and the special ones (class, registers) before them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trivium.encoders.base import PAD, Encoder
from trivium.evaluation import encoded

SPECIAL = 8  # special tokens at most; where there are more tokens than that too many, they are not the patches we know


def rollout(encoder: nn.Module, x: Tensor) -> Tensor | None:
    """Shares of the attention, 0-1, that sum to 1 for each sample: [B, T] for text (0 for padding, which is masked),
    [B, K] for columns (0 for those that are missing), else [B, 1, *axes], every unit of a patch with an equal part of
    its share.

    None for encoders that do not attend, or do not show it. A text without a token has no attention at all.
    """
    if getattr(encoder, "published", False) and not x.is_floating_point():  # they cut off what is behind all texts
        longest = max(1, int(encoded.lengths(x).max()))
        found = _rollout(encoder, x[:, :longest])
        return None if found is None else nn.functional.pad(found, (0, x.shape[1] - longest))
    return _rollout(encoder, x)


def _rollout(encoder: nn.Module, x: Tensor) -> Tensor | None:
    found = _attend(encoder, x)
    if found is None:
        return None
    tokens, layers = found
    count, special = tokens.shape[1], layers[0].shape[-1] - tokens.shape[1]
    if not 0 <= special <= SPECIAL:
        return None
    seen = (_weights(encoder, tokens, x)[:, None] @ roll(layers)[:, special:])[:, 0, special + encoder.special:]
    if encoder.spec.kind == "tokens":
        return _shares(seen)
    if encoder.spec.kind == "columns":
        return _shares(seen * (x[..., 1] != PAD))
    if count == math.prod(encoder.grid):
        wide = seen.unflatten(1, (1, *encoder.grid))
        for axis, side in enumerate(encoder.patch):
            wide = wide.repeat_interleave(side, 2 + axis)
        return _shares(wide[(..., *(slice(size) for size in x.shape[2:]))])
    if x.dim() == 3:  # convolutions made moments of the waveform; each lasts equally long
        return _shares(nn.functional.interpolate(seen[:, None], x.shape[2:], mode="nearest"))
    return None


def roll(layers: Sequence[Tensor]) -> Tensor:
    """[B, S, S], rows sum to 1: `layers` [B, H, S, S], the first one first, multiplied with their residuals."""
    rolled = torch.eye(layers[0].shape[-1], device=layers[0].device).expand(len(layers[0]), -1, -1)
    for layer in layers:
        rolled = (layer.mean(1) @ rolled + rolled) / 2
    return rolled


def _attend(encoder: nn.Module, x: Tensor) -> tuple[Tensor, Sequence[Tensor]] | None:
    """Output tokens [B, T, D] and each layer's attention [B, H, S, S]; None where there is none.

    Fast attention never holds the shares, so an encoder that has `attend`, or its body, computes them the plain way for
    this one pass.
    """
    if hasattr(encoder, "attend"):
        with torch.no_grad():
            return encoder.attend(x)  # type: ignore[no-any-return]
    body: Any = getattr(encoder, "body", None)
    if not isinstance(encoder, Encoder) or body is None:
        return None
    config, caught = body.config, []
    fast, told = config._attn_implementation, config.output_attentions
    body.set_attn_implementation("eager")
    handle = body.register_forward_hook(lambda module, args, out: caught.append(getattr(out, "attentions", None)))
    try:
        if config._attn_implementation != "eager":  # a body that knows one way only
            return None
        config.output_attentions = True
        with torch.no_grad():
            tokens = encoder.tokens(x)
    finally:
        handle.remove()
        config.output_attentions = told
        body.set_attn_implementation(fast)
    layers = caught[0] or ()
    size = layers[0].shape[-1] if layers and layers[0] is not None else 0
    fits = size and all(layer is not None and layer.dim() == 4 and len(layer) == len(x)
                        and layer.shape[-2:] == (size, size) for layer in layers)
    return (tokens, layers) if fits else None


def _weights(encoder: Encoder, tokens: Tensor, x: Tensor) -> Tensor:
    """[B, T]: what share of the pooled vector comes from each output token, from the gradient of the pooling."""
    leaf = tokens.detach().requires_grad_(True)
    with torch.enable_grad():
        return torch.autograd.grad(encoder.pool(leaf, x).sum(), leaf)[0].mean(-1)


def _shares(values: Tensor) -> Tensor:
    return values / values.flatten(1).sum(1).clamp(min=1e-12).view(-1, *[1] * (values.dim() - 1))
