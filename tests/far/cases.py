"""Training and evaluation on a far device and on the CPU, case by case; prints `<case>: same` or what went wrong, and
`; refused: ...` behind it where a GPU would refuse operators. Then how often a step waits for the device.

A program of its own: torch counts its devices at the first backward pass of a process.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.state import AcceleratorState, PartialState
from pydantic import BaseModel
from torch import Tensor, nn

from tests import networks
from tests.fake_outs import fake_data
from tests.far.device import far
from tests.far.gpu import Watch
from tests.tiny_media import ENTRIES, READ_BY, write_aligned, write_features
from trivium import models, objectives
from trivium.data.store import Batch
from trivium.data.tables import read_json
from trivium.encoders import describe
from trivium.evaluation import attribution, contribution, encoded, evaluate, information, probes, robustness
from trivium.evaluation.settings import Settings
from trivium.machine import device
from trivium.modalities.spec import Spec
from trivium.models.network import Ensemble, Unimodal
from trivium.objectives.network.joint import Joint
from trivium.strategies import entry
from trivium.training import pretrain, recipes, strategy
from trivium.training.augment import Augment
from trivium.training.feed import Feed
from trivium.training.loop import Schedule, fit
from trivium.training.records import Trained
from trivium.training.settings import Loop

SPECS = {
    "text": Spec("text", "tokens", (8,), 20), "image": Spec("image", "image", (3, 16, 16)),
    "audio": Spec("audio", "spectrogram", (1, 8, 32)),
}
ALL = tuple(SPECS.values())
WAVE = Spec("audio", "waveform", (1, 1600))
CLASSES = 3
LOOP = Loop(batch=8, weight_decay=0.01, warmup=0.1, clip=1.0, evaluations=2, augment=True, device="cpu", workers=1)


def data(specs: Sequence[Spec] = ALL, count: int = 24) -> Batch:
    generator = torch.Generator().manual_seed(0)
    inputs = {spec.name: torch.randint(0, spec.vocab, (count, *spec.shape), generator=generator)
              if spec.kind == "tokens" else torch.randn(count, *spec.shape, generator=generator)
              for spec in specs}
    present = torch.rand(count, 3, generator=generator) < 0.8
    return Batch(inputs, present, torch.randint(0, CLASSES, (count,), generator=generator))


def encoder(kind: str, spec: Spec) -> nn.Module:
    """kind: an architecture, or `hub` for a published one."""
    made = networks.encoder(spec, weights=hub()[spec.name]) if kind == "hub" else networks.encoder(spec, kind)
    return made.requires_grad_(True)


@cache
def hub() -> dict[str, str]:
    """Folders as the Hugging Face hub has them, with small models and random weights."""
    import transformers as hf

    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    bodies = {
        "text": hf.BertModel(hf.BertConfig(vocab_size=20, max_position_embeddings=8, **small)),
        "image": hf.ViTModel(hf.ViTConfig(image_size=16, patch_size=8, **small)),
        "audio": hf.ASTModel(hf.ASTConfig(num_mel_bins=8, max_length=32, patch_size=8, frequency_stride=8,
                                          time_stride=8, **small)),
        # positions for other images than ours, and random spans of sound that training hides
        "dinov2": hf.Dinov2Model(hf.Dinov2Config(image_size=32, patch_size=8, **small)),
        "wav2vec2": hf.Wav2Vec2Model(hf.Wav2Vec2Config(
            conv_dim=[16, 16], conv_kernel=[10, 8], conv_stride=[5, 4], num_feat_extract_layers=2,
            num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2, **small)),
    }
    folder = Path(tempfile.mkdtemp())
    for m, body in bodies.items():
        body.save_pretrained(folder / m)
    return {m: str(folder / m) for m in bodies}


def fusion(kind: str, mix: str) -> nn.Module:
    from trivium import fusion as fusions

    parts: dict[str, Any] = {s: encoder(kind, spec) for s, spec in SPECS.items()}
    return models.multimodal(parts, networks.task(CLASSES), fusions.chosen(mix, "fusion"), 0)


def ensemble(kind: str) -> nn.Module:
    torch.manual_seed(0)
    members: dict[str, Any] = {s: Unimodal(encoder(kind, spec), CLASSES) for s, spec in SPECS.items()}  # type: ignore
    return Ensemble(members, tuple(SPECS), networks.task(CLASSES))


def task(objective: str, spec: Spec, weights: str = "") -> nn.Module:
    torch.manual_seed(0)
    made: Any = networks.encoder(spec, weights=weights) if weights else encoder("cnn", spec)
    return objectives.build(objectives.chosen(objective, "objective"), {spec.name: made}, (spec.name,),
                            networks.task(CLASSES))


def prepared(where: torch.device, prepare: Callable[[str], Any] = device.prepare) -> Any:
    """An accelerator that says it is on a device that it does not know."""
    AcceleratorState._reset_state(reset_partial_state=True)
    accelerator = prepare("cpu")
    PartialState().device = accelerator.state.device = where
    return accelerator


def trained(make: Callable[[], nn.Module], specs: Sequence[Spec], where: torch.device, steps: int = 4,
            ) -> list[dict[str, float]]:
    """The history of some steps."""
    accelerator = prepared(where)
    model, read = make(), data(specs)
    feeds = [Feed(read, np.arange(len(read)), 0, where) for _ in range(2)]
    feeds[0].augment = Augment({spec.name: spec for spec in specs}, 0)
    return fit(model, feeds[0], feeds[1], Schedule(steps, 8, 1e-2), LOOP, accelerator, 0)


def waited(make: Callable[[], nn.Module], specs: Sequence[Spec], where: torch.device) -> float:
    """How often a step of training waits for the device; beside the steps there is the same to do."""
    counts = []
    for steps in (6, 10):
        with Watch() as watch:
            trained(make, specs, where, steps)
        counts.append(watch.waited)
    return (counts[1] - counts[0]) / 4


@torch.no_grad()
def analysed(make: Callable[[], nn.Module], where: torch.device) -> dict[str, Any]:
    """Everything that evaluate asks of a model."""
    model, batch = make().eval().to(where), data().to(where)
    clean = encoded.encode(model, batch, 16)
    chosen = attribution.choose(model.task, encoded.answer(model, clean), clean.y)
    these = torch.tensor(list(chosen))
    some, few = batch[these], clean[these]
    told = attribution.explain(model, some, few, SPECS)
    vectors = clean.inputs["text"]
    return {
        "predicted": model(batch.inputs, batch.present).cpu(),
        "contribution": contribution.contribution(model, clean),
        "information": information.measure(model, clean, clean),
        "corruption": robustness.corruption(model, clean, "image", lambda part, level: batch.inputs["image"][part] * (
            1 - level), 16),
        "misalignment": robustness.misalignment(model, clean),
        "shift": robustness.shift(model, batch, clean, SPECS, 16),
        "attacks": robustness.attacks(model, batch, clean, SPECS),
        "probe": probes.probe(model.task, vectors, clean.y, vectors, clean.y),
        "chosen": chosen, "deletion": told.deletion, "prediction": told.prediction, "support": told.support,
        "attention": told.attention,
        "sums": {m: x.cpu().double().sum().item() for m, x in (told.nats | told.looked).items()},
    }


def _quiet(done: int, every: int) -> None:
    """Nobody looks at how far a unit is."""


def staged(where: torch.device) -> Any:
    """The stages from pretraining to evaluation, on features in a folder."""
    streams = {s: s for s in SPECS}
    before, found = (device.kind, device.prepare, device.gpus), {}
    device.kind, device.prepare = lambda wanted: where.type, lambda kind: prepared(where)
    device.gpus = lambda kind: 1  # a process that has used one does not fork
    try:
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            fake_data(Path(folder), samples=96)
            Path("out").mkdir()
            entries = {"text": "words", "image": "patches", "audio": "bands"}
            for name, objective in (("scratch", {}), ("supervised", {"objective": "supervised"})):
                one = recipes.recipe(name, {"encoders": entries} | objective, streams, list(entries.values()))
                pretrain.pretrain(one, LOOP, [1e9], Path("models/pretrain") / name)
            for name, start, how in (("ensemble", "supervised", "ensemble"), ("lpft", "supervised", "lpft"),
                                     ("end_to_end", "scratch", "joint")):
                strategy.train(entry(name, {"start": start, "strategy": how}), LOOP, [1e9], Path("models") / name)
                record = Trained.read(f"models/{name}/training.json").seeds[0]
                settings = Settings(batch=256, calibration_bins=15, analysis_rows=32)
                told = evaluate._seed(start, name, settings, where.type, record, Path("out"), _quiet)
                found[name] = record.plain(), told
    finally:
        device.kind, device.prepare, device.gpus = before
    return found


def others(where: torch.device) -> Any:
    """Published weights and every other way to a model, on the twelve train samples of `tests.tiny_media`."""
    before, found = (device.kind, device.prepare, device.gpus), {}
    device.kind, device.prepare = lambda wanted: where.type, lambda kind: prepared(where)
    device.gpus = lambda kind: 1  # a process that has used one does not fork
    try:
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            entries = ENTRIES | {"vit": {"modality": "image", "weights": hub()["image"], "processor": {
                "size": 16, "mean": [0.5, 0.5, 0.5], "deviation": [0.5, 0.5, 0.5]}}}
            parts = {name: describe(name, one | ({} if "weights" in one else {"depth": 2}))
                     for name, one in entries.items()}
            started: dict[str, dict[str, Any]] = {
                "published": {"encoders": READ_BY | {"image": "vit"}},
                "supervised": {"encoders": READ_BY, "objective": "supervised"},
                "aligned": {"encoders": READ_BY, "objective": {"text+image+audio": "align"}},
            }
            write_aligned(Path("."))
            write_features(Path("."), {name: one["encoders"] for name, one in started.items()}, parts)
            for name, raw in started.items():
                one = recipes.recipe(name, raw, {s: s for s in SPECS}, list(raw["encoders"].values()))
                pretrain.pretrain(one, LOOP, [1e9], Path("models/pretrain") / name)
            for name, start, how in (
                    ("published_linear", "published", {"strategy": "linear"}),
                    ("full", "published", {"strategy": "full"}),
                    ("lora", "supervised", {"strategy": "lora", "blocks": 1}),
                    ("distil", "supervised", {"strategy": "distil"}),
                    ("losses", "supervised", {"strategy": "unimodal_losses"}),
                    ("hidden", "supervised", {"strategy": "modality_dropout"}),
                    ("decoupled", "supervised", {"strategy": "dgl"}),
                    ("aligned_frozen", "aligned", {"strategy": "frozen"})):
                strategy.train(entry(name, {"start": start} | how), LOOP, [1e9], Path("models") / name)
                found[name] = read_json(f"models/{name}/training.json")["seeds"][0]
    finally:
        device.kind, device.prepare, device.gpus = before
    return found


def cases() -> Iterator[tuple[str, Callable[[torch.device], Any]]]:
    """Name, and what to do on a device."""
    for body in ("cnn", "transformer", "hub"):
        makers = {kind: partial(fusion, body, kind) for kind in ("concat", "attention")}
        for kind, make in makers.items():
            yield f"train {kind} of {body}", partial(trained, lambda make=make: Joint(make()), ALL)
        for kind, make in (makers | {"ensemble": partial(ensemble, body)}).items():
            yield f"evaluate {kind} of {body}", partial(analysed, make)
    for objective in ("supervised", "masked"):
        for m, spec in SPECS.items():
            yield f"pretrain {objective} {m}", partial(trained, partial(task, objective, spec), [spec])
    for name, spec in (("dinov2", SPECS["image"]), ("wav2vec2", WAVE)):
        yield f"pretrain {name}", partial(trained, partial(task, "supervised", spec, hub()[name]), [spec])
    yield "stages", staged
    yield "other strategies", others


def steps() -> Iterator[tuple[str, Callable[[], nn.Module], Sequence[Spec]]]:
    """Name, what is trained, and on what."""
    for kind in ("concat", "attention"):
        yield f"{kind} of cnn", lambda kind=kind: Joint(fusion("cnn", kind)), ALL
    for objective in ("supervised", "masked"):
        for m, spec in SPECS.items():
            yield f"{objective} {m}", partial(task, objective, spec), [spec]


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return torch.allclose(one, other, atol=1e-5)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, float):
        return abs(one - other) < 1e-4
    if isinstance(one, BaseModel):
        return equal(one.model_dump(), other.model_dump())
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return one == other


if __name__ == "__main__":
    for name, work in cases():
        try:
            with far() as away, Watch() as watch:
                there = work(away)
            here = work(torch.device("cpu"))  # as it is where nothing is watched, and ten times as fast
            with far():
                said = "same" if equal(there, here) else "different"
            refused = f"; refused: {', '.join(sorted(watch.refused))}" if watch.refused else ""
            print(f"{name}: {said}{refused}", flush=True)
        except Exception as error:
            if "-v" in sys.argv:
                raise
            print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0]}", flush=True)
    with far() as away:
        for name, make, specs in steps():
            print(f"a step of {name}: waits {waited(make, specs, away):g} times", flush=True)
