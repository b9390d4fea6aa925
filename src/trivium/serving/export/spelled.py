"""A model in words that ONNX has: the same answers, from operators that can be exported.

What is changed here gives what it gave before, but for rounding; `smoke` compares both. A model that was spelled is to
be exported and not to be used.

Legend: `B` samples, `L` n-grams, `C` outputs, `F` columns that trees see, `T` trees, `N` nodes of the largest one.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from trivium.encoders import hub
from trivium.encoders.published import resemblyzer
from trivium.models.boosting import Trees
from trivium.models.linear import Bag

ANGLES = torch.arange(resemblyzer.WINDOW).double().outer(
    torch.arange(resemblyzer.WINDOW // 2 + 1).double()) * (2 * torch.pi / resemblyzer.WINDOW)
WAVES = ANGLES.cos().float(), ANGLES.sin().float()  # of a window of samples, for each frequency


@contextmanager
def spelled(model: nn.Module) -> Iterator[None]:
    """Parts of `model` that ONNX has no words for are spelled out; texts are not cut to the longest, so that how many
    tokens there are is known before the graph runs; and the `len` of a tensor is one of its sides, not the number that
    it has in the example.
    """
    for part in model.modules():
        if isinstance(part, Trees):
            part.forward = partial(trees, part, depth(part))  # type: ignore[method-assign]
        elif isinstance(part, Bag | resemblyzer.Mel):
            part.forward = partial(bag if isinstance(part, Bag) else mel, part)  # type: ignore[method-assign,arg-type]
    cut, hub.unpadded = hub.unpadded, lambda x: x
    ours = [module for name, module in list(sys.modules.items()) if name.startswith("trivium.")]
    for module in ours:
        module.__dict__["len"] = length
    try:
        yield
    finally:
        hub.unpadded = cut
        for module in ours:
            del module.__dict__["len"]


def length(x: Any) -> Any:
    return x.shape[0] if isinstance(x, Tensor) else builtins.len(x)


def bag(part: Bag, x: Tensor) -> Tensor:
    """An embedding bag as the sum that it is: int64 [B, L, 2] -> [B, C]."""
    return part.contributions(x).sum(1) + part.bias


def trees(part: Trees, steps: int, x: Tensor) -> Tensor:
    """As many `steps` as the deepest tree has, for every sample: [B, F] -> [B, R]."""
    x, (count, width) = x.double(), part.value.shape
    if not count:
        return part.baseline.expand(x.shape[0], -1).clone()
    start = torch.arange(count, device=x.device) * width
    node = start.expand(x.shape[0], count)
    for _ in range(steps):
        value = x.gather(1, part.feature_idx.flatten()[node])
        lost = value.isnan() & part.missing_go_to_left.flatten()[node]  # onnxruntime chooses between no truth values
        left = lost | (value <= part.num_threshold.flatten()[node])
        after = start + torch.where(left, part.left.flatten()[node], part.right.flatten()[node])
        node = torch.where(part.is_leaf.flatten()[node], node, after)
    into = nn.functional.one_hot(part.output, len(part.baseline)).double()
    return part.baseline + part.value.flatten()[node] @ into


def depth(part: Trees) -> int:
    """Steps from the root to the furthest leaf of all trees."""
    steps, here = 0, [(tree, 0) for tree in range(len(part.output))]
    left, right, leaf = part.left.tolist(), part.right.tolist(), part.is_leaf.tolist()
    while here := [(tree, child) for tree, node in here if not leaf[tree][node]
                   for child in (left[tree][node], right[tree][node])]:
        steps += 1
    return steps


def mel(part: resemblyzer.Mel, wave: Tensor) -> Tensor:
    """The spectrum as a product with sines and cosines: [B, N] -> [B, T, F]."""
    loudness = (wave.square().sum(1) / resemblyzer.heard_samples(wave).clamp(min=1)).sqrt().clamp(min=1e-6)
    wave = wave * (resemblyzer.QUIET / loudness).clamp(min=1.0).unsqueeze(1)
    size = resemblyzer.WINDOW
    frames = nn.functional.pad(wave, (size // 2, size // 2)).unfold(1, size, resemblyzer.HOP) * part.hann
    real, imaginary = (frames @ wave for wave in WAVES)
    return (real.square() + imaginary.square()) @ part.filters.T
