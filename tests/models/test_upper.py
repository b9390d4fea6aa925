"""The last blocks of an encoder answer as the whole does, on states that were made once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests import networks
from trivium.encoders.base import Encoder
from trivium.modalities.spec import Spec
from trivium.models import upper

IMAGE, TEXT = Spec("image", "image", (1, 8, 8)), Spec("text", "tokens", (6,), vocab=20)
TOKENS = torch.tensor([[3, 4, 5, 0, 0, 0], [9, 8, 7, 6, 5, 4]])


@pytest.mark.parametrize("kind", ["cnn", "transformer"])
@pytest.mark.parametrize(("spec", "x"), [(IMAGE, torch.randn(2, 1, 8, 8)), (TEXT, TOKENS)])
def test_both_parts_answer_as_the_whole(spec: Spec, x: Tensor, kind: str) -> None:
    encoder = networks.encoder(spec, kind, depth=3).eval()
    parts = upper.of(encoder, 1)
    assert parts is not None
    torch.testing.assert_close(parts(parts.below(x)), encoder(x))
    assert list(parts.below(x).shape) == [2, 6 if spec is TEXT else 16, 17 if spec is TEXT else 16]


def test_the_blocks_below_run_once_and_those_above_are_the_encoder_s_own() -> None:
    encoder = networks.encoder(IMAGE, "cnn", depth=3).eval()
    parts, ran = upper.of(encoder, 1), list[int]()
    assert parts is not None
    for k in range(3):
        encoder.get_submodule(f"blocks.{k}.mix").register_forward_hook(lambda *_, k=k: ran.append(k))
    states = parts.below(torch.randn(2, 1, 8, 8))
    assert ran == [0, 1]
    before = parts(states)
    assert ran == [0, 1, 2]
    with torch.no_grad():
        encoder.get_submodule("blocks.2.mix").weight.add_(0.1)
    assert not torch.equal(parts(states), before)
    assert {id(w) for w in parts.parameters()} == {id(w) for w in encoder.parameters()}


def test_published_bodies(tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel, ViTConfig, ViTModel

    small = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=20, **small)).save_pretrained(tmp_path / "bert")
    ViTModel(ViTConfig(image_size=8, patch_size=4, num_channels=1, **small)).save_pretrained(tmp_path / "vit")
    for spec, folder, x in ((Spec("text", "tokens", (6,), vocab=20, native=tuple(range(20))), "bert", TOKENS),
                            (IMAGE, "vit", torch.randn(2, 1, 8, 8))):
        encoder = networks.encoder(spec, weights=str(tmp_path / folder)).eval()
        parts = upper.of(encoder, 2)
        assert parts is not None
        torch.testing.assert_close(parts(parts.below(x)), encoder(x), rtol=1e-4, atol=1e-5)


def test_short_texts_cost_what_they_are_long(tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel

    small = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=20, **small)).save_pretrained(tmp_path)
    spec = Spec("text", "tokens", (9,), vocab=20, native=tuple(range(20)))
    encoder, seen = networks.encoder(spec, weights=str(tmp_path)).eval(), list[int]()
    encoder.body.encoder.layer[2].register_forward_hook(lambda _, __, out: seen.append(out.shape[1]))
    parts = upper.of(encoder, 2)
    assert parts is not None
    seen.clear()
    x = torch.tensor([[3, 4, 5, 0, 0, 0, 0, 0, 0], [9, 8, 0, 0, 0, 0, 0, 0, 0]])
    whole, again = encoder(x), parts(parts.below(x))
    assert seen == [3, 3]
    assert parts.below(x).shape == (2, 9, 17) and encoder.tokens(x).shape == (2, 9, 16)
    torch.testing.assert_close(again, whole)
    torch.testing.assert_close(encoder(x[:, :3]), whole)
    assert encoder(torch.zeros_like(x)).isfinite().all()


def test_an_encoder_that_cannot_be_taken_apart_stays_whole() -> None:
    assert upper.of(networks.encoder(IMAGE, "cnn", depth=2).eval(), 2) is None  # nothing is below

    class Skipping(Encoder):
        """The last block also reads what came before the first."""

        def __init__(self) -> None:
            super().__init__()
            self.spec, self.width, self.patch = IMAGE, 64, ()
            self.blocks = nn.ModuleList([nn.Linear(64, 64) for _ in range(3)])

        def forward(self, x: Tensor) -> Tensor:
            first = states = x.flatten(1)
            first = self.blocks[0](first)
            states = self.blocks[1](first)
            return self.blocks[2](states + first)

    assert upper.of(Skipping().eval(), 1) is None
