"""A variational autoencoder on the pooled vector: the vector gives mean and deviation of a normal distribution, a point
is drawn from it, and the input is made again from that point.

The loss is the negative evidence lower bound: how unlikely the input is, given the point, plus `beta` times the
divergence of the distribution from N(0, I), which keeps what is carried few and smooth. Numbers of a patch count as
normal with a deviation of 1. Both terms are divided by the same number, which makes the first a mean over places, as in
`denoising`. beta = 1 is the bound itself, larger ones carry less (Higgins et al. 2017). The component is the encoder:
what follows reads its vector, not the mean.

Shapes: vector [B, D] -> mean and log-variance [B, Z] -> a point [B, Z] -> guesses [B, T, O].
Cost: that of `denoising` and, per sample, 3 D x Z multiplications.
Source: Kingma & Welling 2014, arXiv 1312.6114, equation 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from trivium.objectives import draws
from trivium.objectives.autoencoder import Autoencoder
from trivium.settings.base import Count, Section

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.tasks import Task

LABELS, TOGETHER = False, False  # one stream at a time
NEEDS = frozenset({"dense", "gradients"})  # of the encoder: see `training.needs`


class Settings(Section):
    beta: Annotated[float, Field(ge=0)] = 1.0  # weight of the divergence
    latent: Count = 32  # Z, numbers of a point


class VAE(Autoencoder):
    def __init__(self, encoder: Encoder, beta: float, latent: int) -> None:
        super().__init__(encoder, latent)
        self.beta = beta
        self.mean, self.spread = nn.Linear(encoder.width, latent), nn.Linear(encoder.width, latent)

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """The bound in nats, over the number of known places and the nats that an error of 1 is at each."""
        x = self.input(batch)
        vector = self.encoder(x)
        mean, spread = self.mean(vector), self.spread(vector)
        noise = draws.randn(mean.shape, generator).to(x.device, non_blocking=True)
        errors, known = self.errors(mean + (spread / 2).exp() * noise, x, generator)
        apart = divergence(mean, spread) * self.guessed / self.count
        return (errors.sum() + self.beta * apart.sum() / self.goal.nats) / known.sum().clamp(min=1)


def divergence(mean: Tensor, spread: Tensor) -> Tensor:
    """KL(N(mean, exp(spread)) || N(0, I)) in nats, [B]; spread: the logarithm of the variance, [B, Z]."""
    return 0.5 * (mean.square() + spread.exp() - 1 - spread).sum(1)


def build(encoders: Mapping[str, Encoder], streams: Sequence[str], task: Task, settings: Settings) -> VAE:
    return VAE(next(iter(encoders.values())), settings.beta, settings.latent)
