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


def targets(encoder: Encoder, blocks: int) -> list[str]:
    """Names of the linear maps and plain convolutions in the last `blocks` of the longest row of blocks; of an encoder
    without blocks, all of them.
    """
    rows = [(name, part) for name, part in encoder.named_modules() if isinstance(part, nn.ModuleList | nn.Sequential)]
    inside: tuple[str, ...] = ("",)
    if rows:
        name, row = max(rows, key=lambda pair: sum(p.numel() for p in pair[1].parameters()))
        inside = tuple(f"{name}.{k}." for k in range(max(0, len(row) - blocks), len(row)))
    return [name for name, part in encoder.named_modules()
            if name.startswith(inside) and (isinstance(part, nn.Linear) or
                                            (isinstance(part, nn.Conv1d | nn.Conv2d) and part.groups == 1))]


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
