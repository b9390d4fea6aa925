"""Integrated gradients on models where they are known, their sum on real encoders, and deletion."""

import pytest
import torch
from torch import Tensor, nn

from tests import networks
from tests.evaluation import toys
from trivium.data.store import Batch
from trivium.evaluation import attribution, encoded
from trivium.evaluation.attribution import choose, deletion, explain, integrated_gradients
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
    found = integrated_gradients(model, batch, encoded.encode(model, batch, 1), "text", torch.tensor([1]))[0]
    gained = nn.functional.logsigmoid(torch.tensor(1.5)) - nn.functional.logsigmoid(torch.tensor(2.0))
    torch.testing.assert_close(found, torch.tensor([1.5, -1.5, -0.5, 0.0]) * gained / -0.5)


@pytest.mark.parametrize("modality", ["text", "image", "audio"])
def test_little_memory_gives_the_same(modality: str) -> None:
    model = networks.multimodal(SPECS, 3, "concat").eval().requires_grad_(False)
    clean, target = encoded.encode(model, BATCH, 2), torch.tensor([2, 0])
    sizes: list[int] = []
    model.encoders[modality].register_forward_pre_hook(lambda _, args: sizes.append(len(args[0])))
    whole, pieces = (integrated_gradients(model, BATCH, clean, modality, target, size) for size in (64, 5))
    torch.testing.assert_close(pieces, whole)
    assert max(sizes) == 64 and sizes.count(5) == 12 and sizes.count(4) == 1


@pytest.mark.parametrize("kind", ["cnn", "transformer"])
@pytest.mark.parametrize("modality", ["text", "image", "audio"])
def test_attributions_sum_to_what_the_input_changed(kind: str, modality: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribution, "POINTS", 300)  # the property is that of the integral, not of its approximation
    model = networks.multimodal(SPECS, 3, architecture=kind, depth=2).eval().requires_grad_(False)
    clean, target = encoded.encode(model, BATCH, 2), torch.tensor([2, 0])
    found = integrated_gradients(model, BATCH, clean, modality, target)
    assert found.shape == BATCH.inputs[modality].shape

    embed = next((part for part in model.encoders[modality].modules() if isinstance(part, nn.Embedding)), None)
    handle = embed.register_forward_hook(lambda *_: torch.zeros(2, 6, 16)) if modality == "text" and embed else None
    nothing = BATCH.inputs["text"] if handle else torch.zeros_like(BATCH.inputs[modality])
    without = encoded.replace(clean, modality, model.encoders[modality](nothing))
    if handle:
        handle.remove()
    before, after = (encoded.answer(model, b).gather(1, target[:, None])[:, 0] for b in (without, clean))
    torch.testing.assert_close(found.flatten(1).sum(1), after - before, atol=2e-3, rtol=0.02)


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
    assert set(told.nats) == {"text", "image", "audio"} and set(told.looked) == {"text", "audio"}
    torch.testing.assert_close(told.looked["text"].sum(1), torch.ones(2))
    torch.testing.assert_close(told.looked["audio"].flatten(1).sum(1), torch.tensor([1.0, 0.0]))  # no sound
    assert {m: set(areas.plain()) for m, areas in told.deletion.items()} == {
        "text": {"area", "rollout", "random"}, "image": {"area", "random"}, "audio": {"area", "rollout", "random"}}
