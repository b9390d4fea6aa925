"""What a published model brings along comes with it: what an entry says otherwise, or leaves open, is an error."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.helpers import empty_weights
from trivium import encoders
from trivium.encoders import describe
from trivium.modalities import image, text
from trivium.modalities.spec import Spec
from trivium.settings.errors import UserError

VIT = {"size": {"height": 24, "width": 24}, "image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}
WAV2VEC2 = {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": 8000, "do_normalize": True}
AST = {"feature_extractor_type": "ASTFeatureExtractor", "sampling_rate": 16000, "num_mel_bins": 8, "max_length": 20}
TOKENIZER = {"model": {"vocab": {"[PAD]": 0, "[UNK]": 1, "[MASK]": 2, "a": 3}}, "added_tokens": [{"id": 4}]}


def folder(path: Path, preprocessor: dict[str, Any] | None = None, **files: dict[str, Any]) -> str:
    """A model's folder, but for its weights. files: more of them, without `.json`."""
    path.mkdir(exist_ok=True)
    if not (path / "model.safetensors").exists():
        empty_weights(path)
    if preprocessor is not None:
        files["preprocessor_config"] = preprocessor
    for name, content in files.items():
        content = ({"model_type": "bert"} if name == "config" else {}) | content
        (path / f"{name}.json").write_text(json.dumps(content))
    return str(path)


def processor(modality: str, weights: str, **own: Any) -> tuple[str, dict[str, Any]]:
    return describe("one", {"modality": modality, "weights": weights, "processor": own}).processor


def test_pictures_are_as_large_and_as_bright_as_in_training(tmp_path: Path) -> None:
    weights = folder(tmp_path, VIT)
    brought = {"size": 24, "channels": 3, "mean": [0.1, 0.2, 0.3], "deviation": [0.4, 0.5, 0.6]}
    assert processor("image", weights) == ("image", brought)
    assert processor("image", weights, size=16) == ("image", brought | {"size": 16})  # cheaper
    for key, value in (("mean", [0.5] * 3), ("deviation", [0.5] * 3), ("channels", 1)):
        with pytest.raises(UserError, match=rf"`encoder\.one\.processor\.{key}` comes with the weights `{weights}`"):
            processor("image", weights, **{key: value})


@pytest.mark.parametrize(("size", "pixels"), [
    ({"size": 20}, 20),
    ({"size": {"shortest_edge": 20}}, 20),
    ({"size": {"shortest_edge": 32}, "do_center_crop": True, "crop_size": {"height": 28, "width": 28}}, 28),
    ({"size": {"shortest_edge": 32}, "do_center_crop": False, "crop_size": {"height": 28, "width": 28}}, 32),
])
def test_the_size_of_what_is_left_after_a_crop(tmp_path: Path, size: dict[str, Any], pixels: int) -> None:
    assert processor("image", folder(tmp_path, VIT | size))[1]["size"] == pixels


@pytest.mark.parametrize(("says", "low", "high"), [  # what the model sees of black and of white
    ({}, -1.0, 1.0),
    ({"do_normalize": False}, 0.0, 1.0),
    ({"do_rescale": False}, -1.0, 509.0),
    ({"do_rescale": False, "do_normalize": False}, 0.0, 255.0),
    ({"rescale_factor": 2 / 255}, -1.0, 3.0),
])
def test_colours_are_scaled_as_the_model_s_processor_says(tmp_path: Path, says: dict, low: float, high: float) -> None:
    half = {"size": 24, "image_mean": 0.5, "image_std": [0.5] * 3}
    chosen = image.Settings.model_validate(processor("image", folder(tmp_path, half | says))[1])
    assert chosen.statistics is not None
    seen = [(value - chosen.statistics["mean"][2]) / chosen.statistics["deviation"][2] for value in (0, 255)]
    assert seen == pytest.approx([low, high])


def test_newer_models_nest_it(tmp_path: Path) -> None:
    weights = folder(tmp_path, processor_config={"image_processor": VIT, "feature_extractor": AST})
    assert processor("image", weights)[1]["size"] == 24
    assert processor("audio", weights)[1]["extractor"] == AST


def test_pictures_of_a_model_that_does_not_say_are_said_by_the_entry(tmp_path: Path) -> None:
    weights, own = folder(tmp_path), {"size": 16, "mean": [0.5] * 3, "deviation": [0.25] * 3}
    words = (rf"`encoder\.one`: the folder {weights} has no preprocessor_config\.json, which would say the size and "
             r"mean and deviation .*AutoImageProcessor\.from_pretrained\(\.\.\.\)\.save_pretrained\(.*or set size, "
             r"mean, deviation under `encoder\.one\.processor`")
    with pytest.raises(UserError, match=words):
        processor("image", weights)
    with pytest.raises(UserError, match="which would say the deviation of"):
        processor("image", weights, size=16, mean=[0.5] * 3)
    assert processor("image", weights, **own) == ("image", own | {"channels": 3})
    with pytest.raises(UserError, match="`mean` has 2 numbers and `deviation` 3, for 3 channels"):
        processor("image", weights, **own | {"mean": [0.5] * 2})
    with pytest.raises(UserError, match="its numbers are above 0"):
        processor("image", weights, **own | {"deviation": [0] * 3})
    weights = folder(tmp_path, {key: value for key, value in VIT.items() if key != "size"})
    with pytest.raises(UserError, match=r"has a preprocessor_config\.json that does not say the size of"):
        processor("image", weights)
    assert processor("image", weights, size=16)[1]["mean"] == [0.1, 0.2, 0.3]
    with pytest.raises(UserError, match=r"a preprocessor_config\.json that does not say the size of"):
        processor("image", folder(tmp_path, VIT | {"size": {"height": 16, "width": 24}}))


def test_colours_that_trivium_does_not_make_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="whose processor does `do_flip_channel_order`, which Trivium does not"):
        processor("image", folder(tmp_path, VIT | {"do_flip_channel_order": True}))


def test_sounds_are_heard_by_the_model_s_own_extractor(tmp_path: Path) -> None:
    weights = folder(tmp_path / "wave", WAV2VEC2 | {"processor_class": "Wav2Vec2Processor"})
    assert processor("audio", weights) == ("extracted", {"extractor": WAV2VEC2, "seconds": 4.0})
    assert processor("audio", weights, seconds=1.5)[1]["seconds"] == 1.5
    ast = folder(tmp_path / "ast", AST)
    assert processor("audio", ast) == ("extracted", {"extractor": AST, "seconds": 0.215})  # 400 + 19 * 160 samples
    for where, key, hint in ((weights, "sample_rate", ".*An entry may set seconds"), (weights, "features", ""),
                             (weights, "bins", ""), (weights, "window_ms", ""), (weights, "hop_ms", ""),
                             (weights, "level", ""), (weights, "extractor", ""), (ast, "seconds", "")):
        with pytest.raises(UserError, match=rf"`encoder\.one\.processor\.{key}` comes with the weights .*leave it out"
                           + hint):
            processor("audio", where, **{key: 1})
    with pytest.raises(UserError, match=r"unknown key `encoder\.one\.processor\.secnds`; did you mean `seconds`"):
        processor("audio", weights, secnds=1)


def test_an_extractor_that_its_config_does_not_name_follows_from_the_model(tmp_path: Path) -> None:
    weights = folder(tmp_path, {"sampling_rate": 16000}, config={"model_type": "wavlm"})
    assert processor("audio", weights)[1]["extractor"] == {
        "sampling_rate": 16000, "feature_extractor_type": "Wav2Vec2FeatureExtractor"}


def test_sounds_that_no_extractor_hears_are_told(tmp_path: Path) -> None:
    weights = folder(tmp_path)
    with pytest.raises(UserError, match=rf"the folder {weights} has no preprocessor_config\.json, which says how .*"
                       r"\(AutoFeatureExtractor\.from_pretrained\(\.\.\.\)\.save_pretrained\("):
        processor("audio", weights)
    with pytest.raises(UserError, match="the feature extractor `WhisperFeatureExtractor`, which Trivium does not know"):
        processor("audio", folder(tmp_path, {"feature_extractor_type": "WhisperFeatureExtractor"}))
    with pytest.raises(UserError, match="`sampling_rate` in the preprocessor_config.json of .* is '8k', not a whole"):
        processor("audio", folder(tmp_path, WAV2VEC2 | {"sampling_rate": "8k"}))
    with pytest.raises(UserError, match="makes `max_length` 20, and the model reads 1024: it is that of another model"):
        processor("audio", folder(tmp_path, AST, config={"num_mel_bins": 8, "max_length": 1024}))
    (tmp_path / "preprocessor_config.json").write_text("{")
    with pytest.raises(UserError, match=r"preprocessor_config\.json of .* cannot be read"):
        processor("audio", weights)


def test_texts_are_cut_by_the_model_s_own_tokenizer(tmp_path: Path) -> None:
    bert = {"model_type": "bert", "vocab_size": 5, "max_position_embeddings": 64}
    weights = folder(tmp_path, config=bert, tokenizer=TOKENIZER)
    assert processor("text", weights)[1] == {"length": 64, "vocab": 4096, "tokenizer": weights}
    assert processor("text", weights, length=32)[1]["length"] == 32
    with pytest.raises(UserError, match=r"`encoder\.one\.processor\.length`: 65 tokens are more than .*: 64 at most"):
        processor("text", weights, length=65)
    roberta = {"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}
    folder(tmp_path, config=roberta)  # its positions begin behind that of the padding
    assert processor("text", weights)[1]["length"] == 128
    assert processor("text", weights, length=512)[1]["length"] == 512
    with pytest.raises(UserError, match="513 tokens are more than .*: 512 at most"):
        processor("text", weights, length=513)


def test_the_tokenizer_of_another_model_is_told(tmp_path: Path) -> None:
    weights = folder(tmp_path, config={"model_type": "bert", "vocab_size": 4, "max_position_embeddings": 64})
    with pytest.raises(UserError, match=rf"the folder {weights} has no tokenizer \(tokenizer\.json\)\. .*AutoToken"):
        processor("text", weights)
    folder(tmp_path, tokenizer=TOKENIZER)
    with pytest.raises(UserError, match="the tokenizer of .* knows 5 tokens and the model 4: it is the tokenizer"):
        processor("text", weights)
    folder(tmp_path, tokenizer={"model": {"vocab": [["a", -1.0]] * 4}})  # as unigrams have it
    assert processor("text", weights)[0] == "text"


def test_what_only_loading_shows_is_told_then(tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=4, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    BertModel(config).save_pretrained(tmp_path)
    with pytest.raises(UserError, match="has no vocabulary: name a model, or a folder, that has its tokenizer.json"):
        text.fit([], text.Settings(tokenizer=str(tmp_path)))
    folder(tmp_path, tokenizer={"model": {"vocab": {}}})
    with pytest.raises(UserError, match="knows 5 tokens and the model 4"):
        encoders.build(describe("one", {"modality": "text", "weights": str(tmp_path)}), Spec("text", "tokens", (8,), 5))


def test_the_hub_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for modality in ("text", "image", "audio"):
        with pytest.raises(UserError, match="`encoder.one`: what `no/model` was trained to read could not be looked up"
                           r" on the Hugging Face hub \(.*off line, name a local folder"):
            processor(modality, "no/model")


@pytest.mark.parametrize("name", ["waveform", "spectrogram"])
def test_sounds_reach_the_model_as_transformers_makes_them(tmp_path: Path, name: str) -> None:
    """A model's folder as transformers writes it, one wav, both ways from the file to the model's answer."""
    import numpy as np
    import soundfile
    import transformers as hf

    from trivium import modalities

    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    body, extractor = {
        "waveform": lambda: (
            hf.Wav2Vec2Model(hf.Wav2Vec2Config(conv_dim=(16,) * 7, num_conv_pos_embeddings=16,
                                               num_conv_pos_embedding_groups=2, **small)),
            hf.Wav2Vec2FeatureExtractor(sampling_rate=8000)),
        "spectrogram": lambda: (
            hf.ASTModel(hf.ASTConfig(num_mel_bins=16, max_length=40, patch_size=8, frequency_stride=8, time_stride=8,
                                     **small)),
            hf.ASTFeatureExtractor(num_mel_bins=16, max_length=40)),
    }[name]()
    body.eval().save_pretrained(tmp_path / "model")
    extractor.save_pretrained(tmp_path / "model")
    rate = extractor.sampling_rate
    wave = (0.1 * np.random.default_rng(0).normal(size=rate // 4)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", wave, rate, subtype="FLOAT")

    entry: dict[str, Any] = {"modality": "audio", "weights": str(tmp_path / "model")}
    described = describe("one", entry | ({"processor": {"seconds": 0.25}} if name == "waveform" else {}))
    part = modalities.processor(described.processor[0])
    settings = part.Settings.model_validate(described.processor[1])
    x = torch.from_numpy(part.decode("a.wav", tmp_path, None, None, settings)).float()[None]
    encoder = encoders.build(described, part.spec(settings)).eval()

    expected = extractor(wave, sampling_rate=rate, return_tensors="pt")["input_values"]
    assert x.shape == {"waveform": (1, 1, 2000), "spectrogram": (1, 1, 16, 40)}[name]
    seen = x[:, 0] if name == "waveform" else x[:, 0].transpose(1, 2)
    torch.testing.assert_close(seen, expected, rtol=1e-3, atol=1e-3)  # half precision
    with torch.no_grad():
        tokens, states = encoder.tokens(x), body(expected).last_hidden_state
    special = {"waveform": 0, "spectrogram": 2}[name]  # class tokens
    torch.testing.assert_close(tokens, states[:, special:], rtol=0, atol=0.01)
