"""torch's AdamW and its FLOP formulas without torch's compiler.

Both come wrapped for `torch.compile`: their first call imports the compiler, a second in every process, to tell it to
leave them alone. Nothing here is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from trivium.training.guard import is_bad, judged


class AdamW:
    """AdamW (Loshchilov & Hutter 2019) with gradient clipping in torch's fused kernel, nothing around it: for small
    networks on a GPU, what `torch.optim.AdamW` does in Python before each step takes as long as the step.

    parameters: what to train; matrices and larger ones decay by `weight_decay`, biases and scales do not.
    slower: by the id of a parameter, what its learning rate is multiplied with.
    clip: the norm that the gradient, all parameters together, is scaled down to where it is larger.
    """

    BETAS, EPS = (0.9, 0.999), 1e-8

    def __init__(self, parameters: Iterable[Tensor], weight_decay: float, clip: float,
                 slower: Mapping[int, float] | None = None) -> None:
        self.clip = clip
        found: dict[tuple[float, bool], list[tuple[Tensor, ...]]] = {(1.0, False): [], (1.0, True): []}
        for p in parameters:  # with its moments and the number of its steps
            group = (slower or {}).get(id(p), 1.0), p.dim() <= 1
            found.setdefault(group, []).append((p, torch.zeros_like(p), torch.zeros_like(p),
                                                torch.zeros((), device=p.device)))
        self.groups = [(0.0 if small else weight_decay, rate, group) for (rate, small), group in found.items()]

    @torch.no_grad()
    def step(self, lr: float, loss: Tensor | float = 0.0) -> Tensor:
        """One step at learning rate `lr`, and no gradients left. A parameter without a gradient stays as it is; all do
        where there is nothing to learn from the gradient or from its `loss`. Returns what `guard.judged` says of them.
        """
        groups = [(decay, rate, [(*one, one[0].grad) for one in group if one[0].grad is not None])
                  for decay, rate, group in self.groups]
        norm = self._norm([one[-1] for *_, group in groups for one in group])
        found = judged(norm, loss)
        bad = is_bad(found)
        scale = ((norm + 1e-6) / self.clip).clamp(min=1.0)  # the kernel divides by it as it reads a gradient
        for decay, rate, group in groups:
            if group:
                trained, mean, square, steps, gradients = map(list, zip(*group, strict=True))
                torch._foreach_add_(steps, [1 - bad] * len(steps))  # in a list: one alone is waited for
                torch._fused_adamw_(trained, gradients, mean, square, [], steps, lr=lr * rate, beta1=self.BETAS[0],
                                    beta2=self.BETAS[1], weight_decay=decay, eps=self.EPS, amsgrad=False,
                                    maximize=False, grad_scale=scale, found_inf=bad)
                for one in trained:
                    one.grad = None
        return found

    def _norm(self, gradients: list[Tensor]) -> Tensor:
        return torch.linalg.vector_norm(torch.cat([one.flatten() for one in gradients]))

    def state(self) -> list[Tensor]:
        """What `load` needs to go on from here."""
        return [value for *_, group in self.groups for one in group for value in one[1:]]

    def load(self, state: list[Tensor]) -> None:
        for mine, kept in zip(self.state(), state, strict=True):
            mine.copy_(kept)


LIGHT = ("embedding", "embedding_dense_backward", "_embedding_bag", "_embedding_bag_forward_only", "clone", "copy_",
         "_to_copy", "sum", "mean", "linalg_vector_norm", "stack", "cat", "index", "index_select", "constant_pad_nd")


def _is_light(func: Any) -> bool:
    """Whether an operator only looks up, moves or adds numbers: a few FLOPs per number at most."""
    return func.is_view or torch.Tag.pointwise in func.tags or func._overloadpacket.__name__ in LIGHT


class Flops(TorchDispatchMode):
    """Adds up in `total` the FLOPs of the operators that run inside, by torch's formulas and `more` of them, which read
    shapes as torch's do.

    unknown: operators that no formula knows and that read a matrix of `weights`: what they cost is not in `total`.
    """

    def __init__(self, more: Mapping[Any, Callable[..., int]], weights: Iterable[Tensor] = ()) -> None:
        from torch.utils.flop_counter import flop_registry, shape_wrapper

        super().__init__()
        self.formulas, self.total = {**flop_registry, **{op: shape_wrapper(count) for op, count in more.items()}}, 0
        self.unknown = set[str]()
        self._weights = {weight.data_ptr() for weight in weights if weight.dim() > 1}

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
        if self._weights and func._overloadpacket not in self.formulas and not _is_light(func) and any(
                isinstance(value, Tensor) and value.data_ptr() in self._weights for value in args):
            self.unknown.add(str(func))
        if formula := self.formulas.get(func._overloadpacket):
            self.total += formula(*args, **kwargs, out_val=out)
        return out
