"""How well linear probes read targets off vectors: what every task says of them.

Legend: `N` rows, `M` rows to judge by, `B` samples, `S` streams, `D` columns, `C` outputs, `A` numbers of an answer,
`T` the shape of one target.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from trivium.tasks.links import Link


class Probed(ABC):
    """What every task answers."""

    if TYPE_CHECKING:
        def answer(self, outputs: Tensor, calibration: Tensor) -> Tensor: ...

    @abstractmethod
    def link(self, y: np.ndarray) -> Link:
        """For the train targets `y` [N, *T]."""

    @abstractmethod
    def nothing(self, y: np.ndarray) -> np.ndarray:
        """float32 [C]: outputs of what knows no input, from the train targets `y` (log class shares, means)."""

    def heat(self, calibration: Tensor) -> np.ndarray:
        """What a probe's scores are divided by, so that those of several streams can be averaged: float32."""
        return np.float32(1.0)  # type: ignore[return-value]

    def judgeable(self, nothing: np.ndarray, y: np.ndarray) -> np.ndarray:
        """bool [M]: the targets that probes can be calibrated by, given `nothing` of train."""
        return np.ones(len(y), bool)

    def total(self, scores: Tensor, present: Tensor, way: str, intercept: Tensor, nothing: Tensor) -> Tensor:
        """The outputs [B, C] of linear probes. scores: [B, S, C] of the streams, of which those `present` (bool [B, S])
        count; way: "mean", of scores that are calibrated each, or "concatenation": their sum and the intercept [C];
        nothing: [C], for samples of which nothing is present.
        """
        import torch

        seen = present.unsqueeze(-1)
        found = torch.where(seen, scores, 0.0).sum(1)
        found = found / seen.sum(1).clamp(min=1) if way == "mean" else found + intercept
        return torch.where(present.any(1, keepdim=True), found, nothing)

    def combined(self, scores: Tensor, present: Tensor, way: str, intercept: Tensor, nothing: Tensor,
                 calibration: Tensor) -> Tensor:
        """The answer [B, A] of linear probes, see `total`."""
        return self.answer(self.total(scores, present, way, intercept, nothing), calibration)

    @abstractmethod
    def probed(self, train: Tensor, y: Tensor, test: Tensor) -> Tensor:
        """What a small regularised linear model says: answers to `test` [M, D] when fitted on `train` [B, D] with the
        targets `y`; columns are standardised, their last one is the constant.
        """
