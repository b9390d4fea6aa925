"""On-the-fly gradient modulation with generalisation noise (OGM-GE; Peng et al. 2022, arXiv 2203.15332, eq. 8-13).

The score of a stream m is how well the network answers a batch with that stream alone, s_m = mean of exp(-loss): of
classes, the probability of the true one. With rho_m = s_m / (mean score of the other streams), the gradient g of its
encoder becomes k_m g, k_m = 1 - tanh(alpha rho_m) where rho_m > 1, else g. To the weights with two or more dimensions
of every encoder, noise N(0, std(g)^2) is added, std of g before it is multiplied.
The paper's score, softmax(W_m phi_m + b/2), supposes a linear head on vectors side by side; here it is of any fusion
that takes any subset of streams. A sample without a stream does not count for it. The paper adds noise to convolutions
alone, which were all the weights with dimensions of its encoders.

alpha = 0 is plain joint training, without noise. Cost: that of joint training, and a forward pass of fusion and head
per stream. The optimiser divides each gradient by its usual size, so that a k_m that stays the same changes little;
under plain gradient descent, as in the paper, it slows down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trivium.objectives.network.joint import Joint

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.models.network import Multimodal, Vectors


class Modulated(Joint):
    """alpha: >= 0."""

    def __init__(self, model: Multimodal, alpha: float) -> None:
        super().__init__(model)
        self.alpha = alpha
        self._slower, self._seed = torch.ones(len(model.streams)), 0  # of the step that is under way

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        vectors = self.model.read(batch)
        if self.alpha:
            self._slower = factors(self.scores(vectors, batch), self.alpha)
            self._seed = int(torch.randint(2**62, (), generator=generator))
        return self.task.loss(self.model.outputs(vectors, batch.present), batch.y, batch.weight)

    @torch.no_grad()
    def scores(self, vectors: Vectors, batch: Batch) -> Tensor:
        """[S], 0-1; nan of a stream that no sample has."""
        found = []
        for k in range(len(self.model.streams)):
            alone = torch.zeros_like(batch.present)
            alone[:, k] = batch.present[:, k]
            right = (-self.task.losses(self.model.outputs(vectors, alone), batch.y)).exp()
            count = alone[:, k] if batch.weight is None else alone[:, k] * batch.weight
            found.append((right * count).sum() / count.sum())
        return torch.stack(found)

    @torch.no_grad()
    def after_backward(self) -> None:
        if not self.alpha:
            return
        generator: torch.Generator | None = None
        for k, encoder in enumerate(self.model.readers.values()):
            for weight in encoder.parameters():
                if (gradient := weight.grad) is None:
                    continue
                if generator is None:
                    generator = torch.Generator(gradient.device).manual_seed(self._seed)
                spread = gradient.std() if gradient.dim() > 1 and gradient.numel() > 1 else None
                gradient.mul_(self._slower[k])
                if spread is not None:
                    noise = torch.randn(gradient.shape, generator=generator, device=gradient.device)
                    gradient.add_(noise.to(gradient.dtype) * spread)


def factors(scores: Tensor, alpha: float) -> Tensor:
    """k of each stream, [S] -> [S]; 1 where a stream, or all others, were in no sample."""
    known = ~scores.isnan()
    total, count = scores.nan_to_num().sum(), known.sum()
    ratio = scores * (count - 1) / (total - scores)
    return torch.where(ratio > 1, 1 - (alpha * ratio).tanh(), 1.0)


def build(model: Multimodal, component: Callable[[str], Encoder], alpha: float) -> Modulated:
    return Modulated(model, alpha)
