"""Low-rank updates: nothing changes at step 0, little moves, and merged weights answer as the updates did."""

from __future__ import annotations

import torch

from tests import networks
from trivium.modalities.spec import Spec
from trivium.models import lora

IMAGE = Spec("image", "image", (1, 8, 8))
TEXT = Spec("text", "tokens", (6,), vocab=20)


def test_at_step_0_the_answers_are_those_of_the_frozen_model() -> None:
    for spec, x in ((IMAGE, torch.randn(2, 1, 8, 8)), (TEXT, torch.tensor([[3, 4, 5, 0, 0, 0]]))):
        for kind in ("cnn", "transformer"):
            encoder = networks.encoder(spec, kind, depth=3).eval()
            before = encoder(x)
            assert lora.add(encoder, rank=2, blocks=2) > 0
            assert torch.equal(encoder(x), before)


def test_updates_are_in_the_last_blocks_alone() -> None:
    encoder = networks.encoder(IMAGE, "cnn", depth=3)
    assert lora.targets(encoder, 2) == ["blocks.1.mix", "blocks.2.mix"]
    assert lora.targets(encoder, 9) == ["blocks.0.mix", "blocks.1.mix", "blocks.2.mix"]


def test_merged_weights_answer_as_the_updates_did_and_the_encoder_is_what_it_was() -> None:
    encoder = networks.encoder(IMAGE, "cnn", depth=2).eval()
    names = list(encoder.state_dict())
    untouched = encoder.state_dict()["blocks.0.mix.weight"].clone()
    lora.add(encoder, rank=2, blocks=1)
    for name, weight in encoder.named_parameters():
        if lora.MARK in name:
            torch.nn.init.normal_(weight)
    x = torch.randn(2, 1, 8, 8)
    moved = encoder(x)
    lora.merge(encoder)
    torch.testing.assert_close(encoder(x), moved, rtol=1e-4, atol=1e-5)
    assert list(encoder.state_dict()) == names
    assert torch.equal(encoder.state_dict()["blocks.0.mix.weight"], untouched)
