"""Fusions that read tokens: what they are given, and what of it is heard."""

from typing import Any

import pytest
import torch

from tests import networks
from trivium import fusion, models
from trivium.encoders.base import Plain, vector
from trivium.fusion.sequences import Attend, Sequences, largest
from trivium.modalities.spec import Spec

READ = [name for name in fusion.names() if fusion.reads_tokens({"name": name})]
WIDTHS = {"text": 16, "image": 24, "audio": 40}
LENGTHS = {"text": 5, "image": 7, "audio": 3}
EVERYTHING = torch.ones(4, 3, dtype=torch.bool)
SPECS = {"text": Spec("text", "tokens", (8,), vocab=20), "image": Spec("image", "image", (1, 8, 8))}


def build(value: str | dict[str, Any]) -> Any:
    torch.manual_seed(0)
    return fusion.build(fusion.chosen(value, "fusion"), WIDTHS)


def sequences(seed: int = 1) -> dict[str, torch.Tensor]:
    """Of each stream a vector and tokens, the last two of which are padding."""
    draw = torch.Generator().manual_seed(seed)
    made = {s: torch.randn(4, 1 + LENGTHS[s], width + 1, generator=draw) for s, width in WIDTHS.items()}
    for x in made.values():
        x[..., -1] = 1.0
        x[:, -2:, -1] = 0.0
    return made


def test_who_reads_tokens() -> None:
    assert READ == ["bottleneck", "cross_attention", "hybrid", "stacked", "transformer"]


@pytest.mark.parametrize("name", READ)
def test_a_token_is_heard_and_padding_is_not(name: str) -> None:
    mix, own = build(name), sequences()
    fused = mix(own, EVERYTHING)
    padded, said = {s: x.clone() for s, x in own.items()}, {s: x.clone() for s, x in own.items()}
    padded["image"][:, -2:, :-1] = 50.0
    said["image"][:, 2, :-1] += 5.0
    assert torch.equal(mix(padded, EVERYTHING), fused)
    assert not torch.allclose(mix(said, EVERYTHING), fused, atol=1e-3)
    longer = own | {"text": torch.nn.functional.pad(own["text"], (0, 0, 0, 6))}
    torch.testing.assert_close(mix(longer, EVERYTHING), fused)


@pytest.mark.parametrize("name", READ)
def test_an_absent_stream_s_tokens_change_nothing_even_where_they_are_no_numbers(name: str) -> None:
    mix, own = build(name), sequences()
    for k, s in enumerate(WIDTHS):
        present = EVERYTHING.clone()
        present[:, k] = False
        fused = mix(own, present)
        for instead in (torch.nan, 1e6):
            other = own[s].clone()
            other[..., :-1] = instead
            assert torch.equal(mix(own | {s: other}, present), fused), (s, instead)
        assert not torch.equal(mix(own, EVERYTHING), fused)


@pytest.mark.parametrize("name", READ)
def test_streams_meet(name: str) -> None:
    """What the change of one stream changes depends on what another one says."""
    mix, own, other = build(name), sequences(), sequences(2)
    changed = [mix(own | {"text": text, "image": image}, EVERYTHING)
               for text in (own["text"], other["text"]) for image in (own["image"], other["image"])]
    assert (changed[0] - changed[1] - changed[2] + changed[3]).abs().max() > 1e-3


def test_sequences_by_hand() -> None:
    read = Sequences({"a": 2}, 2)
    with torch.no_grad():
        read.project["a"].weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        read.project["a"].bias.fill_(0.5)
        read.mark.fill_(0.25)
    x = torch.tensor([[[1.0, 1.0, 1.0], [9.0, 9.0, 0.0]]])
    tokens, there = read({"a": x}, torch.tensor([[True]]))["a"]
    assert tokens.tolist() == [[[1.75, 2.75], [0.0, 0.0]]] and there.tolist() == [[True, False]]
    alone, one = read({"a": torch.tensor([[1.0, 1.0]])}, torch.tensor([[True]]))["a"]
    assert alone.tolist() == [[[1.75, 2.75]]] and one.tolist() == [[True]]
    assert largest((tokens - 5, there)).tolist() == [[-3.25, -2.25]]
    assert largest((tokens, torch.zeros_like(there))).tolist() == [[0.0, 0.0]]


def test_looking_at_nobody_is_possible() -> None:
    layer, x = Attend(8, 2), torch.randn(2, 3, 8)
    nobody = x, torch.zeros(2, 3, dtype=torch.bool)
    assert layer(x, nobody).isfinite().all()
    assert not layer.looks(x, nobody).any()
    torch.testing.assert_close(layer.looks(x, (x, ~nobody[1])).sum(-1) < 1, torch.ones(2, 3, dtype=torch.bool))


def test_shares_of_the_summary_s_attention() -> None:
    mix, own = build("transformer"), sequences()
    present = EVERYTHING.clone()
    present[:, 1] = False
    shares = mix.attention(own, present)
    assert shares.shape == (4, 3) and not shares[:, 1].any() and (shares[:, [0, 2]] > 0).all()
    assert (shares.sum(1) < 1).all()


def test_an_encoder_gives_its_tokens_behind_its_vector() -> None:
    model = networks.multimodal(SPECS, 3, "transformer")
    plain = networks.multimodal(SPECS, 3, "concat")
    x = {"text": torch.tensor([[5, 6, 0, 0, 0, 0, 0, 0]]), "image": torch.randn(1, 1, 8, 8)}
    given, vectors = model.vectors(x), plain.vectors(x)
    for s, encoder in model.readers.items():
        assert given[s].shape == (1, 1 + encoder.tokens(x[s]).shape[1], encoder.width + 1)
        assert torch.equal(vector(given[s]), vectors[s])
        assert torch.equal(given[s][:, 1:, :-1], encoder.tokens(x[s]))
    assert given["text"][0, :, -1].tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0]  # the vector, two words, padding
    assert given["image"][0, :, -1].all()
    assert model(x, torch.ones(1, 2, dtype=torch.bool)).shape == (1, 3)


def test_a_simple_encoder_gives_its_vector_alone() -> None:
    features = {"text": Spec("text", "tokens", (8,), vocab=20), "image": Spec("image", "features", (6,))}
    parts = {"text": networks.encoder(features["text"]), "image": Plain(features["image"])}
    model = models.multimodal(parts, networks.task(3), fusion.chosen("cross_attention", "fusion"), 0)
    x = {"text": torch.full((2, 8), 4), "image": torch.randn(2, 6)}
    assert model.vectors(x)["image"].shape == (2, 1, 7)
    assert model(x, torch.ones(2, 2, dtype=torch.bool)).isfinite().all()
