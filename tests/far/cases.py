"""Training and evaluation on a far device and on the CPU, case by case; prints `<case>: same` or what went wrong.

A program of its own: torch counts its devices at the first backward pass of a process.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.far.device import far
from trivium import models, pretraining
from trivium.config import Recipe, Train
from trivium.data.store import Batch, Spec
from trivium.evaluation import attribution, contribution, encoded, information, probes, robustness
from trivium.models.network import Ensemble, Unimodal
from trivium.training import device
from trivium.training.augment import Augment
from trivium.training.feed import Feed
from trivium.training.fused import Joint
from trivium.training.loop import Schedule, fit

SPECS = {
    "text": Spec("text", "tokens", (8,), 20), "image": Spec("image", "image", (3, 16, 16)),
    "audio": Spec("audio", "spectrogram", (1, 8, 32)),
}
CLASSES = 3
TRAIN = Train(batch=8, weight_decay=0.01, warmup=0.1, clip=1.0, evaluations=2, augment=True, device="cpu", workers=1)


def data(count: int = 24) -> Batch:
    generator = torch.Generator().manual_seed(0)
    inputs = {m: torch.randint(0, spec.vocab, (count, *spec.shape), generator=generator) if spec.kind == "tokens" else
              torch.randn(count, *spec.shape, generator=generator) for m, spec in SPECS.items()}
    present = torch.rand(count, 3, generator=generator) < 0.8
    return Batch(inputs, present, torch.randint(0, CLASSES, (count,), generator=generator))


def settings(encoder: str) -> dict[str, Any]:
    names = hub() if encoder == "hub" else dict.fromkeys(SPECS, encoder)
    return names | {"width": 16, "depth": 1}


@cache
def hub() -> dict[str, str]:
    """Folders as the Hugging Face hub has them, with small models and random weights."""
    from transformers import ASTConfig, ASTModel, BertConfig, BertModel, ViTConfig, ViTModel

    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    bodies = {
        "text": BertModel(BertConfig(vocab_size=20, max_position_embeddings=8, **small)),
        "image": ViTModel(ViTConfig(image_size=16, patch_size=8, **small)),
        "audio": ASTModel(ASTConfig(num_mel_bins=8, max_length=32, patch_size=8, frequency_stride=8, time_stride=8,
                                    **small)),
    }
    folder = Path(tempfile.mkdtemp())
    for m, body in bodies.items():
        body.save_pretrained(folder / m)
    return {m: str(folder / m) for m in bodies}


def fusion(encoder: str, kind: str) -> nn.Module:
    return models.multimodal(settings(encoder), SPECS, CLASSES, kind, 0)


def ensemble(encoder: str) -> nn.Module:
    torch.manual_seed(0)
    return Ensemble({m: Unimodal(models.encoder(settings(encoder), spec, 0), CLASSES) for m, spec in SPECS.items()},
                    tuple(SPECS))


def task(objective: str, modality: str) -> nn.Module:
    torch.manual_seed(0)
    recipe = Recipe(objective=objective, share=0.5, lr=1e-2, mask=0.5)
    return pretraining.build(models.encoder(settings("cnn"), SPECS[modality], 0), CLASSES, recipe)


def trained(make: Callable[[], nn.Module], read: Batch, where: torch.device) -> list[dict[str, float]]:
    """The history of four steps."""
    accelerator = device.prepare("cpu")
    accelerator.state.device = where
    model = make()
    feeds = [Feed(read, np.arange(len(read)), 0, where) for _ in range(2)]
    feeds[0].augment = Augment(SPECS, 0)
    return fit(model, feeds[0], feeds[1], Schedule(4, 8, 1e-2), TRAIN, accelerator, 0)


@torch.no_grad()
def analysed(make: Callable[[], nn.Module], where: torch.device) -> dict[str, Any]:
    """Everything that evaluate asks of a model."""
    model, batch = make().eval().to(where), data().to(where)
    clean = encoded.encode(model, batch, 16)
    names = [str(k) for k in range(CLASSES)]
    chosen = attribution.choose(model(clean.inputs, clean.present), clean.y)
    these = torch.tensor(list(chosen))
    some, few = batch[these], clean[these]
    about, found, looked = attribution.explain(model, some, few, SPECS)
    vectors = clean.inputs["vectors"][:, 0]
    return {
        "predicted": model(batch.inputs, batch.present).cpu(),
        "contribution": contribution.contribution(model, clean, names),
        "information": information.measure(model, clean, clean, CLASSES),
        "corruption": robustness.corruption(model, batch, clean, SPECS, 16),
        "misalignment": robustness.misalignment(model, clean),
        "shift": robustness.shift(model, batch, clean, SPECS, 16),
        "attacks": robustness.attacks(model, batch, clean, SPECS),
        "probe": probes.probe(vectors, clean.y, vectors, clean.y, CLASSES),
        "chosen": chosen, "attribution": about,
        "sums": {m: x.cpu().double().sum().item() for m, x in (found | looked).items()},
    }


def cases() -> Iterator[tuple[str, Callable[[torch.device], Any]]]:
    """Name, and what to do on a device."""
    for encoder in ("cnn", "transformer", "hub"):
        makers = {kind: partial(fusion, encoder, kind) for kind in ("concat", "attention")}
        for kind, make in makers.items():
            yield f"train {kind} of {encoder}", partial(trained, lambda make=make: Joint(make()), data())
        for kind, make in (makers | {"ensemble": partial(ensemble, encoder)}).items():
            yield f"evaluate {kind} of {encoder}", partial(analysed, make)
    for objective in ("supervised", "masked"):
        for m in SPECS:
            read = data()
            only = Batch({m: read.inputs[m]}, read.present, read.y)
            yield f"pretrain {objective} {m}", partial(trained, partial(task, objective, m), only)


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return torch.allclose(one, other, atol=1e-5)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, float):
        return abs(one - other) < 1e-4
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return one == other


if __name__ == "__main__":
    with far() as away:
        for name, work in cases():
            try:
                there = work(away)
                print(f"{name}: {'same' if equal(there, work(torch.device('cpu'))) else 'different'}", flush=True)
            except Exception as error:
                if "-v" in sys.argv:
                    raise
                print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0]}", flush=True)
