"""Integrated gradients on models where they are known, their sum on real encoders, and deletion."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests import networks
from tests.evaluation import toys
from trivium import fusion as fusions
from trivium import models
from trivium.data.store import Batch
from trivium.encoders.base import Encoder
from trivium.evaluation import attribution, encoded
from trivium.evaluation.attribution import choose, deletion, explain, integrated_gradients
from trivium.evaluation.rollout import rollout
from trivium.modalities.spec import Spec

SPECS = {"text": Spec("text", "tokens", (6,), vocab=20), "image": Spec("image", "image", (1, 8, 8)),
         "audio": Spec("audio", "spectrogram", (1, 8, 16))}
generator = torch.Generator().manual_seed(0)
BATCH = Batch({"text": torch.tensor([[5, 9, 4, 0, 0, 0], [7, 3, 3, 8, 19, 6]]),
               "image": torch.randn(2, 1, 8, 8, generator=generator),
               "audio": torch.randn(2, 1, 8, 16, generator=generator)},
              torch.ones(2, 3, dtype=torch.bool), torch.tensor([0, 1]))


class Words(nn.Module):
    """An encoder that sums over tokens the value of each."""

    def __init__(self, values: list[float]) -> None:
        super().__init__()
        self.embed = nn.Embedding.from_pretrained(torch.tensor(values)[:, None])

    def forward(self, x: Tensor) -> Tensor:
        return self.embed(x).sum(1)


def test_a_sum_of_words_gives_each_word_its_value() -> None:
    """log p(1) = -log(1 + exp(-score)): the words' shares of it go by what they are worth more than padding."""
    model = toys.Toy(["text"], lambda v: torch.cat([torch.zeros_like(v["text"]), v["text"]], 1))
    model.encoders["text"] = Words([0.5, 0.0, 0.0, 2.0, -1.0, 0.0])
    x = torch.tensor([[3, 4, 5, 0]])
    batch = Batch({"text": x}, torch.ones(1, 1, dtype=torch.bool), torch.ones(1, dtype=torch.int64))
    found = integrated_gradients(model, batch, encoded.encode(model, batch, 1), "text", torch.tensor([1]))[0][0]
    gained = nn.functional.logsigmoid(torch.tensor(1.5)) - nn.functional.logsigmoid(torch.tensor(2.0))
    torch.testing.assert_close(found, torch.tensor([1.5, -1.5, -0.5, 0.0]) * gained / -0.5)


@pytest.mark.parametrize("modality", ["text", "image", "audio"])
def test_little_memory_gives_the_same(modality: str) -> None:
    model = networks.multimodal(SPECS, 3, "concat").eval().requires_grad_(False)
    clean, target = encoded.encode(model, BATCH, 2), torch.tensor([2, 0])
    sizes: list[int] = []
    model.encoders[modality].register_forward_pre_hook(lambda _, args: sizes.append(len(args[0])))
    whole, pieces = (integrated_gradients(model, BATCH, clean, modality, target, size)[0] for size in (64, 5))
    torch.testing.assert_close(pieces, whole)
    assert max(sizes) == 64 and sizes.count(4) == 16  # two lines, two points of each at a time


ROWS = Spec("rows", "columns", (3, 2), columns=(("area", 2), ("kind", 4), ("year", 2)))
WAVE = Spec("wave", "waveform", (1, 200))
LINES = Spec("lines", "series", (4, 130), seconds=2.0)
X = {"text": BATCH.inputs["text"], "image": BATCH.inputs["image"], "audio": BATCH.inputs["audio"],
     "rows": torch.tensor([[[1.5, 1], [0, 3], [-0.5, 1]], [[0.3, 1], [0, 2], [0, 0]]]),
     "wave": torch.randn(2, 1, 200, generator=torch.Generator().manual_seed(1)),
     "lines": torch.cat([torch.randn(2, 2, 130, generator=torch.Generator().manual_seed(2)), torch.ones(2, 2, 130)], 1)}
EVERY = [(kind, spec) for kind, specs in {
    "cnn": [*SPECS.values(), WAVE, LINES], "transformer": [*SPECS.values(), WAVE, LINES], "static": [SPECS["text"]],
    "textcnn": [SPECS["text"]], "recurrent": [SPECS["text"], SPECS["audio"]], "resnet": [SPECS["image"]],
    "convnext": [SPECS["image"]], "mlp": [ROWS], "ft_transformer": [ROWS]}.items() for spec in specs]


def alone(encoder: nn.Module, stream: str) -> tuple[nn.Module, Batch, Batch]:
    """A model of one encoder, two samples, and these encoded."""
    model = models.multimodal({stream: encoder}, networks.task(3), fusions.chosen("concat", "fusion"), 0)
    model = model.eval().requires_grad_(False)
    batch = Batch({stream: X[stream]}, torch.ones(2, 1, dtype=torch.bool), torch.tensor([0, 1]))
    return model, batch, encoded.encode(model, batch, 2)


@pytest.mark.parametrize(("kind", "spec"), EVERY, ids=[f"{kind}-{spec.name}" for kind, spec in EVERY])
def test_attributions_sum_to_what_the_input_changed(kind: str, spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribution, "POINTS", 200)  # the property is that of the integral, not of its approximation
    model, batch, clean = alone(networks.encoder(spec, kind), spec.name)
    target = torch.tensor([2, 0])
    found, rest = integrated_gradients(model, batch, clean, spec.name, target)
    assert found.shape == (2, 3) if spec is ROWS else found.shape == X[spec.name].shape
    encoder, x = model.encoders[spec.name], X[spec.name]
    first = attribution.front(encoder, x)
    if first is None:
        nothing = encoder(torch.zeros_like(x))
    else:
        handle = first.register_forward_hook(lambda _, args, out: first.forward(torch.zeros_like(args[0])))
        nothing = encoder(x)
        handle.remove()
    without = encoded.replace(clean, spec.name, nothing)
    before, after = (encoded.answer(model, b).gather(1, target[:, None])[:, 0] for b in (without, clean))
    torch.testing.assert_close(found.flatten(1).sum(1), after - before, atol=2e-3, rtol=0.03)
    torch.testing.assert_close(rest, found.flatten(1).sum(1) - (after - before), atol=1e-5, rtol=1e-3)


def test_a_missing_cell_speaks_for_nothing() -> None:
    model, batch, clean = alone(networks.encoder(ROWS, "ft_transformer"), "rows")
    found, _ = integrated_gradients(model, batch, clean, "rows", torch.tensor([2, 0]))
    assert found[1, 2] == 0.0 and (found[0] != 0).all()


def test_published_texts_of_unlike_lengths_in_little_memory(tmp_path: Path) -> None:
    """The encoder cuts the padding behind the longest text off."""
    from transformers import BertConfig, BertModel

    BertModel(BertConfig(vocab_size=20, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                         intermediate_size=16)).save_pretrained(tmp_path)
    model, batch, _ = alone(networks.encoder(SPECS["text"], weights=str(tmp_path)), "text")
    batch = Batch({"text": torch.tensor([[5, 9, 4, 3, 0, 0], [7, 3, 0, 0, 0, 0]])}, batch.present, batch.y)
    clean = encoded.encode(model, batch, 2)
    whole, pieces = (integrated_gradients(model, batch, clean, "text", batch.y, size)[0] for size in (64, 1))
    torch.testing.assert_close(pieces, whole)
    assert whole.shape == (2, 6) and not whole[:, 4:].any() and not whole[1, 2:].any() and whole[0, :4].all()
    seen = rollout(model.encoders["text"], batch.inputs["text"])
    assert seen is not None and seen.shape == (2, 6)
    torch.testing.assert_close(seen.sum(1), torch.ones(2))


class Loud(Encoder):
    """Hears the sum of each moment of ten samples, however loud the whole is."""

    def __init__(self) -> None:
        super().__init__()
        self.spec, self.width, self.patch = WAVE, 20, (10,)
        self.front = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        moments = x.unflatten(2, (20, 10)).sum(3).transpose(1, 2)  # [B, T, 1]
        return self.front(moments / moments.norm(dim=1, keepdim=True).clamp(min=1e-9))[..., 0]


def test_behind_the_first_part_what_is_heard_of_any_loudness_counts() -> None:
    model = toys.Toy(["wave"], lambda v: torch.stack([torch.zeros(len(v["wave"])), 3 * v["wave"][:, 4]], 1))
    model.encoders["wave"] = Loud()
    x = torch.ones(1, 1, 200)
    batch = Batch({"wave": x}, torch.ones(1, 1, dtype=torch.bool), torch.ones(1, dtype=torch.int64))
    found, rest = integrated_gradients(model, batch, encoded.encode(model, batch, 1), "wave", torch.tensor([1]))
    gained = nn.functional.logsigmoid(torch.tensor(3 / 20 ** 0.5)) - nn.functional.logsigmoid(torch.tensor(0.0))
    assert rest.abs().item() < 1e-5
    torch.testing.assert_close(found[0, 0, 40:50], torch.full((10,), gained.item() / 10))
    assert not found[0, 0, :40].any() and not found[0, 0, 50:].any()


def test_deleting_what_counts_first_loses_the_answer_sooner() -> None:
    """Only the left half of the image counts."""
    model = toys.Toy(["image"], lambda v: toys.sure(v["image"].unflatten(1, (8, 8))[:, :, :4].mean((1, 2)) > 0.5))
    spec = Spec("image", "image", (1, 8, 8))
    batch = Batch({"image": torch.ones(2, 1, 8, 8)}, torch.ones(2, 1, dtype=torch.bool), torch.tensor([1, 1]))
    left = torch.zeros(2, 1, 8, 8)
    left[..., :4] = 1.0
    target = torch.tensor([1, 1])
    right_order = deletion(model, batch, encoded.encode(model, batch, 2), "image", spec, target, {"area": left})
    wrong_order = deletion(model, batch, encoded.encode(model, batch, 2), "image", spec, target, {"area": -left})
    assert right_order["area"] == pytest.approx(0.25, abs=0.06)  # half of the left half, a quarter of all
    assert wrong_order["area"] == pytest.approx(0.75, abs=0.06)
    assert right_order["area"] < right_order["random"] < wrong_order["area"]
    both = deletion(model, batch, encoded.encode(model, batch, 2), "image", spec, target,
                    {"area": left, "rollout": 1 - left[:, :1]})
    assert both == {**right_order, "rollout": wrong_order["area"]}


def test_padding_is_not_there_to_be_deleted() -> None:
    model = toys.Toy(["text"], lambda v: toys.sure(v["text"][:, 0] > 1.5))
    model.encoders["text"] = Words([0.0, 0.0, 0.0, 2.0, 0.0, 0.0])
    batch = Batch({"text": torch.tensor([[4, 3, 0, 0, 0, 0]])}, torch.ones(1, 1, dtype=torch.bool), torch.tensor([1]))
    scores = torch.tensor([[-1.0, -0.5, 0.0, 0.0, 0.0, 0.0]])
    found = deletion(model, batch, encoded.encode(model, batch, 1), "text", SPECS["text"], torch.tensor([1]),
                     {"area": scores})
    assert found["area"] == pytest.approx(0.05, abs=0.01)  # gone at the first of ten cuts


def test_samples_are_the_surest_and_the_same_for_all() -> None:
    p = torch.tensor([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8], [0.55, 0.45], [0.05, 0.95]])
    y = torch.tensor([0, 0, 0, 1, 1])
    task = networks.task(2)
    assert choose(task, p.log(), y, each=1) == {4: "confident", 2: "wrong", 0: "same"}
    assert choose(task, p.log(), y, each=2) == {4: "confident", 1: "confident", 2: "wrong", 3: "wrong", 0: "same"}
    assert choose(task, p[:2].log(), y[:2], each=1) == {1: "confident", 0: "same"}  # nothing is wrong


def test_explain_leaves_out_what_a_sample_lacks() -> None:
    model = networks.multimodal(SPECS, 3, "attention").eval().requires_grad_(False)
    inputs = BATCH.inputs | {"image": BATCH.inputs["image"].clone()}
    inputs["image"][1] = 0.0
    batch = Batch(inputs, torch.tensor([[True, True, True], [True, False, True]]), BATCH.y)
    told = explain(model, batch, encoded.encode(model, batch, 2), SPECS)
    assert told.looked == {}
    assert not told.nats["image"][1].any() and told.nats["image"][0].any()
    assert set(told.deletion) == {"text", "image", "audio"}
    assert told.attention["image"][1] == 0.0
    assert 0 < told.attention["image"][0] < 1


def test_explain_says_where_encoders_look_that_attend() -> None:
    kinds = {"text": "transformer", "image": "cnn", "audio": "transformer"}
    model = networks.multimodal(SPECS, 3, architecture=kinds).eval().requires_grad_(False)
    batch = Batch(BATCH.inputs, torch.tensor([[True, True, True], [True, True, False]]), BATCH.y)
    told = explain(model, batch, encoded.encode(model, batch, 2), SPECS)
    assert set(told.complete) == {"text", "image", "audio"}
    assert all(0 <= one.rest < 0.3 * one.whole for one in told.complete.values())
    assert set(told.nats) == {"text", "image", "audio"} and set(told.looked) == {"text", "audio"}
    torch.testing.assert_close(told.looked["text"].sum(1), torch.ones(2))
    torch.testing.assert_close(told.looked["audio"].flatten(1).sum(1), torch.tensor([1.0, 0.0]))  # no sound
    assert {m: set(areas.plain()) for m, areas in told.deletion.items()} == {
        "text": {"area", "rollout", "random"}, "image": {"area", "random"}, "audio": {"area", "rollout", "random"}}


WEIGH = ("attention", "entropy", "experts", "gated", "pooling", "transformer", "weighted")  # or attend to streams


@pytest.mark.parametrize("fusion", WEIGH)
def test_where_the_fusion_has_shares_too_its_shares_times_those_of_the_tokens(fusion: str) -> None:
    model = networks.multimodal(SPECS, 3, fusion, architecture="transformer").eval().requires_grad_(False)
    batch = Batch(BATCH.inputs, torch.tensor([[True, True, True], [True, True, False]]), BATCH.y)
    clean = encoded.encode(model, batch, 2)
    told = explain(model, batch, clean, SPECS)
    each = torch.stack([told.looked[s].flatten(1).sum(1) for s in SPECS], 1)
    torch.testing.assert_close(each, torch.tensor([told.attention[s] for s in SPECS]).T)
    torch.testing.assert_close(each.sum(1), torch.ones(2))
    assert each[1, 2] == 0.0 and (each[0] > 0).all()
    own = rollout(model.encoders["text"], batch.inputs["text"])
    assert own is not None
    torch.testing.assert_close(told.looked["text"], own * each[:, :1])


@pytest.mark.parametrize("fusion", [name for name in fusions.names() if name not in WEIGH])
def test_every_fusion_is_explained(fusion: str) -> None:
    specs = {s: SPECS[s] for s in ("text", "image")}
    model = networks.multimodal(specs, 3, fusion).eval().requires_grad_(False)
    batch = Batch({s: BATCH.inputs[s] for s in specs}, torch.ones(2, 2, dtype=torch.bool), BATCH.y)
    told = explain(model, batch, encoded.encode(model, batch, 2), specs)
    assert set(told.nats) == set(told.deletion) == {"text", "image"} and told.looked == {}
    assert all(told.nats[s].abs().sum() > 0 for s in specs)
