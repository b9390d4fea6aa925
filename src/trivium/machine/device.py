"""Which device, how many workers, and the same bits every time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from trivium.machine.workers import cores
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from accelerate import Accelerator


def kind(wanted: str) -> str:
    """`cpu` or `cuda`, of what `loop.device` says: auto, cpu or cuda.

    Raises: UserError when cuda is asked for and there is none.
    """
    import torch

    if wanted == "cpu":
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        built = torch.version.cuda or "none: this is the CPU build of torch"
        raise UserError(f"params.yaml says `loop.device: cuda`, but torch {torch.__version__} finds no GPU (CUDA of "
                        f"the build: {built}). Install the GPU build (`rm -rf .venv`, then `make repro` on a machine "
                        "where nvidia-smi works), or set `loop.device: auto`.")
    return "cpu"


def gpus(device: str) -> int:
    """How many GPUs there are to use, 0 on a CPU."""
    import torch

    return torch.cuda.device_count() if device == "cuda" else 0


def workers(wanted: Literal["auto"] | int, device: str) -> int:
    """Seeds that train side by side, `loop.workers`. auto: one per GPU, or one per CPU core (one thread each: the same
    bits anywhere).
    """
    if wanted != "auto":
        return wanted
    return gpus(device) or cores()


def peak_memory_bytes(device: str) -> int | None:
    """The most that tensors of this process took on its GPU so far; None on a CPU."""
    import torch

    return torch.cuda.max_memory_allocated() if device == "cuda" else None


def deterministic(device: str) -> None:
    """The same bits every time from here on, and a float32 that is one: a GPU would round it to TF32 in convolutions.

    Before the first matrix product on a GPU, which reads CUBLAS_WORKSPACE_CONFIG.
    """
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    import torch

    torch.set_deterministic_debug_mode("error")  # as use_deterministic_algorithms, which imports the compiler as well
    torch.utils.deterministic.fill_uninitialized_memory = False  # with NaN, to find bugs: 250 more fills in a step
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    if device == "cpu":
        torch.set_num_threads(1)


def prepare(device: str) -> Accelerator:
    """An Accelerator with deterministic algorithms: bf16 on a GPU that computes in it, else float32."""
    import torch
    from accelerate import Accelerator

    deterministic(device)
    bf16 = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return Accelerator(cpu=device == "cpu", mixed_precision="bf16" if bf16 else "no")
