"""Why this answer: how much each word, pixel and moment of sound spoke for what a model predicts.

Integrated gradients (Sundararajan, Taly & Yan 2017) of the support of the prediction (`Task.support`: the
log-probability of the chosen class) along the straight line from nothing (padding for text, the train mean elsewhere)
to the input, one stream at a time, the others as they are. They sum to the support with the input less that without. Of
a table, where there is no line between two categories: what the support loses when a column alone goes missing, whether
or not the encoder has gradients. Beside them, where an encoder attends: `rollout`, which says where it looks, not for
which answer. Whether either is to be believed, deletion curves say (Petsiuk et al. 2018): taking away what spoke most
must lower the support sooner than taking away at random.

Legend: `B` samples, `T` tokens, `D` width, `G` points on the line, `U` units that are deleted together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trivium.data.store import Batch
from trivium.encoders.base import PAD
from trivium.evaluation import encoded
from trivium.evaluation.metrics import Deletion
from trivium.evaluation.rollout import rollout
from trivium.modalities.spec import Spec
from trivium.models.network import Model
from trivium.tasks import Task

POINTS = 32  # of Gauss-Legendre quadrature; where an encoder pools by the maximum, the path has kinks
CUTS = 10  # of a deletion curve
RANDOM = 3  # random orders that a deletion curve is compared with
GRID = 8  # units per axis of an image or a spectrogram; 4 * GRID of a waveform
ATTRIBUTE = 2 + 3 * POINTS + 1  # passes of an encoder that attends, per sample; of others a few less
PASSES = ATTRIBUTE + (CUTS + 1) * (2 + RANDOM)


@dataclass(frozen=True)
class Told:
    """Why samples were answered so. deletion: over the samples that have a stream.  prediction: [B, *T].  support: [B],
    0-1.  attention: stream -> [B], 0-1, where the fusion attends to streams.

    nats, looked: attribution and rollout of each input, see `attribute`.
    """

    deletion: dict[str, Deletion]
    prediction: list[Any]
    support: list[float]
    attention: dict[str, list[float]]
    nats: dict[str, Tensor]
    looked: dict[str, Tensor]


def choose(task: Task, answers: Tensor, y: Tensor, each: int = 2) -> dict[int, str]:
    """Samples to explain, position -> why: those that tell most, and the first of the test set, which are the same for
    every strategy.
    """
    orders = task.telling(answers, y) | {"same": torch.arange(len(y), device=y.device).float()}
    chosen: dict[int, str] = {}
    for why, order in orders.items():
        for k in order.argsort(stable=True)[:each].tolist():
            if order[k] < torch.inf:
                chosen.setdefault(k, why)
    return chosen


def shows(encoder: nn.Module) -> bool:
    """Whether it can be told what an answer rests on in the inputs of an encoder."""
    return "gradients" in encoder.gives or encoder.spec.kind == "columns"


@torch.no_grad()
def without_each(model: Model, batch: Batch, clean: Batch, stream: str, target: Tensor, size: int = encoded.SIZE,
                 ) -> Tensor:
    """[B, K] of a table: nats of `target` that are lost when column k is missing and all others are as they are.

    Arguments as those of `integrated_gradients`.
    """
    encoder, x = encoded.encoder(model, stream), batch.inputs[stream]
    whole = model.task.support(encoded.answer(model, clean), target)
    found = []
    for column in range(x.shape[1]):
        less = x.clone()
        less[:, column] = 0
        one = encoded.replace(clean, stream, encoded.through(encoder, less, size))
        found.append(whole - model.task.support(encoded.answer(model, one), target))
    return torch.stack(found, 1)


def integrated_gradients(model: Model, batch: Batch, clean: Batch, stream: str, target: Tensor,
                         size: int = encoded.SIZE) -> Tensor:
    """[B, T] for tokens, else [B, *Spec.shape]; nats, positive where the input speaks for `target`.

    batch: inputs; clean: the same, encoded; target: [B, *T], the prediction that is asked about; size: of the G x B
    points on all lines, how many pass the model at a time.
    """
    encoder, x = encoded.encoder(model, stream), batch.inputs[stream]
    end = _embedded(encoder, x)
    start = _embedded(encoder, torch.full_like(x, PAD)) if end is not x else torch.zeros_like(x)
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    along, weight = (torch.tensor(v, dtype=end.dtype, device=end.device) for v in ((nodes + 1) / 2, weights / 2))
    shape = (-1, *[1] * end.dim())
    line = (start + along.view(shape) * (end - start)).flatten(0, 1)  # [G * B, ...]
    whose = torch.arange(len(x), device=x.device).repeat(POINTS)
    slopes = []
    for points, these in zip(line.split(size), whose.split(size), strict=True):
        points = points.detach().requires_grad_(True)
        with torch.enable_grad():
            one = encoded.replace(clean[these], stream, _from_embedded(encoder, x[these], points))
            own = model.task.support(encoded.answer(model, one), target[these])
            slopes.append(torch.autograd.grad(own.sum(), points)[0])
    slope = torch.cat(slopes).unflatten(0, (POINTS, -1))
    found = ((end - start) * (slope * weight.view(shape)).sum(0)).detach()
    return found.sum(-1) if end is not x else found


@torch.no_grad()
def deletion(model: Model, batch: Batch, clean: Batch, stream: str, spec: Spec, target: Tensor,
             attributions: Mapping[str, Tensor], size: int = encoded.SIZE) -> dict[str, float]:
    """Area under the support of `target` while more and more of the input is deleted, 0-1, mean over samples.

    Returns an area for each of `attributions`, most important first, and for a "random" order. An attribution that
    means something has a smaller area than that.
    """
    encoder, x = encoded.encoder(model, stream), batch.inputs[stream]
    scores = [_units(attribution, spec) for attribution in attributions.values()]
    real = _real(x, spec) if spec.discrete else torch.ones_like(scores[0], dtype=torch.bool)
    generator = torch.Generator().manual_seed(0)
    orders = [*scores, *(torch.rand(real.shape, generator=generator).to(scores[0]) for _ in range(RANDOM))]
    cuts = torch.linspace(0, 1, CUTS + 1, dtype=torch.float64, device=x.device).view(-1, 1, 1) * real.sum(1).view(-1, 1)
    every = torch.arange(len(x), device=x.device).repeat(CUTS + 1)  # the samples once per cut
    areas = []
    for order in orders:
        rank = order.masked_fill(~real, -torch.inf).argsort(dim=1, descending=True, stable=True).argsort(dim=1)
        kept = (rank >= cuts.round(decimals=9)).flatten(0, 1)
        vectors = encoded.through(encoder, _keep(x[every], kept, spec), size)
        one = encoded.replace(clean[every], stream, vectors)
        left = model.task.support(encoded.answer(model, one), target[every]).exp()
        areas.append(float(np.trapezoid(left.view(CUTS + 1, -1).mean(1).tolist(), dx=1 / CUTS)))
    return dict(zip(attributions, areas, strict=False)) | {"random": float(np.mean(areas[len(scores):]))}


def attribute(model: Model, batch: Batch, clean: Batch, specs: Mapping[str, Spec], target: Tensor,
              size: int = encoded.SIZE) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Of every input of `batch` that the model reads, by stream: what it said for `target` [B, *T], in nats, and the
    attention rollout of the encoders that attend. Both are 0 for a stream that a sample lacks.
    """
    found: dict[str, Tensor] = {}
    looked: dict[str, Tensor] = {}
    for m in [s for s in encoded.readers(model) if s in batch.inputs]:
        told = without_each if specs[m].kind == "columns" else integrated_gradients
        found[m] = told(model, batch, clean, m, target, size)
        seen = rollout(encoded.encoder(model, m), batch.inputs[m])
        if seen is not None:
            there = clean.present[:, model.streams.index(m)]
            looked[m] = seen * there.view(-1, *[1] * (seen.dim() - 1))
    return found, looked


def explain(model: Model, batch: Batch, clean: Batch, specs: Mapping[str, Spec], size: int = encoded.SIZE) -> Told:
    """Of every sample and every input of `batch` that the model reads."""
    with torch.no_grad():
        answers = encoded.answer(model, clean)
        target = model.task.guess(answers)
        support = model.task.support(answers, target)
    found, looked = attribute(model, batch, clean, specs, target, size)
    areas: dict[str, Deletion] = {}
    for m in found:
        there = clean.present[:, model.streams.index(m)]
        if there.any():
            shown = {"area": found[m][there]} | ({"rollout": looked[m][there]} if m in looked else {})
            areas[m] = Deletion.model_validate(
                deletion(model, batch[there], clean[there], m, specs[m], target[there], shown, size))
    attend, attention = getattr(getattr(model, "fusion", None), "attention", None), dict[str, list[float]]()
    if attend is not None:
        with torch.no_grad():
            weights = attend(clean.inputs, clean.present)  # [B, S]
        attention = {m: weights[:, k].tolist() for k, m in enumerate(model.streams)}
    return Told(areas, target.tolist(), support.exp().tolist(), attention, found, looked)


def _embedded(encoder: nn.Module, x: Tensor) -> Tensor:
    """Token ids -> what the embedding makes of them [B, T, D]; other inputs as they are."""
    if x.is_floating_point():
        return x
    caught: list[Tensor] = []
    handle = _embedding(encoder).register_forward_hook(lambda module, args, out: caught.append(out))
    try:
        with torch.no_grad():
            encoder(x)
    finally:
        handle.remove()
    return caught[0]


def _from_embedded(encoder: nn.Module, x: Tensor, point: Tensor) -> Tensor:
    """The encoder's vectors when `point` stands in for the embedding of x."""
    if x.is_floating_point():
        return encoder(point)
    handle = _embedding(encoder).register_forward_hook(lambda module, args, out: point)
    try:
        return encoder(x)
    finally:
        handle.remove()


def _embedding(encoder: nn.Module) -> nn.Embedding:
    """The first one is that of the tokens, in our encoders and in those of the hub."""
    return next(module for module in encoder.modules() if isinstance(module, nn.Embedding))


def _real(x: Tensor, spec: Spec) -> Tensor:
    """bool [B, U]: tokens that are no padding, columns that are not missing."""
    return (x if spec.kind == "tokens" else x[..., 1]) != PAD


def _units(attribution: Tensor, spec: Spec) -> Tensor:
    """[B, U]: attribution summed (up to a constant) over the blocks that are deleted together."""
    if spec.discrete:
        return attribution
    whole = attribution.sum(1, keepdim=True)
    pooled = nn.functional.adaptive_avg_pool1d(whole, 4 * GRID) if whole.dim() == 3 else (
        nn.functional.adaptive_avg_pool2d(whole, GRID))
    return pooled.flatten(1)


def _keep(x: Tensor, kept: Tensor, spec: Spec) -> Tensor:
    """x without the units that are not `kept` (bool [B, U])."""
    if spec.discrete:
        return torch.where(kept.view(*kept.shape, *[1] * (x.dim() - 2)), x, PAD)
    grid = (4 * GRID,) if x.dim() == 3 else (GRID, GRID)
    return x * nn.functional.interpolate(kept.to(x.dtype).view(-1, 1, *grid), x.shape[2:], mode="nearest")
