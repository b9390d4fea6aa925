"""Low-rank updates of the last blocks of an encoder, by `peft`; merged into the weights when training is over.

W x becomes W x + (alpha / r) B A x with A random and B zero at first (Hu et al. 2021, eq. 3); alpha = 2 r.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

if TYPE_CHECKING:
    from trivium.encoders.base import Encoder

MARK = "lora_"  # in the names of the parameters that move


def add(encoder: Encoder, rank: int, blocks: int) -> int:
    """Put updates of `rank` beside the linear maps and convolutions of the last `blocks`; returns how many."""
    from peft import LoraConfig, inject_adapter_in_model

    names = targets(encoder, blocks)
    if names:
        config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=names, lora_dropout=0.0)
        inject_adapter_in_model(config, encoder)
    return len(names)


def targets(encoder: Encoder, moving: int) -> list[str]:
    """Names of the linear maps and plain convolutions in the last `moving` of the encoder's blocks; of an encoder
    without blocks, all of them.
    """
    name, blocks = row(encoder)
    first = max(0, len(blocks) - moving)
    inside = tuple(f"{name}.{k}." for k in range(first, len(blocks))) if blocks else ("",)
    return [name for name, part in encoder.named_modules()
            if name.startswith(inside) and (isinstance(part, nn.Linear) or
                                            (isinstance(part, nn.Conv1d | nn.Conv2d) and part.groups == 1))]


def row(encoder: Encoder) -> tuple[str, list[nn.Module]]:
    """Name and blocks of the encoder's largest row of blocks; no blocks where it has no row."""
    rows = [(name, part) for name, part in encoder.named_modules() if isinstance(part, nn.ModuleList | nn.Sequential)]
    name, found = max(rows, key=lambda pair: sum(p.numel() for p in pair[1].parameters()), default=("", ()))
    return name, list(found)


def merge(encoder: Encoder) -> None:
    """The updates become part of the weights, and the encoder what it was."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    found: list[tuple[str, Any]] = [(name, part) for name, part in encoder.named_modules()
                                    if isinstance(part, BaseTunerLayer)]
    for name, layer in found:
        layer.merge()
        home, _, last = name.rpartition(".")
        setattr(encoder.get_submodule(home), last, layer.get_base_layer())
    if hasattr(encoder, "peft_config"):
        del encoder.peft_config
