"""What a GPU would do with an operator: refuse it, since it has no deterministic kernel, or make the program wait."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.far.device import Far, tensors_of

# Every kernel of torch 2.13.0 for CUDA that calls `alertNotDeterministic`, by the operator that runs it: the call sites
# in libtorch_cuda.so of the Linux build, and `put_` in libtorch_cpu.so. In aten/src/ATen/native/cuda each is marked by
# "See Note [Writing Nondeterministic Operations]". With torch.set_deterministic_debug_mode("error") they raise.
REFUSED = {
    "_adaptive_avg_pool2d_backward", "_adaptive_avg_pool3d_backward", "_ctc_loss_backward",
    "_embedding_bag_dense_backward", "_upsample_bicubic2d_aa_backward", "_upsample_bilinear2d_aa_backward",
    "adaptive_max_pool2d_backward", "avg_pool3d_backward", "cudnn_grid_sampler_backward",
    "fractional_max_pool2d_backward", "fractional_max_pool3d_backward", "grid_sampler_2d_backward",
    "grid_sampler_3d_backward", "histc", "index_reduce", "index_reduce_", "max_pool3d_with_indices_backward",
    "max_unpool2d", "max_unpool3d", "put", "put_", "reflection_pad1d_backward", "reflection_pad3d_backward",
    "replication_pad1d_backward", "replication_pad2d_backward", "replication_pad3d_backward",
    "upsample_bicubic2d_backward", "upsample_bilinear2d_backward", "upsample_linear1d_backward",
    "upsample_trilinear3d_backward",
}
BY_DIMENSION = {"median", "nanmedian"}  # their positions, not their values
WAITING = {"_local_scalar_dense", "nonzero", "masked_select", "_unique2", "equal"}  # for a number or a size
KEPT = {"sum", "mean"}  # reductions of scatter_reduce that are deterministic


def refuses(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Does a GPU raise in deterministic mode?"""
    name, overload = func._schema.name.removeprefix("aten::"), func._overloadname
    given = {argument.name: value for argument, value in zip(func._schema.arguments, args, strict=False)} | kwargs
    if name == "nll_loss2d_forward":
        return given["reduction"] != 0
    if name == "bincount":
        return given.get("weights") is not None
    if name in BY_DIMENSION:
        return overload.startswith(("dim", "names_dim"))
    if name.startswith("scatter") and "reduce" in given:
        return given["reduce"] not in KEPT
    return name in REFUSED


def waits(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Does the program stand still until a GPU has done all that it was told before?

    So it is when a number or a size is asked for, and when anything is copied between CPU and GPU, unless the copy to
    the GPU is told not to block.
    """
    name = func._schema.name.removeprefix("aten::")
    if name not in WAITING and name not in ("_to_copy", "copy_", "index", "index_put_"):
        return False
    tensors = [*tensors_of(args), *tensors_of(list(kwargs.values()))]
    away = [isinstance(one, Far) for one in tensors]
    if name == "_to_copy" and kwargs.get("device") is not None:
        arrives = kwargs["device"].type != "cpu"
        return away[0] != arrives and not (arrives and kwargs.get("non_blocking"))
    if name == "copy_":
        return away[0] != away[1]
    if name in ("index", "index_put_"):  # an index on the CPU is copied, and one of booleans is counted
        return any(away) and (not all(away) or any(one.dtype == torch.bool for one in tensors[1:]))
    return any(away) and name in WAITING


class Watch(TorchDispatchMode):
    """Inside `far()`: keeps in `refused` the names of operators that a GPU would refuse, and counts in `waited` how
    often it would be waited for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()
        self.waited = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if refuses(func, args, kwargs):
            self.refused.add(func._schema.name.removeprefix("aten::"))
        self.waited += waits(func, args, kwargs)
        return func(*args, **kwargs)
