"""Objectives: what they see, what they predict."""

import pytest
import torch

from trivium import encoders
from trivium import objectives as pretraining
from trivium.config import Recipe
from trivium.data.store import Batch
from trivium.modalities.spec import Spec
from trivium.settings.errors import UserError

TEXT = Spec("text", "tokens", (8,), vocab=20)
IMAGE = Spec("image", "image", (1, 8, 8))


def recipe(objective: str, mask: float = 0.5) -> Recipe:
    return Recipe(objective=objective, share=0.5, lr=0.003, mask=mask)


def batch(spec: Spec, count: int = 64) -> Batch:
    generator = torch.Generator().manual_seed(0)
    x = (torch.randint(3, 20, (count, 8), generator=generator) if spec is TEXT
         else torch.randn(count, *spec.shape, generator=generator))
    return Batch({spec.name: x}, torch.ones(count, 1, dtype=torch.bool), torch.zeros(count, dtype=torch.int64))


@pytest.mark.parametrize("spec", [TEXT, IMAGE], ids=["text", "image"])
def test_masked_modelling_reads_no_label(spec: Spec) -> None:
    task = pretraining.build(encoders.build("cnn", spec, 16, 1), 3, recipe("masked"))
    one = batch(spec)
    other = Batch(one.inputs, one.present, torch.ones_like(one.y))
    losses = [task.loss(b, torch.Generator().manual_seed(1)).item() for b in (one, other)]
    assert losses[0] == losses[1]


def test_only_hidden_patches_are_scored() -> None:
    """With a decoder that always says 0, the loss is the mean square of the hidden patches."""
    task = pretraining.build(encoders.build("cnn", IMAGE, 16, 1), 3, recipe("masked", mask=0.3))
    for p in task.decode.parameters():
        torch.nn.init.zeros_(p)
    one = batch(IMAGE)
    hidden = torch.rand(64, 16, generator=torch.Generator().manual_seed(4)) < 0.3
    expected = task.encoder.patches(one.inputs["image"])[hidden].square().mean()
    assert task.loss(one, torch.Generator().manual_seed(4)).item() == pytest.approx(expected.item(), rel=1e-5)


def test_masked_text_starts_at_the_entropy_of_a_uniform_guess() -> None:
    task = pretraining.build(encoders.build("cnn", TEXT, 16, 1), 3, recipe("masked"))
    for p in task.decode.parameters():
        torch.nn.init.zeros_(p)
    assert task.loss(batch(TEXT), torch.Generator().manual_seed(0)).item() == pytest.approx(2.9957, abs=1e-3)  # ln 20


def test_the_pooled_vector_takes_part_in_the_prediction() -> None:
    task = pretraining.build(encoders.build("cnn", IMAGE, 16, 1), 3, recipe("masked"))
    task.loss(batch(IMAGE), torch.Generator().manual_seed(0)).backward()
    assert task.whole.weight.grad.abs().sum() > 0


def test_a_component_that_is_too_sure_is_worth_less() -> None:
    """Three of four are class 0; no temperature hides that the fourth has a logit of 10 against it."""
    task = pretraining.build(encoders.build("cnn", IMAGE, 16, 1), 2, recipe("supervised"))
    logits, y = torch.tensor([[10.0, 0.0]] * 4), torch.tensor([0, 0, 0, 1])
    assert task.nll(logits, y) == pytest.approx(2.5000, abs=1e-4)


def test_an_unknown_objective_is_explained() -> None:
    with pytest.raises(UserError, match="no pretraining objective `mask`; known: masked, supervised"):
        pretraining.build(encoders.build("cnn", TEXT, 16, 1), 3, recipe("mask"))


def test_tokens_that_are_not_the_patches_are_explained(tmp_path) -> None:
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    Wav2Vec2Model(Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, conv_dim=[16, 16],
        conv_kernel=[10, 8], conv_stride=[5, 4], num_feat_extract_layers=2, num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2)).save_pretrained(tmp_path)
    encoder = encoders.build(str(tmp_path), Spec("audio", "waveform", (1, 1600)), width=8, depth=1)
    with pytest.raises(UserError, match="names for audio makes 78 tokens of 100 patches.*`objective: masked`"):
        pretraining.build(encoder, 3, recipe("masked"))


@pytest.mark.parametrize("spec", [TEXT, IMAGE], ids=["text", "image"])
def test_the_encoder_does_not_see_what_is_hidden(spec: Spec) -> None:
    task, one, seen = pretraining.build(encoders.build("cnn", spec, 16, 1), 3, recipe("masked")), batch(spec), []
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
    task = pretraining.build(encoders.build("cnn", TEXT, 16, 1), 3, recipe("masked"))
    for p in task.decode.parameters():
        torch.nn.init.zeros_(p)
    with torch.no_grad():
        task.decode[-1].bias[nothing] = -100.0
    one = batch(TEXT)
    one.inputs["text"][:, 5:] = nothing
    assert task.loss(one, torch.Generator().manual_seed(0)).item() == pytest.approx(2.9444, abs=1e-3)  # ln 19
