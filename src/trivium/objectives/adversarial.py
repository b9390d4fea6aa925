"""An adversarial autoencoder: the input is made again from a point that the encoder gives, and a discriminator, which
tells such points from draws of N(0, I), makes the encoder spread them like these.

One step does all of it: the encoder and the decoder lower the error and, at weight `weight`, what the discriminator
gets right; its weights are constants to them. The discriminator learns on detached points. Two things keep that stable.
The points of a batch are brought to mean 0 and deviation 1, number by number: without, they shrank to one spot, which
the discriminator then only chased about. And the square of the discriminator's gradient at draws of N(0, I) is part of
its loss (Mescheder et al. 2018, arXiv 1801.04406, equation 9, `penalty`). Weights are chosen by the error alone.

Shapes: vector [B, D] -> a point [B, Z] -> guesses [B, T, O]; points [B, Z] -> a logit each, [B].
Cost: that of `denoising` and, per sample, four passes of the discriminator, each H x (Z + H) multiplications for its
width H: over points and draws, and two for the slope.
Source: Makhzani et al. 2015, arXiv 1511.05644.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.func import functional_call

from trivium.objectives import draws
from trivium.objectives.autoencoder import Autoencoder
from trivium.settings.base import Section

if TYPE_CHECKING:
    from trivium.data.store import Batch
    from trivium.encoders.base import Encoder
    from trivium.tasks import Task

LABELS, TOGETHER = False, False  # one stream at a time
NEEDS = frozenset({"dense", "gradients"})  # of the encoder: see `training.needs`
WIDTH = 64  # H of the discriminator


class Settings(Section):
    latent: Annotated[int, Field(ge=1)] = 16  # Z, numbers of a point
    weight: Annotated[float, Field(ge=0)] = 0.1  # of the discriminator's opinion, beside the error
    penalty: Annotated[float, Field(ge=0)] = 1.0  # of the discriminator's slope


class Adversarial(Autoencoder):
    def __init__(self, encoder: Encoder, settings: Settings) -> None:
        super().__init__(encoder, settings.latent)
        self.weight, self.penalty = settings.weight, settings.penalty
        self.point = nn.Linear(encoder.width, settings.latent)
        self.level = nn.BatchNorm1d(settings.latent, affine=False)
        self.tell = nn.Sequential(nn.Linear(settings.latent, WIDTH), nn.GELU(), nn.Linear(WIDTH, WIDTH), nn.GELU(),
                                  nn.Linear(WIDTH, 1))  # above 0: drawn from N(0, I)

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """The error, plus `weight` times the encoder's wish that its points are taken for drawn ones, plus the
        discriminator's loss, which moves nothing else.
        """
        x = self.input(batch)
        points = self.points(x)
        errors, known = self.errors(points, x, generator)
        drawn = draws.randn(points.shape, generator).to(x.device, non_blocking=True)
        held = {name: weight.detach() for name, weight in self.tell.named_parameters()}
        wish = nn.functional.softplus(-functional_call(self.tell, held, (points,))).mean()
        return errors.sum() / known.sum().clamp(min=1) + self.weight * wish + self.telling(points.detach(), drawn)

    def points(self, x: Tensor) -> Tensor:
        found = self.point(self.encoder(x))
        return self.level(found) if len(found) > 1 or not self.training else found  # one sample has no deviation

    def telling(self, points: Tensor, drawn: Tensor) -> Tensor:
        """The discriminator's loss: cross-entropy of points against drawn ones, and its squared slope at the latter."""
        drawn = drawn.requires_grad_()
        real = self.tell(drawn)
        slope, = torch.autograd.grad(real.sum(), drawn, create_graph=True)
        return (nn.functional.softplus(-real).mean() + nn.functional.softplus(self.tell(points)).mean()
                + self.penalty / 2 * slope.square().sum(1).mean())

    def score(self, batch: Batch) -> Tensor:
        """The error alone."""
        x = self.input(batch)
        errors, known = self.errors(self.points(x), x, torch.Generator().manual_seed(0))
        return errors.sum() / known.sum().clamp(min=1)


def build(encoders: Mapping[str, Encoder], streams: Sequence[str], task: Task, settings: Settings) -> Adversarial:
    return Adversarial(next(iter(encoders.values())), settings)
