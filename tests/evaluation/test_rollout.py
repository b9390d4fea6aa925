"""Attention rollout: by hand on given attention, and on encoders that look where they were told to."""

import pytest
import torch
from torch import Tensor, nn

from tests import networks
from trivium.evaluation.rollout import roll, rollout
from trivium.modalities.spec import Spec

TEXT = Spec("text", "tokens", (5,), vocab=20)
IMAGE = Spec("image", "image", (3, 12, 12))
X = torch.tensor([[5, 6, 7, 0, 0], [8, 9, 4, 3, 6], [0, 0, 0, 0, 0]])


def pixels(*shape: int) -> Tensor:
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))


def told(encoder: nn.Module, key: int, D: int = 16) -> None:
    """Plants layers that attend to position `key` alone and pass tokens on unchanged, whatever the input."""
    embeddings = encoder.body.embeddings
    with torch.no_grad():
        for layer in encoder.body.encoder.layer:
            own = layer.attention.self
            for part in (own.query, own.key, own.value, layer.attention.output.dense, layer.output.dense):
                part.weight.zero_()
                part.bias.zero_()
            own.query.bias.fill_(100.0)
            own.key.weight[:, 0] = 1.0  # the first dimension says how much a token is looked at
        embeddings.position_embeddings.weight.zero_()
        embeddings.position_embeddings.weight[key, 0] = 1000.0


def test_one_layer_is_half_attention_and_half_residual() -> None:
    layer = torch.tensor([[[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]]])  # [B, H, S, S]
    torch.testing.assert_close(roll([layer]), torch.tensor([[[0.75, 0.25], [0.25, 0.75]]]))


def test_layers_multiply_the_last_one_from_the_left() -> None:
    """Layer 1: token 0 looks at token 1. Layer 2: token 1 looks at token 0. So token 1 sees itself through token 0."""
    first = torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])
    second = torch.tensor([[[[1.0, 0.0], [1.0, 0.0]]]])
    torch.testing.assert_close(roll([first, second]), torch.tensor([[[0.5, 0.5], [0.25, 0.75]]]))
    torch.testing.assert_close(roll([first, second]).sum(-1), torch.ones(1, 2))


def test_shares_of_words_sum_to_one_and_padding_has_none() -> None:
    encoder = networks.encoder(TEXT, "transformer", depth=2).eval()
    before = encoder(X)
    found = rollout(encoder, X)
    assert found is not None and found.shape == (3, 5)
    assert found[0, 3:].tolist() == [0.0, 0.0] and (found[:2][X[:2] != 0] > 0).all()
    torch.testing.assert_close(found.sum(1), torch.tensor([1.0, 1.0, 0.0]))
    assert torch.equal(rollout(encoder, X), found)
    assert torch.equal(encoder(X), before)  # the fast attention is back
    assert encoder.body.config._attn_implementation == "sdpa" and not encoder.body.config.output_attentions


@pytest.mark.parametrize("key", [0, 2, 4])
def test_a_transformer_that_attends_to_one_position(key: int) -> None:
    """Tokens pass unchanged, so each dimension of the vector comes from the token that is largest there, and after one
    layer half of that from `key`: R = 0.5 A + 0.5 I.
    """
    encoder = networks.encoder(TEXT, "transformer").eval()
    told(encoder, key)
    x = X[1:2]
    given = torch.bincount(encoder.tokens(x)[0].argmax(0), minlength=5) / 16
    expected = 0.5 * given
    expected[key] += 0.5
    found = rollout(encoder, x)
    assert found is not None
    torch.testing.assert_close(found[0], expected)


def test_patches_lie_on_the_image() -> None:
    encoder = networks.encoder(IMAGE, "transformer").eval()  # 6 x 6 patches of 2 x 2 pixels
    told(encoder, key=7)  # second row, second column
    found = rollout(encoder, pixels(3, 12, 12))
    assert found is not None and found.shape == (2, 1, 12, 12)
    torch.testing.assert_close(found.flatten(1).sum(1), torch.ones(2))
    assert (found[:, 0, 2:4, 2:4].sum((1, 2)) >= 0.5).all()
    assert (found[:, 0, 2, 2] == found[:, 0, 3, 3]).all()


@pytest.mark.parametrize("spec", [Spec("audio", "spectrogram", (1, 10, 13)), Spec("wave", "waveform", (1, 100))])
def test_moments_lie_on_the_time_axis(spec: Spec) -> None:
    """Patches of 4 frames, the last of them one frame long; 13 patches of 8, the last of 4."""
    encoder = networks.encoder(spec, "transformer", depth=2).eval()
    found = rollout(encoder, pixels(*spec.shape))
    assert found is not None and found.shape == (2, *spec.shape)
    torch.testing.assert_close(found.flatten(1).sum(1), torch.ones(2))
    in_time = found.flatten(1, -2)[:, 0]
    side = {"audio": 4, "wave": 8}[spec.name]
    assert all(len(set(part.tolist())) == 1 for part in in_time[0].split(side))
    assert len(set(in_time[0].tolist())) > 1


@pytest.mark.parametrize("spec", [TEXT, IMAGE])
def test_convolutions_do_not_attend(spec: Spec) -> None:
    x = X if spec is TEXT else pixels(3, 12, 12)
    assert rollout(networks.encoder(spec), x) is None


def test_columns_that_are_missing_are_not_shown() -> None:
    """By hand: one block, so that the row's token is half itself, and half what its attention gives."""
    spec = Spec("rows", "columns", (3, 2), columns=(("area", 2), ("kind", 4), ("year", 2)))
    encoder = networks.encoder(spec, "ft_transformer").eval()
    x = torch.tensor([[[1.5, 1], [0, 3], [-0.5, 1]], [[0.3, 1], [0, 2], [0, 0]]])
    tokens, layers = encoder.attend(x)
    torch.testing.assert_close(tokens, encoder.tokens(x))
    seen = layers[0].mean(1)[:, 0, 1:]
    found = rollout(encoder, x)
    assert found is not None
    torch.testing.assert_close(found[0], seen[0] / seen[0].sum())
    torch.testing.assert_close(found[1], torch.stack([seen[1, 0], seen[1, 1], torch.zeros(())]) / seen[1, :2].sum())


def test_models_of_the_hub_show_what_they_look_at(tmp_path) -> None:
    from transformers import BertConfig, BertModel, ViTConfig, ViTModel

    small = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=20, **small)).save_pretrained(tmp_path / "bert")
    words = rollout(networks.encoder(TEXT, weights=str(tmp_path / "bert")).eval(), X)
    assert words is not None and words[0, 3:].tolist() == [0.0, 0.0]
    torch.testing.assert_close(words[:2].sum(1), torch.ones(2))

    ViTModel(ViTConfig(image_size=12, patch_size=4, **small), add_pooling_layer=False).save_pretrained(tmp_path / "vit")
    seen = rollout(networks.encoder(IMAGE, weights=str(tmp_path / "vit")).eval(), pixels(3, 12, 12))
    assert seen is not None and seen.shape == (2, 1, 12, 12)  # the class token's share is not part of it
    torch.testing.assert_close(seen.flatten(1).sum(1), torch.ones(2))
    assert len(set(seen[0].flatten().tolist())) == 9


@pytest.mark.parametrize("key", [0, 5])  # the class token, and the patch in the middle
def test_the_class_token_is_before_the_patches(key: int, tmp_path) -> None:
    from transformers import ViTConfig, ViTModel

    body = ViTModel(ViTConfig(image_size=12, patch_size=4, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                              intermediate_size=16), add_pooling_layer=False)
    layer = body.layers[0]
    with torch.no_grad():
        for part in (layer.attention.q_proj, layer.attention.k_proj, layer.attention.o_proj, layer.mlp.fc2):
            part.weight.zero_()
            part.bias.zero_()
        layer.attention.q_proj.bias.fill_(100.0)
        layer.attention.k_proj.weight[:, 0] = 1.0
        body.embeddings.position_embeddings.zero_()
        body.embeddings.position_embeddings[0, key, 0] = 1000.0
    body.save_pretrained(tmp_path)
    encoder, x = networks.encoder(IMAGE, weights=str(tmp_path)).eval(), pixels(3, 12, 12)
    found = rollout(encoder, x)
    assert found is not None
    expected = torch.full((len(x), 9), 1 / 9)  # the mean over patches
    if key:
        expected = expected / 2
        expected[:, 4] += 0.5
    torch.testing.assert_close(found[:, 0, ::4, ::4].flatten(1) * 16, expected)


def test_models_of_the_hub_with_windows_or_convolutions_show_nothing(tmp_path) -> None:
    from transformers import ResNetConfig, ResNetModel, SwinConfig, SwinModel

    swin = SwinConfig(image_size=32, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[1, 2], window_size=4)
    SwinModel(swin, add_pooling_layer=False).save_pretrained(tmp_path / "swin")
    ResNetModel(ResNetConfig(embedding_size=8, hidden_sizes=[8], depths=[1])).save_pretrained(tmp_path / "resnet")
    spec = Spec("image", "image", (3, 32, 32))
    for name in ("swin", "resnet"):
        assert rollout(networks.encoder(spec, weights=str(tmp_path / name)).eval(), pixels(3, 32, 32)) is None
