"""Words that are masked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trivium.settings.base import Section, Share

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from trivium.modalities.spec import Spec

MASK = 2  # id, as in every tokenizer here


class Settings(Section):
    token_dropout: Share = 0.0  # probability that a token is masked


USUAL = Settings(token_dropout=0.1)


def augment(x: Tensor, generator: Generator, spec: Spec, settings: Settings = USUAL) -> Tensor:
    """x int64 [B, T]; each token is masked with this probability, if it is neither padding nor unknown."""
    import torch

    most = torch.where(torch.rand(x.shape, generator=generator) < settings.token_dropout, MASK, spec.vocab)
    return torch.minimum(x, most.to(x.device, non_blocking=True))
