"""Every encoder, fusion and objective that is registered keeps to the shapes of one legend: a new file is tried too.

Legend: `B` samples, `T` tokens, `D` width, `S` streams, `C` outputs.
"""

from itertools import product

import pytest
import torch
from jaxtyping import Bool, Float, Int, jaxtyped
from torch import Tensor

from tests import networks
from trivium import encoders, fusion, modalities, models, objectives
from trivium.data.store import Batch
from trivium.encoders import Described, describe
from trivium.encoders.base import Encoder
from trivium.modalities.spec import STORED, Spec
from trivium.objectives import network as networks_objectives
from trivium.objectives.network.alternating import Alternating
from trivium.objectives.network.compress import Compress
from trivium.objectives.network.dgl import Decoupled
from trivium.objectives.network.distil import Distil
from trivium.objectives.network.gradient_blending import Blended
from trivium.objectives.network.joint import Joint
from trivium.objectives.network.mmpareto import Pareto
from trivium.objectives.network.modality_dropout import ModalityDropout
from trivium.objectives.network.ogm_ge import Modulated
from trivium.objectives.network.prune import Prune
from trivium.objectives.network.unimodal_losses import UnimodalLosses
from trivium.settings.errors import UserError
from trivium.training.loop import seen_to

SAMPLES, CLASSES = 5, 3
SIZES = {  # an example of each kind of tensor: its shape, and how large its vocabulary is
    "tokens": ((6,), 20), "image": ((3, 12, 10), 0), "spectrogram": ((1, 10, 13), 0), "waveform": ((1, 100), 0),
    "features": ((7,), 0), "counts": ((64,), 0), "columns": ((3, 2), 0),
    "series": ((4, 90), 0), "frames": ((3, 4, 12, 10), 0),
}
COLUMNS = (("area", 2), ("colour", 4), ("rooms", 2))


def spec(described: Described, name: str = "stream") -> Spec:
    """A small one, of the kind that the encoder's processor makes."""
    processor, settings = described.processor
    part = modalities.processor(processor)
    kind = part.spec(part.Settings.model_validate(settings)).kind
    shape, vocab = SIZES[kind]
    return Spec(name, kind, shape, vocab, modality=described.modality, columns=COLUMNS if kind == "columns" else ())


def example(of: Spec) -> Tensor:
    draw = torch.Generator().manual_seed(0)
    if of.kind == "tokens":
        x = torch.randint(3, of.vocab, (SAMPLES, *of.shape), generator=draw)
        x[0, 2:] = 0  # a short one
        return x
    if of.kind == "counts":
        return torch.randint(1, of.shape[0], (SAMPLES, 4, 2), generator=draw)
    x = torch.randn(SAMPLES, *of.shape, generator=draw)
    if of.kind == "columns":
        x[..., 1] = torch.randint(0, 2, x.shape[:2], generator=draw)  # missing, or there
    if of.kind == "series":
        x[:, 2:] = torch.rand(x[:, 2:].shape, generator=draw) < 0.8
        x[:, :2] *= x[:, 2:]
    return x


def readers(architecture: str) -> list[Described]:
    """The architecture for each modality that it reads."""
    found = []
    for modality in modalities.names():
        try:
            found.append(describe("one", {"modality": modality, "architecture": architecture}))
        except UserError:
            continue
    return found


def made(described: Described, name: str = "stream") -> Encoder:
    return models.encoder(described, spec(described, name), seed=0)


READ = [described for name in encoders.names() for described in readers(name)]
MOVE = [described for described in READ if {"tokens", "dense", "gradients"} <= encoders.gives(described)]


def called(described: Described) -> str:
    return f"{described.architecture}-{described.modality}"


def test_there_is_an_example_of_everything() -> None:
    where = "has no example: add one to {} in tests/test_shapes.py"
    assert not set(STORED) - set(SIZES), f"a kind of tensors {where.format('SIZES')}"
    assert not set(networks_objectives.names()) - set(WHOLE), f"an objective of whole networks {where.format('WHOLE')}"
    assert {described.architecture for described in READ} == set(encoders.names()), "an encoder reads no modality"


@pytest.mark.parametrize("described", READ, ids=called)
def test_an_encoder_makes_tokens_and_a_vector(described: Described) -> None:
    encoder, x = made(described), example(spec(described))
    gives = encoders.gives(described)
    assert encoder.gives == gives
    with jaxtyped("context"):
        if "tokens" in gives:
            tokens = encoder.tokens(x)
            assert isinstance(tokens, Float[Tensor, "B T D"]) and tokens.shape[2] == encoder.width
            assert isinstance(encoder.pool(tokens, x), Float[Tensor, "B D"])
        if "dense" in gives:
            vector = encoder(x)
            assert isinstance(vector, Float[Tensor, "B D"]) and vector.shape == (SAMPLES, encoder.width)
            assert encoders.width(described) in (None, encoder.width) or encoder.spec.kind == "features"
    if "gradients" in gives:
        encoder(x).sum().backward()
        assert all(weight.grad is not None for weight in encoder.parameters())


@pytest.mark.parametrize("widths", [(16, 16, 16), (8, 24, 40)], ids=["equal", "unequal"])
@pytest.mark.parametrize("name", fusion.names())
def test_a_fusion_makes_one_vector_of_any_subset(name: str, widths: tuple[int, ...]) -> None:
    sizes = dict(zip(("text", "scan", "photo"), widths, strict=True))
    mix = fusion.build(fusion.chosen(name, "fusion"), sizes)
    vectors = {s: torch.randn(8, width) for s, width in sizes.items()}
    present = torch.tensor(list(product([False, True], repeat=3)))
    with jaxtyped("context"):
        assert isinstance(present, Bool[Tensor, "B S"])
        assert all(isinstance(vectors[s], Float[Tensor, f"B D_{s}"]) for s in sizes)
        fused = mix(vectors, present)
        assert isinstance(fused, Float[Tensor, "B D"]) and fused.shape[1] == mix.width and fused.isfinite().all()


def batch(specs: dict[str, Spec]) -> Batch:
    """The first sample lacks the first stream."""
    present = torch.ones(SAMPLES, len(specs), dtype=torch.bool)
    present[0, 0] = len(specs) == 1
    return Batch({s: example(one) for s, one in specs.items()}, present, torch.arange(SAMPLES) % CLASSES)


def check(objective: torch.nn.Module, one: Batch) -> None:
    """A number to minimise, from which all that the objective trains learns."""
    with jaxtyped("context"):
        assert isinstance(one.y, Int[Tensor, "B"])
        loss = objective.loss(one, torch.Generator().manual_seed(0))
        assert isinstance(loss, Float[Tensor, ""]) and loss.isfinite()
        if objective.labels:
            outputs = objective.outputs(one)
            assert isinstance(outputs, Float[Tensor, "B C"]) and outputs.shape[1] == objective.task.outputs
            assert isinstance(objective.nll(outputs, one.y), float)
        else:
            assert isinstance(objective.score(one), Float[Tensor, ""])
    loss.backward()
    seen_to(objective)
    for _ in range(1, getattr(objective, "turns", 1)):
        objective.loss(one, torch.Generator()).backward()
        seen_to(objective)
    assert all(weight.grad is not None for weight in objective.parameters())


@pytest.mark.parametrize("described", MOVE, ids=called)
@pytest.mark.parametrize("name", objectives.names())
def test_an_objective_of_recipes_gives_a_loss(name: str, described: Described) -> None:
    streams = ("one", "other") if objectives.get(name, "objective").TOGETHER else ("one",)
    parts = {s: made(described, s) for s in streams}
    value = objectives.chosen(name, "objective")
    check(objectives.build(value, parts, streams, networks.task(CLASSES)),
          batch({s: part.spec for s, part in parts.items()}))


def network(fusion: str = "concat") -> models.network.Multimodal:
    return networks.multimodal({"scan": Spec("scan", "image", (1, 8, 8)), "text": Spec("text", "tokens", (6,), 20)},
                               CLASSES, fusion)


WHOLE = {
    "joint": lambda: Joint(network()),
    "unimodal_losses": lambda: UnimodalLosses(network(), {"scan": 0.5, "text": 1.0}),
    "distil": lambda: Distil(network(), dict(network().readers), alpha=1.0),
    "compress": lambda: Compress(network(), network().eval(), alpha=0.5, temperature=2.0),
    "prune": lambda: Prune(network(), 0.5, True),
    "modality_dropout": lambda: ModalityDropout(network(), 0.5),
    "dgl": lambda: Decoupled(network()),
    "ogm_ge": lambda: Modulated(network(), 0.3),
    "mmpareto": lambda: Pareto(network(), 1.5),
    "alternating": lambda: Alternating(network("entropy"), 0.1),
    "gradient_blending": lambda: Blended(network()),
}


@pytest.mark.parametrize("name", networks_objectives.names())
def test_an_objective_of_a_whole_network_gives_a_loss(name: str) -> None:
    objective = WHOLE[name]()
    check(objective, batch({s: part.spec for s, part in objective.model.readers.items()}))
