"""How much a model loses when its inputs get worse: noise, partners that do not belong together, attacks.

Legend: `B` samples, `S` streams, `K` those that the model reads, `D` width, `E` strengths of an attack.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from trivium.data.store import Batch
from trivium.evaluation import encoded
from trivium.evaluation.metrics import Attacks, Corruption, Levels
from trivium.modalities.spec import Spec
from trivium.models.network import Model

LEVELS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # severity of noise: 0 clean, 1 nothing else
SHARES = (0.0, 0.25, 0.5, 1.0)  # of the samples whose partner is another sample's
SHIFTS = (0.0, 0.1, 0.25)  # of the clip
TIMED = {"spectrogram": -1, "waveform": -1, "frames": 2}  # what has a time, and its axis in a batch
STRENGTHS = (0.0, 0.05, 0.1, 0.25)  # of an attack: largest change of a number, in standard deviations of the input
STEPS = 10  # of projected gradient descent
PASSES = {  # of the encoder, per sample
    "corruption": len(LEVELS) - 1, "shift": len(SHIFTS) - 1, "attacks": (len(STRENGTHS) - 1) * (3 * STEPS + 2),
}


@torch.no_grad()
def corruption(model: Model, clean: Batch, stream: str, noise: Callable[[slice, float], Tensor], size: int,
               ) -> Corruption:
    """Score at each of `LEVELS` of noise on `stream`, the others clean.

    clean: an encoded batch;  noise: the inputs of `stream` of a part of it, at a severity

    A stream that the model does not read has a flat curve.
    """
    curve = [_score(model, clean)] * len(LEVELS)
    if stream in encoded.readers(model):
        right = [0.0] * len(LEVELS)
        for start in range(0, len(clean), size):
            part = slice(start, start + size)
            own = clean[part]
            for k, level in enumerate(LEVELS[1:], 1):
                vectors = encoded.through(encoded.encoder(model, stream), noise(part, level), size)
                answers = encoded.answer(model, encoded.replace(own, stream, vectors))
                right[k] += model.task.right(answers, own.y).sum().item()
        curve[1:] = [count / len(clean) for count in right[1:]]
    return Corruption(levels=list(LEVELS), score=curve, relative=relative(curve))


@torch.no_grad()
def misalignment(model: Model, clean: Batch) -> dict[str, Levels]:
    """When a stream of a share of the samples of an encoded batch is another sample's, by stream."""
    order = encoded.cycles(len(clean), 1, seed=2)[0]
    first = torch.randperm(len(clean), generator=torch.Generator().manual_seed(3))  # who is hit first
    found: dict[str, Levels] = {}
    for m in model.streams:
        found[m] = {}
        for share in SHARES:
            partner = torch.arange(len(clean))
            hit = first[: round(share * len(clean))]
            partner[hit] = order[hit]
            found[m][str(share)] = _score(model, encoded.shuffle(model, clean, [m], partner))
    return found


@torch.no_grad()
def shift(model: Model, batch: Batch, clean: Batch, specs: Mapping[str, Spec], size: int) -> dict[str, Levels]:
    """When a sound or a video starts a share of the clip later, by stream; its end then comes first.

    For those among the inputs of `batch`; `clean`: the same samples, encoded.
    """
    found: dict[str, Levels] = {}
    for m in encoded.readers(model):
        if m not in batch.inputs or specs[m].kind not in TIMED:
            continue
        found[m] = {str(SHIFTS[0]): _score(model, clean)}
        axis = TIMED[specs[m].kind]
        for share in SHIFTS[1:]:
            later = batch.inputs[m].roll(round(share * batch.inputs[m].shape[axis]), axis)
            vectors = encoded.through(encoded.encoder(model, m), later, size)
            found[m][str(share)] = _score(model, encoded.replace(clean, m, vectors))
    return found


def attacks(model: Model, batch: Batch, clean: Batch, specs: Mapping[str, Spec], size: int = encoded.SIZE,
            ) -> dict[str, Attacks]:
    """Under attack on one of the inputs of `batch` at a time: images and sounds, since words cannot change a
    little. `clean`: the same samples, encoded.

    The fast gradient sign method (Goodfellow et al. 2015) and projected gradient descent in the same L-infinity ball
    (Madry et al. 2018), from the clean input, `STEPS` steps of 2.5 strength / STEPS, raising the NLL of the target.
    """
    found: dict[str, Attacks] = {}
    active = STRENGTHS[1:]
    for m in encoded.readers(model):
        if m not in batch.inputs or specs[m].discrete:
            continue
        x = batch.inputs[m]
        shape = (-1, *[1] * (x.dim() - 1))
        strength = torch.tensor(active, device=x.device).repeat_interleave(len(x)).view(shape)
        repeated = clean[torch.arange(len(clean)).repeat(len(active))]  # [E * B, ...]
        x = x.repeat(len(active), *shape[1:])
        first = _gradient(model, repeated, m, x, size).sign()
        attacked = x
        for step in range(STEPS):
            direction = first if step == 0 else _gradient(model, repeated, m, attacked, size).sign()
            attacked = x + (attacked + 2.5 / STEPS * strength * direction - x).clamp(-strength, strength)
        unharmed = {str(STRENGTHS[0]): _score(model, clean)}
        found[m] = Attacks(fgsm=unharmed | _by_strength(model, repeated, m, x + strength * first, size),
                           pgd=unharmed | _by_strength(model, repeated, m, attacked, size))
    return found


def relative(scores: Sequence[float], levels: Sequence[float] = LEVELS) -> float:
    """Relative robustness: trapezoid area under the score over severity 0-1 (Liang et al. 2021, MultiBench)."""
    return float(np.trapezoid(scores, levels))


def _gradient(model: Model, clean: Batch, stream: str, x: Tensor, size: int) -> Tensor:
    """d NLL / d x."""
    found = []
    for start in range(0, len(x), size):
        part, own = x[start: start + size].detach().requires_grad_(True), clean[start: start + size]
        with torch.enable_grad():
            changed = encoded.replace(own, stream, encoded.encoder(model, stream)(part))
            loss = -model.task.log_likelihood(encoded.answer(model, changed), own.y).sum()
            found.append(torch.autograd.grad(loss, part)[0])
    return torch.cat(found)


@torch.no_grad()
def _by_strength(model: Model, clean: Batch, stream: str, x: Tensor, size: int) -> Levels:
    changed = encoded.replace(clean, stream, encoded.through(encoded.encoder(model, stream), x, size))
    right = model.task.right(encoded.answer(model, changed), clean.y).view(len(STRENGTHS) - 1, -1).mean(1)
    return {str(strength): share.item() for strength, share in zip(STRENGTHS[1:], right, strict=True)}


def _score(model: Model, batch: Batch) -> float:
    return model.task.score(encoded.answer(model, batch), batch.y)
