"""Objectives: what they see, what they predict."""

from typing import Any

import pytest
import torch
from torch import nn

from tests import networks
from trivium import objectives
from trivium.data.store import Batch
from trivium.encoders.base import Encoder
from trivium.modalities.spec import Spec
from trivium.settings.errors import UserError

TEXT = Spec("text", "tokens", (8,), vocab=20)
IMAGE = Spec("image", "image", (1, 8, 8))


def build(value: str | dict[str, Any], made: Encoder, classes: int = 3) -> nn.Module:
    """An objective on one encoder; `value` as in params.yaml."""
    name = made.spec.name
    return objectives.build(objectives.chosen(value, "objective"), {name: made}, (name,), networks.task(classes))


def batch(spec: Spec, count: int = 64) -> Batch:
    generator = torch.Generator().manual_seed(0)
    x = (torch.randint(3, 20, (count, 8), generator=generator) if spec is TEXT
         else torch.randn(count, *spec.shape, generator=generator))
    return Batch({spec.name: x}, torch.ones(count, 1, dtype=torch.bool), torch.zeros(count, dtype=torch.int64))


@pytest.mark.parametrize("spec", [TEXT, IMAGE], ids=["text", "image"])
def test_masked_modelling_reads_no_label(spec: Spec) -> None:
    task = build("masked", networks.encoder(spec), 3)
    one = batch(spec)
    other = Batch(one.inputs, one.present, torch.ones_like(one.y))
    losses = [task.loss(b, torch.Generator().manual_seed(1)).item() for b in (one, other)]
    assert losses[0] == losses[1]


def test_only_hidden_patches_are_scored() -> None:
    """With a decoder that always says 0, the loss is the mean square of the hidden patches."""
    task = build({"name": "masked", "mask": 0.3}, networks.encoder(IMAGE))
    for p in task.decode.parameters():
        torch.nn.init.zeros_(p)
    one = batch(IMAGE)
    hidden = torch.rand(64, 16, generator=torch.Generator().manual_seed(4)) < 0.3
    expected = task.encoder.patches(one.inputs["image"])[hidden].square().mean()
    assert task.loss(one, torch.Generator().manual_seed(4)).item() == pytest.approx(expected.item(), rel=1e-5)


def test_masked_text_starts_at_the_entropy_of_a_uniform_guess() -> None:
    task = build("masked", networks.encoder(TEXT), 3)
    for p in task.decode.parameters():
        torch.nn.init.zeros_(p)
    assert task.loss(batch(TEXT), torch.Generator().manual_seed(0)).item() == pytest.approx(2.9957, abs=1e-3)  # ln 20


def test_the_pooled_vector_takes_part_in_the_prediction() -> None:
    task = build("masked", networks.encoder(IMAGE), 3)
    task.loss(batch(IMAGE), torch.Generator().manual_seed(0)).backward()
    assert task.whole.weight.grad.abs().sum() > 0


def test_a_component_that_is_too_sure_is_worth_less() -> None:
    """Three of four are class 0; no temperature hides that the fourth has a logit of 10 against it."""
    task = build("supervised", networks.encoder(IMAGE), 2)
    logits, y = torch.tensor([[10.0, 0.0]] * 4), torch.tensor([0, 0, 0, 1])
    assert task.nll(logits, y) == pytest.approx(2.5000, abs=1e-4)


def test_an_unknown_objective_is_explained() -> None:
    with pytest.raises(UserError, match="`objective`: there is no objective `mask`; did you mean `masked`"):
        build("mask", networks.encoder(TEXT))


def test_settings_are_filled_in_and_what_is_wrong_is_named() -> None:
    assert objectives.chosen("masked", "x") == {"name": "masked", "mask": 0.5}
    assert objectives.chosen({"name": "masked", "mask": 0.3}, "x") == {"name": "masked", "mask": 0.3}
    assert objectives.chosen("supervised", "x") == {"name": "supervised"}
    for value, says in (({"name": "masked", "mack": 0.3}, r"unknown key `x\.mack`; did you mean `mask`"),
                        ({"name": "masked", "mask": 1.0}, r"`x\.mask` must be below 1 \(got 1\.0\)"),
                        ({"name": "supervised", "mask": 0.5}, r"unknown key `x\.mask`")):
        with pytest.raises(UserError, match=says):
            objectives.chosen(value, "x")


def test_those_of_whole_networks_are_none_that_a_recipe_may_name() -> None:
    assert {"masked", "supervised"} <= set(objectives.names())
    assert not {"joint", "dgl", "network"} & set(objectives.names())  # a recipe trains no whole network


def test_tokens_that_are_not_the_patches_are_explained(tmp_path) -> None:
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    Wav2Vec2Model(Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, conv_dim=[16, 16],
        conv_kernel=[10, 8], conv_stride=[5, 4], num_feat_extract_layers=2, num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2)).save_pretrained(tmp_path)
    encoder = networks.encoder(Spec("audio", "waveform", (1, 1600)), weights=str(tmp_path))
    with pytest.raises(UserError, match="names for audio makes 78 tokens of 100 patches.*`objective: masked`"):
        build("masked", encoder)


@pytest.mark.parametrize("spec", [TEXT, IMAGE], ids=["text", "image"])
def test_the_encoder_does_not_see_what_is_hidden(spec: Spec) -> None:
    task, one, seen = build("masked", networks.encoder(spec), 3), batch(spec), []
    tokens = task.encoder.tokens
    task.encoder.tokens = lambda x: (seen.append(x), tokens(x))[1]
    task.loss(one, torch.Generator().manual_seed(7))
    hidden = torch.rand(64, task.count, generator=torch.Generator().manual_seed(7)) < 0.5
    if spec is TEXT:
        assert (seen[0][hidden] == 2).all()
        assert torch.equal(seen[0][~hidden], one.inputs["text"][~hidden])
    else:
        assert (task.encoder.patches(seen[0])[hidden] == 0).all()
        assert torch.equal(task.encoder.patches(seen[0])[~hidden], task.encoder.patches(one.inputs["image"])[~hidden])


@pytest.mark.parametrize("nothing", [0, 2], ids=["padding", "masked by augmentation"])
def test_what_is_no_word_is_not_predicted(nothing: int) -> None:
    """A decoder that gives padding or the mask no chance, and any other of the 20 entries the same."""
    task = build("masked", networks.encoder(TEXT), 3)
    for p in task.decode.parameters():
        torch.nn.init.zeros_(p)
    with torch.no_grad():
        task.decode[-1].bias[nothing] = -100.0
    one = batch(TEXT)
    one.inputs["text"][:, 5:] = nothing
    assert task.loss(one, torch.Generator().manual_seed(0)).item() == pytest.approx(2.9444, abs=1e-3)  # ln 19
