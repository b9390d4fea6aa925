"""The compute budget, in training FLOPs (forward and backward; a multiplication and an addition count as two).

Counted with the formulas of `torch.utils.flop_counter` on a real forward and backward pass; operators that they do not
know count zero, so `analytic` counts once more from the layers' shapes. Validation passes are not charged: they are the
same for all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from trivium.config import Config
from trivium.data.store import Batch, Store
from trivium.modalities.spec import Spec
from trivium.training.eager import Flops

PROBE = 2  # samples in a counting pass


def example(specs: Mapping[str, Spec], samples: int = PROBE) -> Batch:
    """Inputs of the right shapes, to count with."""
    inputs: dict[str, Tensor] = {}
    for m, spec in specs.items():
        shape = (samples, *spec.shape)
        inputs[m] = torch.full(shape, 3) if spec.kind == "tokens" else torch.zeros(shape)
    return Batch(inputs, torch.ones(samples, len(specs), dtype=torch.bool), torch.zeros(samples, dtype=torch.int64))


def counted(loss: Callable[[], Tensor], samples: int = PROBE) -> float:
    """Training FLOPs per sample of `loss()` on `samples` samples, by the operators that run."""
    with torch.enable_grad(), Flops(_formulas()) as counter:
        result = loss()
        if result.requires_grad:
            result.backward()
    return counter.total / samples


def _formulas() -> dict[Any, Any]:
    """Formulas for the attention kernel of the CPU, which torch has none for, and for the backward pass of grouped
    convolutions, where torch's leaves the groups out: the gradients of input and weight cost what the forward pass did.
    """
    from torch.utils.flop_counter import conv_flop_count, sdpa_backward_flop_count, sdpa_flop_count

    def forward(query: Any, key: Any, value: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
        return sdpa_flop_count(query, key, value)

    def backward(grad: Any, query: Any, key: Any, value: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
        return sdpa_backward_flop_count(grad, query, key, value)

    def convolution(grad: Any, x: Any, weight: Any, *rest: Any, out_shape: Any = None, **__: Any) -> int:
        transposed, mask = rest[4], rest[7]
        return conv_flop_count(x, weight, grad, transposed) * (mask[0] + mask[1])

    aten = torch.ops.aten
    return {aten.convolution_backward: convolution,
            aten._scaled_dot_product_flash_attention_for_cpu: forward,
            aten._scaled_dot_product_flash_attention_for_cpu_backward: backward}


def analytic(module: nn.Module, loss: Callable[[], Tensor], samples: int = PROBE) -> float:
    """The same from shapes: 2 FLOPs per weight and output position, times 3 with the backward pass.

    A frozen layer below every trained one costs its forward pass only; a trained layer whose input needs no gradient,
    such as the first, saves the gradient of its input. Attention adds 4 T^2 D forward and 2.5 times that backward
    (the backward pass computes the scores again).
    """
    total = 0.0
    handles = []

    def layer(m: nn.Module, args: tuple[Any, ...], out: Tensor) -> None:
        nonlocal total
        weight = m.weight
        assert isinstance(weight, Tensor)
        per_output = weight.numel() / weight.shape[0]  # input channels x kernel
        forward = 2.0 * out.numel() * per_output
        grads = int(weight.requires_grad) + int(args[0].requires_grad)
        total += forward * (1 + grads)

    for child in module.modules():
        if isinstance(child, nn.Linear | nn.Conv1d | nn.Conv2d):
            handles.append(child.register_forward_hook(layer))
    original = nn.functional.scaled_dot_product_attention

    def attention(query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        nonlocal total
        forward = 4.0 * query.numel() * key.shape[-2]
        total += forward * (3.5 if query.requires_grad else 1.0)
        return original(query, key, value, *args, **kwargs)

    nn.functional.scaled_dot_product_attention = attention
    try:
        result = loss()
        if result.requires_grad:
            result.backward()
    finally:
        nn.functional.scaled_dot_product_attention = original
        for handle in handles:
            handle.remove()
    module.zero_grad(set_to_none=True)
    return total / samples


def steps(flops: float, per_sample: float, batch: int) -> int:
    """Optimiser steps that `flops` pay for, at least one."""
    return max(1, math.floor(flops / (per_sample * batch)))


def total(config: Config, store: Store, seed: int) -> float:
    """Everybody's budget at `seed`: `budget.flops`, or what `budget.epochs` end to end cost (concat fusion)."""
    if config.budget.flops is not None:
        return config.budget.flops
    from trivium import models

    network = models.multimodal(config.encoder.model_dump(), store.specs, len(store.classes), "concat", seed)
    batch = example(store.specs)
    per_sample = counted(lambda: network(batch.inputs, batch.present).square().sum())
    return config.budget.epochs * len(store.rows(seed, "train")) * per_sample
