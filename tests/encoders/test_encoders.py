"""Shapes, padding, patches and hiding of the encoders."""

import shutil

import pytest
import torch

from tests import networks
from tests.networks import encoder
from trivium import models
from trivium.encoders.base import patch_size
from trivium.modalities.spec import Spec
from trivium.models import files
from trivium.objectives.masked import Masked
from trivium.settings.errors import UserError

SPECS = {
    "text": Spec("text", "tokens", (6,), vocab=20),
    "image": Spec("image", "image", (3, 12, 12)),
    "audio": Spec("audio", "spectrogram", (1, 10, 13)),
    "wave": Spec("wave", "waveform", (1, 100)),
}


def example(spec: Spec) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    if spec.kind == "tokens":
        return torch.randint(3, spec.vocab, (2, *spec.shape), generator=generator)
    return torch.randn(2, *spec.shape, generator=generator)


@pytest.mark.parametrize("name", ["cnn", "transformer"])
@pytest.mark.parametrize("modality", SPECS)
def test_tokens_and_vector_have_the_promised_shapes(name: str, modality: str) -> None:
    spec = SPECS[modality]
    made = encoder(spec, name)
    tokens = {"text": 6, "image": 36, "audio": 4, "wave": 13}[modality]
    x = example(spec)
    assert made.tokens(x).shape == (2, tokens, 16)
    assert made(x).shape == (2, 16)
    if modality != "text":
        assert made.patches(x).shape[:2] == (2, tokens)


@pytest.mark.parametrize("name", ["cnn", "transformer"])
def test_padding_is_not_part_of_the_text_vector(name: str) -> None:
    made = encoder(SPECS["text"], name).eval()
    x = torch.tensor([[5, 6, 7, 0, 0, 0]])
    pooled = made.pool(made.tokens(x), x)
    expected = made.tokens(x)[:, :3].amax(1)
    torch.testing.assert_close(pooled, expected)
    nothing = torch.zeros_like(x)
    assert made(nothing).tolist() == [[0.0] * 16]


def test_patches_follow_the_tokens() -> None:
    made = encoder(Spec("image", "image", (1, 4, 4)))
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert made.patch == (2, 2)
    assert made.patches(x)[0].tolist() == [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]


def test_hide_blanks_exactly_the_hidden_tokens() -> None:
    image = encoder(Spec("image", "image", (1, 4, 4)))
    hidden = torch.tensor([[False, True, False, False]])
    shown = image.hide(torch.ones(1, 1, 4, 4), hidden)[0, 0]
    assert shown.tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]]
    text = encoder(Spec("text", "tokens", (4,), vocab=9))
    assert text.hide(torch.tensor([[5, 6, 7, 8]]), hidden).tolist() == [[5, 2, 7, 8]]


def test_patch_sizes_give_about_64_tokens() -> None:
    assert patch_size(Spec("image", "image", (3, 32, 32))) == (4, 4)
    assert patch_size(Spec("image", "image", (3, 224, 224))) == (32, 32)
    assert patch_size(Spec("audio", "waveform", (1, 16000))) == (256,)


def test_a_spectrogram_is_cut_in_time_only() -> None:
    assert patch_size(Spec("audio", "spectrogram", (1, 40, 96))) == (40, 4)
    assert patch_size(Spec("audio", "spectrogram", (1, 80, 3000))) == (80, 64)


def test_a_local_folder_is_an_encoder(tmp_path, capfd) -> None:
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=20, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    BertModel(config).save_pretrained(tmp_path)
    capfd.readouterr()
    made = encoder(SPECS["text"], weights=str(tmp_path)).eval()
    assert capfd.readouterr() == ("", "")
    assert made(example(SPECS["text"])).shape == (2, 16)


def test_an_image_encoder_from_a_folder_has_one_token_per_patch(tmp_path) -> None:
    from transformers import ViTConfig, ViTModel

    config = ViTConfig(image_size=12, patch_size=4, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                       intermediate_size=16)
    ViTModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    made = encoder(SPECS["image"], weights=str(tmp_path)).eval()
    x = example(SPECS["image"])
    assert made.tokens(x).shape == (2, 9, 16)
    assert made.patches(x).shape == (2, 9, 48)


def test_positions_for_another_image_size_are_fitted_once(tmp_path) -> None:
    from transformers import Dinov2Config, Dinov2Model

    config = Dinov2Config(image_size=32, patch_size=4, hidden_size=16, num_hidden_layers=1, num_attention_heads=2)
    body = Dinov2Model(config).eval()
    body.save_pretrained(tmp_path)
    made = encoder(SPECS["image"], weights=str(tmp_path)).eval()
    x = example(SPECS["image"])
    assert made.body.embeddings.position_embeddings.shape == (1, 1 + 9, 16)
    torch.testing.assert_close(made.body(x).last_hidden_state, body(x).last_hidden_state)
    assert made.tokens(x).shape == (2, 9, 16)


def test_a_spectrogram_transformer_keeps_all_tokens_of_its_overlapping_patches(tmp_path) -> None:
    """8 bands by 20 frames, patches of 4 x 4 every 2: 3 x 9 of them, behind two special tokens."""
    from transformers import ASTConfig, ASTModel

    config = ASTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, patch_size=4,
                       frequency_stride=2, time_stride=2, max_length=20, num_mel_bins=8)
    body = ASTModel(config).eval()
    body.save_pretrained(tmp_path)
    spec = Spec("audio", "spectrogram", (1, 8, 20))
    made = encoder(spec, weights=str(tmp_path)).eval()
    x = torch.randn(2, *spec.shape)
    states = body(x[:, 0].transpose(1, 2)).last_hidden_state
    assert states.shape == (2, 2 + 27, 16)
    torch.testing.assert_close(made.tokens(x), states[:, 2:])
    with pytest.raises(UserError, match="makes 27 tokens of 10 patches"):
        Masked(made, 0.5, "masked")


def test_a_saved_model_needs_no_hub_again(tmp_path) -> None:
    from transformers import BertConfig, BertModel, Dinov2Config, Dinov2Model, Wav2Vec2Config, Wav2Vec2Model

    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    specs = {"text": SPECS["text"], "image": SPECS["image"], "audio": Spec("audio", "waveform", (1, 4000))}
    for name, body in {
        "text": BertModel(BertConfig(vocab_size=20, intermediate_size=16, **small)).half(),
        "image": Dinov2Model(Dinov2Config(image_size=32, patch_size=4, **small)),
        "audio": Wav2Vec2Model(Wav2Vec2Config(intermediate_size=16, conv_dim=(16,) * 7, num_conv_pos_embeddings=16,
                                              num_conv_pos_embedding_groups=2, **small)),
    }.items():
        body.save_pretrained(tmp_path / "hub" / name)
    described = {s: networks.described(spec, weights=str(tmp_path / "hub" / s)) for s, spec in specs.items()}
    parts = {s: models.encoder(described[s], spec, 0) for s, spec in specs.items()}
    model = models.multimodal(parts, networks.task(3), {"name": "concat", "width": None}, 0).eval()
    about = files.describe("fusion", described, specs, networks.task(3), fusion={"name": "concat", "width": None})
    models.save(model, about, tmp_path / "model")
    shutil.rmtree(tmp_path / "hub")
    inputs = {m: example(spec) for m, spec in specs.items()}
    present = torch.ones(2, 3, dtype=torch.bool)
    again = models.load(tmp_path / "model")
    torch.testing.assert_close(again(inputs, present), model(inputs, present), rtol=0, atol=0)


def test_weights_in_half_precision_are_read_as_float32(tmp_path) -> None:
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=20, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    BertModel(config).half().save_pretrained(tmp_path)
    made = encoder(SPECS["text"], weights=str(tmp_path)).eval()
    assert {p.dtype for p in made.parameters()} == {torch.float32}
    assert made(example(SPECS["text"])).shape == (2, 16)


def test_a_model_that_does_not_fit_is_told_in_words(tmp_path) -> None:
    from transformers import CLIPConfig, CLIPModel, RobertaConfig, RobertaModel

    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    RobertaModel(RobertaConfig(vocab_size=20, max_position_embeddings=6, **small)).save_pretrained(tmp_path / "short")
    CLIPModel(CLIPConfig(text_config=small, vision_config=small)).save_pretrained(tmp_path / "two")
    for name, m in (("short", "text"), ("two", "image")):
        with pytest.raises(UserError, match="do not take inputs of shape"):
            encoder(SPECS[m], weights=str(tmp_path / name))
