"""The compute budget, in training FLOPs (forward and backward; a multiplication and an addition count as two).

Counted with the formulas of `torch.utils.flop_counter` on a real forward and backward pass; operators that they do not
know count zero, so `analytic` counts once more from the layers' shapes. Validation passes are not charged: they are the
same for all.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from trivium.data.store import Batch, Store
from trivium.modalities.spec import Spec
from trivium.settings.errors import UserError
from trivium.tasks import Task
from trivium.training.eager import Flops
from trivium.training.records import Allowance
from trivium.training.settings import Budget

if TYPE_CHECKING:
    from trivium.encoders.base import Encoder

BUDGET = Path("models/budget.json")
PROBE = 2  # samples in a counting pass


def example(specs: Mapping[str, Spec], task: Task, samples: int = PROBE, among: Sequence[str] = ()) -> Batch:
    """Inputs and targets of the right shapes, to count with. among: all streams, where `specs` are some of them."""
    present = torch.ones(samples, len(among or specs), dtype=torch.bool)
    return Batch(inputs(specs, samples), present, task.example(samples))


def inputs(specs: Mapping[str, Spec], samples: int = PROBE) -> dict[str, Tensor]:
    """Of the right shapes."""
    found: dict[str, Tensor] = {}
    for s, spec in specs.items():
        shape = (samples, *spec.shape)
        found[s] = torch.full(shape, 3) if spec.kind == "tokens" else torch.zeros(shape)
    return found


def counted(loss: Callable[[], Tensor], samples: int = PROBE, module: nn.Module | None = None,
            after: Callable[[], None] = lambda: None) -> float:
    """Training FLOPs per sample of `loss()` on `samples` samples, by the operators that run.

    module: whose weights take part.  after: what follows a backward pass.
    Raises: UserError (an operator that reads them and that nobody can count).
    """
    with torch.enable_grad(), Flops(_formulas(), module.parameters() if module is not None else ()) as counter:
        result = loss()
        if result.requires_grad:
            result.backward()
            after()
    _known(counter)
    return counter.total / samples


def _known(counter: Flops) -> None:
    if counter.unknown:
        raise UserError(f"What {', '.join(sorted(counter.unknown))} costs is not known, so that strategies with it "
                        "could not be held to the budget: add a formula to src/trivium/training/budget.py.")


def passes(encoder: Encoder, spec: Spec) -> Callable[[int], float]:
    """FLOPs of a frozen pass of one sample, by its number of tokens; inputs of one size cost the same."""
    @functools.cache
    @torch.no_grad()
    def cost(length: int) -> float:
        x = inputs({spec.name: spec})[spec.name]
        if spec.kind == "tokens":
            x = x[:, : max(1, length)]
        with Flops(_formulas(), encoder.parameters()) as counter:
            encoder(x)
        _known(counter)
        return counter.total / PROBE

    return cost


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

    def recurrent(x: Any, weight: Any, again: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
        steps = x[0] * x[1]  # time and samples
        return 2 * steps * (weight[0] * weight[1] + again[0] * again[1])

    def recurrent_backward(*args: Any, **__: Any) -> int:
        return 2 * recurrent(*args)

    def weight_norm(v: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
        return 3 * math.prod(v)  # a square, a sum and a product of each weight

    def weight_norm_backward(*args: Any, **__: Any) -> int:
        return 2 * weight_norm(*args)

    aten = torch.ops.aten
    return {aten.convolution_backward: convolution, aten._weight_norm_interface: weight_norm,
            aten._weight_norm_interface_backward: weight_norm_backward,
            aten.mkldnn_rnn_layer: recurrent, aten.mkldnn_rnn_layer_backward: recurrent_backward,
            aten._scaled_dot_product_flash_attention_for_cpu: forward,
            aten._scaled_dot_product_flash_attention_for_cpu_backward: backward}


def analytic(module: nn.Module, loss: Callable[[], Tensor], samples: int = PROBE) -> float:
    """The same from shapes: 2 FLOPs per weight and output position, times 3 with the backward pass.

    A frozen layer below every trained one costs its forward pass only; a trained layer whose input needs no gradient,
    such as the first, saves the gradient of its input. Attention adds 4 T^2 D forward and 2.5 times that backward
    (the backward pass computes the scores again). An objective says how often it goes back through the encoders.
    """
    total, backwards = 0.0, getattr(module, "backwards", 1)
    several = set(module.model.encoders.modules()) if backwards > 1 else set[nn.Module]()  # type: ignore[union-attr]
    handles = []

    def layer(m: nn.Module, args: tuple[Any, ...], out: Tensor) -> None:
        nonlocal total
        weight = m.weight
        assert isinstance(weight, Tensor)
        per_output = weight.numel() / weight.shape[0]  # input channels x kernel
        forward = 2.0 * out.numel() * per_output
        grads = out.requires_grad * (int(weight.requires_grad) + int(args[0].requires_grad))
        total += forward * (1 + grads * (backwards if m in several else 1))

    taught = [teacher for teacher in getattr(module, "teachers", {}).values()]
    for child in (child for part in (module, *taught) for child in part.modules()):
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


def measure(store: Store, fusion: Mapping[str, Any], epochs: float, seed: int) -> float:
    """FLOPs that `epochs` of end-to-end training cost at `seed`, with the encoders of the store's recipe."""
    from trivium import models

    parts = {s: models.encoder(store.encoders[s], store.specs[s], seed) for s in store.streams}
    network = models.multimodal(parts, store.task, fusion, seed)
    batch = example(store.specs, store.task)
    per_sample = counted(lambda: network(batch.inputs, batch.present).square().sum(), module=network)
    return epochs * len(store.rows(seed, "train")) * per_sample


def write(store: Store, fusion: Mapping[str, Any], settings: Budget, seeds: int, out: Path) -> list[float]:
    """Everybody's budget, FLOPs per seed, as the file `out`."""
    found = [settings.flops or measure(store, fusion, settings.epochs, seed) for seed in range(seeds)]
    Allowance(of=settings.of, epochs=None if settings.flops else settings.epochs, flops=found).write(out)
    return found


def enough(budget: float, needed: float, root: str | Path = ".") -> str:
    """The setting that makes a `budget` of what is `needed` (FLOPs), rounded up."""
    given = Allowance.found(Path(root) / BUDGET)
    if given and given.epochs:
        return f"`budget.epochs: {_up(given.epochs * needed / budget):.10g}`"
    return f"`budget.flops: {_up(needed):.1e}`"


def _up(value: float) -> float:
    """To two digits, not below `value`."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / unit - 1e-9) * unit


def read(root: str | Path = ".") -> list[float]:
    """FLOPs per seed. Raises: UserError (the stage `budget` did not run)."""
    path = Path(root) / BUDGET
    if (given := Allowance.found(path)) is None:
        raise UserError(f"{path} is not there: run `dvc repro budget` first.")
    return given.flops
