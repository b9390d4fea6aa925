"""torch's AdamW and its FLOP formulas without torch's compiler.

Both come wrapped for `torch.compile`: their first call imports the compiler, a second in every process, to tell it to
leave them alone. Nothing here is compiled, so the wrappers are taken off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import unwrap
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class AdamW(torch.optim.AdamW):
    """Decoupled weight decay (Loshchilov & Hutter 2019)."""

    step = torch.no_grad()(unwrap(torch.optim.AdamW.step))
    add_param_group = unwrap(torch.optim.AdamW.add_param_group)
    zero_grad = unwrap(torch.optim.AdamW.zero_grad)
    state_dict = unwrap(torch.optim.AdamW.state_dict)
    load_state_dict = unwrap(torch.optim.AdamW.load_state_dict)

    def rate(self, lr: float) -> None:
        """The learning rate of the steps from here on."""
        for group in self.param_groups:
            group["lr"] = lr

    def clip(self, most: float) -> None:
        """Let the next step scale its gradients down to a norm of `most` where theirs, all together, is larger.

        The fused kernel divides by `grad_scale` as it reads a gradient, which spares a pass over all of them.
        """
        gradients = [p.grad.flatten() for group in self.param_groups for p in group["params"] if p.grad is not None]
        norm = torch.linalg.vector_norm(torch.cat(gradients))
        self.grad_scale = ((norm + 1e-6) / most).clamp(min=1.0)


class Flops(TorchDispatchMode):
    """Adds up in `total` the FLOPs of the operators that run inside, by torch's formulas and `more` of them, which read
    shapes as torch's do.
    """

    def __init__(self, more: Mapping[Any, Callable[..., int]]) -> None:
        from torch.utils.flop_counter import flop_registry, shape_wrapper

        super().__init__()
        self.formulas, self.total = {**flop_registry, **{op: shape_wrapper(count) for op, count in more.items()}}, 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func._overloadpacket not in self.formulas:
            with self:
                parts = func.decompose(*args, **kwargs)
                if parts is not NotImplemented:
                    return parts
        out = func(*args, **kwargs)
        if formula := self.formulas.get(func._overloadpacket):
            self.total += formula(*args, **kwargs, out_val=out)
        return out
