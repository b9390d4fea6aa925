"""Mixup in the space of vectors: samples between two samples, with a label that is partly one's and partly the other's.

One share lambda of Beta(alpha, alpha) and one order of partners are drawn for a batch, and hold for all of its streams
(Zhang et al. 2018, arXiv 1710.09412). What is mixed are the encoders' vectors, which works for words and cells as well
as for pictures (manifold mixup, Verma et al. 2019, arXiv 1806.05236). The loss is lambda L(y) + (1 - lambda) L(y').

Legend: `B` samples, `D` width.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trivium.data.store import Batch


def loss(objective: nn.Module, batch: Batch, generator: torch.Generator, alpha: float) -> Tensor:
    """The objective's loss, of mixed samples where alpha > 0 and it learns from labels."""
    step: Any = objective
    return step.loss(mixed(step.model, batch, generator, alpha) if alpha and step.labels else batch, generator)


def mixed(model: Any, batch: Batch, generator: torch.Generator, alpha: float) -> Batch:
    """The mixed vectors of `batch`, twice: once with each label, which counts lambda and 1 - lambda. Encoders run once.

    A stream that one of two samples lacks is the other's.
    """
    draw = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
    share = float(draw.beta(alpha, alpha))
    partner = torch.randperm(len(batch), generator=generator).to(batch.y.device, non_blocking=True)
    inputs = {}
    for s, own in model.read(batch).items():
        # a model of one stream reads samples that have it, and does not say which column is its own
        here = batch.present[:, model.streams.index(s)] if hasattr(model, "streams") else batch.present.any(1)
        inputs[s] = between(own, own[partner], here, here[partner], share).repeat(2, *[1] * (own.dim() - 1))
    weight = torch.ones(len(batch), device=batch.y.device) if batch.weight is None else batch.weight
    present = batch.present | batch.present[partner]
    return Batch(inputs, present.repeat(2, 1), torch.cat([batch.y, batch.y[partner]]), encoded=True,
                 weight=torch.cat([share * weight, (1 - share) * weight[partner]]))


def between(own: Tensor, other: Tensor, here: Tensor, there: Tensor, share: float | Tensor) -> Tensor:
    """share x own + (1 - share) x other, of vectors [B, D] or of vectors with tokens behind (see `Encoder`); where only
    one of two has the stream, or a token, it is that one's. here, there: bool [B], who has the stream.
    """
    if own.dim() == 3:  # the last number says whether there is a token
        here, there = here.unsqueeze(1) & (own[..., -1] > 0), there.unsqueeze(1) & (other[..., -1] > 0)
    if isinstance(share, Tensor):
        share = share.view(-1, *[1] * (here.dim() - 1)).to(own.dtype)
    part = torch.where(here & there, share, here.to(own.dtype)).unsqueeze(-1)
    return part * own + (1 - part) * other
