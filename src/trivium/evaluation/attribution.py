"""Why this answer: how much each word, pixel and moment of sound spoke for what a model predicts.

Integrated gradients (Sundararajan, Taly & Yan 2017; computed by Captum) of the support of the prediction
(`Task.support`: the log-probability of the chosen class) along the straight line from nothing to the input, one stream
at a time, the others as they are. Nothing is padding for text, a missing cell for tables and the train mean elsewhere.
They sum to the support with the input less that without, up to `Completeness.rest`. Where there is nothing between two
inputs, as between two words, the line is drawn behind the first part of the encoder, see `front`. Of a table whose
encoder has no gradients: what the support loses when a column alone goes missing. Beside them, where an encoder
attends: `rollout`, which says where it looks, not for which answer. Whether either is to be believed, deletion curves
say (Petsiuk et al. 2018): taking away what spoke most must lower the support sooner than taking away at random.

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
from trivium.evaluation.metrics import Completeness, Deletion
from trivium.evaluation.rollout import rollout
from trivium.modalities.spec import Spec
from trivium.models.network import Model
from trivium.tasks import Task

POINTS = 32  # of Gauss-Legendre quadrature; where an encoder pools by the maximum, the path has kinks
CUTS = 10  # of a deletion curve
RANDOM = 3  # random orders that a deletion curve is compared with
GRID = 8  # units per axis of an image or a spectrogram; 4 * GRID of a waveform
ATTRIBUTE = 4 + 3 * POINTS + 1  # passes of an encoder that attends, per sample; of others a few less
PASSES = ATTRIBUTE + (CUTS + 1) * (2 + RANDOM)


@dataclass(frozen=True)
class Told:
    """Why samples were answered so. deletion: over the samples that have a stream.  prediction: [B, *T].  support: [B],
    0-1.  attention: stream -> [B], 0-1, where the fusion attends to streams or weighs them.

    nats, looked: attribution and rollout of each input, see `attribute`.
    """

    deletion: dict[str, Deletion]
    complete: dict[str, Completeness]
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
                         size: int = encoded.SIZE) -> tuple[Tensor, Tensor]:
    """[B, T] for tokens, [B, K] for columns, else [B, *Spec.shape]: nats, positive where the input speaks for
    `target`; and [B], by how much their sum is more than the support with the input less that without.

    batch: inputs; clean: the same, encoded; target: [B, *T], the prediction that is asked about; size: of the G x B
    points on all lines, how many pass the model at a time, but not fewer than B.
    """
    from captum.attr import IntegratedGradients

    encoder, x = encoded.encoder(model, stream), batch.inputs[stream]
    first = front(encoder, x)

    def support(points: Tensor, whose: Tensor) -> Tensor:
        made = encoder(points) if first is None else _behind(encoder, first, x[whose], points)
        one = encoded.replace(clean[whose], stream, made)
        return model.task.support(encoded.answer(model, one), target[whose])

    end, start = x, torch.zeros_like(x)  # of tokens and columns, 0 is padding and what is missing
    if first is not None:
        end = _made(encoder, first, x)
        start = _made(encoder, first, start).expand_as(end)
    with torch.backends.cudnn.flags(enabled=False):  # which has no gradients of recurrent layers outside of training
        found, rest = IntegratedGradients(support).attribute(
            end, start, additional_forward_args=(torch.arange(len(x), device=x.device),), n_steps=POINTS,
            internal_batch_size=max(size, len(x)), return_convergence_delta=True)
    return (found if first is None else _spread(found.sum(-1), x, encoder)).detach(), rest.detach()


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
              size: int = encoded.SIZE) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Completeness]]:
    """Of every input of `batch` that the model reads, by stream: what it said for `target` [B, *T], in nats; the
    attention rollout of the encoders that attend; and how far the first adds up, over the samples that have the stream.

    Where the fusion attends to streams or weighs them, a stream's rollout is times the fusion's share of it, so that
    all streams together have 1 at most. Both are 0 for a stream that a sample lacks.
    """
    found, looked, complete = dict[str, Tensor](), dict[str, Tensor](), dict[str, Completeness]()
    shares = fused(model, clean)
    for m in [s for s in encoded.readers(model) if s in batch.inputs]:
        there = clean.present[:, model.streams.index(m)]
        if encoded.gives(model, m, "gradients"):
            found[m], rest = integrated_gradients(model, batch, clean, m, target, size)
            if there.any():
                whole = found[m].flatten(1).sum(1) - rest
                complete[m] = Completeness(whole=whole[there].abs().mean().item(), rest=rest[there].abs().mean().item())
        else:
            found[m] = without_each(model, batch, clean, m, target, size)
        seen = rollout(encoded.encoder(model, m), batch.inputs[m])
        if seen is not None:
            share = there if shares is None else shares[m] * there
            looked[m] = seen * share.view(-1, *[1] * (seen.dim() - 1))
    return found, looked, complete


@torch.no_grad()
def fused(model: Model, clean: Batch) -> dict[str, Tensor] | None:
    """Share of the fusion's attention, or of its weights, that each stream has, [B], 0-1; together 1. None where the
    fusion does not attend to streams and does not weigh them (see `fusion.attention.Attention.attention`).
    """
    attend = getattr(getattr(model, "fusion", None), "attention", None)
    if attend is None:
        return None
    weights = attend(clean.inputs, clean.present)  # [B, S]
    weights = weights / weights.sum(1, keepdim=True).clamp(min=1e-12)
    return {m: weights[:, k] for k, m in enumerate(model.streams)}


def explain(model: Model, batch: Batch, clean: Batch, specs: Mapping[str, Spec], size: int = encoded.SIZE) -> Told:
    """Of every sample and every input of `batch` that the model reads."""
    with torch.no_grad():
        answers = encoded.answer(model, clean)
        target = model.task.guess(answers)
        support = model.task.support(answers, target)
    found, looked, complete = attribute(model, batch, clean, specs, target, size)
    areas: dict[str, Deletion] = {}
    for m in found:
        there = clean.present[:, model.streams.index(m)]
        if there.any():
            shown = {"area": found[m][there]} | ({"rollout": looked[m][there]} if m in looked else {})
            areas[m] = Deletion.model_validate(
                deletion(model, batch[there], clean[there], m, specs[m], target[there], shown, size))
    attention = {m: share.tolist() for m, share in (fused(model, clean) or {}).items()}
    return Told(areas, complete, target.tolist(), support.exp().tolist(), attention, found, looked)


def front(encoder: nn.Module, x: Tensor) -> nn.Module | None:
    """The first part of an encoder, behind which an input can be there little by little: what `Encoder.front` names,
    or the embedding of token ids, which is the first one in our encoders and in those of the hub. None where the input
    itself can.
    """
    named = getattr(encoder, "front", None)
    if named is None and not x.is_floating_point():
        return next(module for module in encoder.modules() if isinstance(module, nn.Embedding))
    return named


def _made(encoder: nn.Module, first: nn.Module, x: Tensor) -> Tensor:
    """What the part `first` of the encoder makes of x, [B, T, D]."""
    caught: list[Tensor] = []
    handle = first.register_forward_hook(lambda module, args, out: caught.append(out))
    try:
        with torch.no_grad():
            encoder(x)
    finally:
        handle.remove()
    return caught[0]


def _behind(encoder: nn.Module, first: nn.Module, x: Tensor, points: Tensor) -> Tensor:
    """What the encoder gives when `points` stand in for what its part `first` makes of x."""
    handle = first.register_forward_hook(lambda module, args, out: points)
    try:
        return encoder(x)
    finally:
        handle.remove()


def _spread(found: Tensor, x: Tensor, encoder: nn.Module) -> Tensor:
    """[B, T] of what the first part made -> by input, with the same sums: tokens (0 for padding that it did not see),
    columns, or the samples of a sound, each of which has its part of a moment.
    """
    if x.is_floating_point() and encoder.spec.kind != "columns":
        moment = torch.arange(x.shape[-1], device=x.device) * found.shape[1] // x.shape[-1]
        return (found / moment.bincount(minlength=found.shape[1]))[:, moment].view_as(x)
    return nn.functional.pad(found, (0, x.shape[1] - found.shape[1]))


def _real(x: Tensor, spec: Spec) -> Tensor:
    """bool [B, U]: tokens that are no padding, columns that are not missing."""
    return (x if spec.kind == "tokens" else x[..., 1]) != PAD


def _units(attribution: Tensor, spec: Spec) -> Tensor:
    """[B, U]: attribution summed (up to a constant) over the blocks that are deleted together."""
    if spec.discrete:
        return attribution
    grid = _grid(attribution)
    pool: Any = getattr(nn.functional, f"adaptive_avg_pool{len(grid)}d")
    return pool(attribution.sum(1, keepdim=True), grid).flatten(1)


def _grid(x: Tensor) -> tuple[int, ...]:
    """Blocks per axis of what is no token: a sound's moments, a picture's squares, or those of moments of a video."""
    if x.dim() == 5:
        return (min(GRID, x.shape[2]), GRID // 2, GRID // 2)
    return (4 * GRID,) if x.dim() == 3 else (GRID, GRID)


def _keep(x: Tensor, kept: Tensor, spec: Spec) -> Tensor:
    """x without the units that are not `kept` (bool [B, U])."""
    if spec.discrete:
        return torch.where(kept.view(*kept.shape, *[1] * (x.dim() - 2)), x, PAD)
    return x * nn.functional.interpolate(kept.to(x.dtype).view(-1, 1, *_grid(x)), x.shape[2:], mode="nearest")
