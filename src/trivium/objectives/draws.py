"""Random numbers for the samples of a batch. A micro-batch gets its part of what is drawn for the whole batch, so that
what is hidden of a sample does not depend on how its batch is cut.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Part(torch.Generator):
    """A generator for the samples `start` to `stop` of a batch of `whole`."""

    start, stop, whole = 0, 0, 0

    def of(self, seed: int, start: int, stop: int, whole: int) -> Part:
        """The same for any part of a batch: it begins anew at `seed`."""
        self.manual_seed(seed)
        self.start, self.stop, self.whole = start, stop, whole
        return self


def rand(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """[B, ...], uniform from 0 to 1."""
    if isinstance(generator, Part) and shape[0] == generator.stop - generator.start:
        return torch.rand(generator.whole, *shape[1:], generator=generator)[generator.start : generator.stop]
    return torch.rand(*shape, generator=generator)


def randn(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """[B, ...], normal."""
    if isinstance(generator, Part) and shape[0] == generator.stop - generator.start:
        return torch.randn(generator.whole, *shape[1:], generator=generator)[generator.start : generator.stop]
    return torch.randn(*shape, generator=generator)
