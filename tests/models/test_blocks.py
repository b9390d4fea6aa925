"""Weights of an encoder by depth."""

from tests import networks
from trivium.modalities.spec import Spec
from trivium.models import blocks

IMAGE = Spec("image", "image", (1, 8, 8), modality="image")
TEXT = Spec("text", "tokens", (6,), vocab=20, modality="text")


def names(encoder) -> list[set[str]]:  # type: ignore[no-untyped-def]
    known = {id(weight): name for name, weight in encoder.named_parameters()}
    return [{known[id(weight)] for weight in group} for group in blocks.groups(encoder)]


def test_the_stem_then_each_block_and_what_stands_behind_them_with_the_last() -> None:
    own = networks.encoder(IMAGE, "cnn", depth=3)
    stem, first, second, third = names(own)
    assert stem == {"stem.position", "stem.embed.weight", "stem.embed.bias"}
    assert first == {f"blocks.0.{part}.{what}" for part in ("norm", "mix") for what in ("weight", "bias")}
    assert third == {name.replace(".0.", ".2.") for name in first} | {"norm.weight", "norm.bias"}
    assert len(second) == 4
    assert set().union(*names(own)) == dict(own.named_parameters()).keys()


def test_blocks_of_a_transformer_are_its_layers() -> None:
    groups = names(networks.encoder(TEXT, "transformer", depth=2))
    assert len(groups) == 3
    assert all(".layer.0." in name for name in groups[1]) and all(".layer.1." in name for name in groups[2])
