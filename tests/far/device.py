"""A device of its own for tests where there is no GPU: real numbers, but nothing on it mixes with the CPU.

`with far() as device:` tensors on `device` compute with the CPU's kernels, and whatever a GPU refuses is refused: an
operation on tensors of two devices (numbers and indices on the CPU excepted), and `numpy()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

NAME = "far"
MIXED = {"aten::_to_copy", "aten::copy_", "aten::index", "aten::index_put_"}  # a GPU takes indices from the CPU as well


class Far(Tensor):
    """A tensor whose numbers lie in `near`, on the CPU."""

    near: Tensor

    @staticmethod
    def __new__(cls, near: Tensor) -> Far:
        made = torch.Tensor._make_wrapper_subclass(
            cls, near.shape, strides=near.stride(), storage_offset=near.storage_offset(), dtype=near.dtype,
            device=torch.device(NAME, 0))
        made.near = near
        return made

    def __repr__(self, *_: Any, **__: Any) -> str:
        return f"Far({self.near})"

    def tolist(self) -> Any:
        return self.near.tolist()

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class _Mode(TorchDispatchMode):
    """Also sees the operations that take no tensor, such as `torch.zeros`."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


def tensors_of(value: Any) -> Iterator[Tensor]:
    """Those of an operator's arguments, which torch's own trees take ten times as long to find."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from tensors_of(one)


def _each(work: Callable[[Tensor], Tensor], value: Any) -> Any:
    """`value` with `work` done on its tensors."""
    if isinstance(value, Tensor):
        return work(value)
    return type(value)(_each(work, one) for one in value) if type(value) in (list, tuple) else value


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    tensors = [*tensors_of(args), *tensors_of(list(kwargs.values()))]
    away = any(isinstance(one, Far) for one in tensors)
    name = func._schema.name
    if away and name not in MIXED:
        for one in tensors:
            if not isinstance(one, Far) and one.dim() > 0:
                raise RuntimeError(f"{name}: expected all tensors on one device, found {NAME} and {one.device}")
    if kwargs.get("device") is not None:
        away = torch.device(kwargs["device"]).type == NAME
        kwargs = kwargs | {"device": torch.device("cpu")}
        if name == "aten::_to_copy" and away and not isinstance(args[0], Far):
            args = (args[0].clone(), *args[1:])  # a move copies
    elif name == "aten::_local_scalar_dense":
        away = False
    known = {id(one.near): one for one in tensors if isinstance(one, Far)}

    def bare(one: Tensor) -> Tensor:
        return one.near if isinstance(one, Far) else one

    def wrap(one: Tensor) -> Tensor:
        return known[id(one)] if id(one) in known else Far(one)  # in place: what was given comes back

    result = func(*_each(bare, tuple(args)), **{key: _each(bare, one) for key, one in kwargs.items()})
    return _each(wrap, result) if away else result


@cache
def _register() -> None:
    from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

    _setup_privateuseone_for_python_backend(NAME)

    # `torch.tensor` makes and fills a tensor where `_Mode` does not see it.
    @torch.library.impl("aten::empty_strided", "privateuseone")
    def empty_strided(size: Any, stride: Any, *, dtype: Any = None, **_: Any) -> Tensor:
        return Far(torch.empty_strided(size, stride, dtype=dtype))

    @torch.library.impl("aten::_copy_from", "privateuseone")
    def copy_from(source: Tensor, target: Far, non_blocking: bool = False) -> Tensor:
        target.near.copy_(source)
        return target


@contextmanager
def far() -> Iterator[torch.device]:
    _register()
    with _Mode():
        yield torch.device(NAME, 0)
